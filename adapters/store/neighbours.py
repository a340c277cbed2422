"""Queries for what runs beside an experiment, and what ran before it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, type_coerce

from .columns import JsonText, OneOf, Texts
from .tables import BUCKET_RANGE, EXPERIMENT, IS_LIVE, IS_RELEASED, LIVE_GROUP, LIVE_MEMBER

_GROUP = LIVE_GROUP.c
_MEMBER = LIVE_MEMBER.c
_RANGE = BUCKET_RANGE.c
_BESIDE = and_(
    _GROUP.environment == bindparam("environment"), _GROUP.surface.in_(bindparam("surfaces", expanding=True))
)
_MET = and_(_BESIDE, OneOf(_GROUP.audience, bindparam("audiences", type_=Texts())))
_ENDS_BEFORE = and_(IS_LIVE, _RANGE.until >= bindparam("today"), _RANGE.until < bindparam("start"))
_TOUCHED = type_coerce(_GROUP.touched, JsonText)

LIVE_ON = select(func.coalesce(func.sum(_GROUP.count), 0)).where(
    _GROUP.environment == bindparam("environment"), _GROUP.surface == bindparam("surface")
)
AUDIENCES = select(_GROUP.audience).where(_BESIDE).distinct().order_by(_GROUP.audience)
GROUPS = (
    select(_GROUP.surface, _GROUP.layer, _TOUCHED, func.sum(_GROUP.count))
    .where(_MET)
    .group_by(_GROUP.surface, _GROUP.layer, _GROUP.touched)
    .order_by(_GROUP.surface, _GROUP.layer, _GROUP.touched)
)
ENDING = (
    select(_GROUP.surface, _GROUP.layer, _TOUCHED, func.count(_RANGE.experiment.distinct()))
    .join(LIVE_MEMBER, _MEMBER.key == _RANGE.experiment)
    .join(LIVE_GROUP, _GROUP.id == _MEMBER.group_id)
    .where(_ENDS_BEFORE, _MET)
    .group_by(_GROUP.surface, _GROUP.layer, _GROUP.touched)
)
_STAYS = ~select(_RANGE.id).where(_RANGE.experiment == _MEMBER.key, _ENDS_BEFORE).correlate(LIVE_MEMBER).exists()


def _members(*stay: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    # The few that are named are found before anything is read of them, or all members of the group would be read.
    named = (
        select(_MEMBER.key)
        .join(LIVE_GROUP, _GROUP.id == _MEMBER.group_id)
        .where(
            _MET,
            _GROUP.layer == bindparam("layer"),
            _GROUP.touched == bindparam("touched", type_=JsonText()),
            *stay,
        )
        .order_by(_MEMBER.key)
        .limit(bindparam("limit"))
        .cte("named")
    )
    held = select(func.max(_RANGE.until)).where(_RANGE.experiment == named.c.key, IS_LIVE).correlate(named)
    return (
        select(named.c.key, EXPERIMENT.c.owner, held.scalar_subquery().label("until"))
        .join(EXPERIMENT, EXPERIMENT.c.key == named.c.key)
        .order_by(named.c.key)
    )


MEMBERS = _members()
MEMBERS_THEN = _members(_STAYS)
"""Those that hold buckets still on the day of `start`."""
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
