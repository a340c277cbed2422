"""Queries for what runs beside an experiment, and what ran before it."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, type_coerce

from .columns import JsonText
from .tables import BUCKET_RANGE, EXPERIMENT, IS_LIVE, IS_RELEASED, LIVE_GROUP, LIVE_MEMBER

_GROUP = LIVE_GROUP.c
_RANGE = BUCKET_RANGE.c

LIVE_GROUPS = (
    select(
        _GROUP.id,
        _GROUP.surface,
        _GROUP.layer,
        type_coerce(_GROUP.touched, JsonText),
        _GROUP.audience,
        _GROUP.count,
    )
    .where(_GROUP.environment == bindparam("environment"), _GROUP.surface.in_(bindparam("surfaces", expanding=True)))
    .order_by(_GROUP.surface, _GROUP.layer, _GROUP.id)
)
GROUP_OF = select(LIVE_MEMBER.c.group_id).where(LIVE_MEMBER.c.key == bindparam("key"))
ENDING_BEFORE = (
    select(LIVE_MEMBER.c.group_id, func.count(_RANGE.experiment.distinct()))
    .join(LIVE_MEMBER, LIVE_MEMBER.c.key == _RANGE.experiment)
    .where(
        IS_LIVE,
        _RANGE.until >= bindparam("today"),
        _RANGE.until < bindparam("start"),
        _RANGE.experiment != bindparam("key"),
    )
    .group_by(LIVE_MEMBER.c.group_id)
)
_UNTIL = (
    select(func.max(_RANGE.until))
    .where(_RANGE.experiment == LIVE_MEMBER.c.key, IS_LIVE)
    .correlate(LIVE_MEMBER)
    .scalar_subquery()
)
MEMBERS = (
    select(LIVE_MEMBER.c.key, EXPERIMENT.c.owner, _UNTIL)
    .join(EXPERIMENT, EXPERIMENT.c.key == LIVE_MEMBER.c.key)
    .where(LIVE_MEMBER.c.group_id == bindparam("group"))
    .order_by(LIVE_MEMBER.c.key)
    .limit(bindparam("limit"))
)
# Of launches that were undone nobody has seen anything: their experiments are drafts again.
RELEASED = (
    select(_RANGE.lo, _RANGE.hi, _RANGE.experiment, _RANGE.released_at)
    .join(EXPERIMENT, EXPERIMENT.c.key == _RANGE.experiment)
    .where(
        _RANGE.layer == bindparam("layer"),
        IS_RELEASED,
        _RANGE.released_at >= bindparam("since"),
        EXPERIMENT.c.state != "draft",
    )
    .order_by(_RANGE.lo, _RANGE.id)
)
LAST_RELEASE = select(func.max(_RANGE.released_at)).where(_RANGE.experiment == bindparam("key"), IS_RELEASED)
