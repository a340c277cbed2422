"""Queries about time: what is due, how far experiments are let in, who carries it out."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from ...core.ports.store import Due, Exposure, Heartbeat
from .rows import columns_of
from .tables import DUE, EXPOSURE, HEARTBEAT

KEPT = timedelta(days=7)
"""How long a process that gives no sign any more is remembered: long enough to tell when it was seen last."""

_DUES = select(*columns_of(DUE, Due)).order_by(DUE.c.at, DUE.c.key, DUE.c.kind)
DUE_NOW = _DUES.where(DUE.c.at <= bindparam("now"), DUE.c.again <= bindparam("now"))
AGENDA = _DUES.where(DUE.c.key == bindparam("key"))
ADD_DUES = insert(DUE)
REMOVE_DUES = delete(DUE).where(DUE.c.key == bindparam("this"))

EXPOSURES = select(*columns_of(EXPOSURE, Exposure)).where(EXPOSURE.c.key.in_(bindparam("keys", expanding=True)))
ADD_EXPOSURE = insert(EXPOSURE)
REMOVE_EXPOSURE = delete(EXPOSURE).where(EXPOSURE.c.key == bindparam("this"))

HEARTBEATS = select(*columns_of(HEARTBEAT, Heartbeat)).order_by(HEARTBEAT.c.at.desc(), HEARTBEAT.c.name)
BEAT_AGAIN = update(HEARTBEAT).where(HEARTBEAT.c.name == bindparam("this"))
BEAT = insert(HEARTBEAT)
FORGET_BEATS = delete(HEARTBEAT).where(HEARTBEAT.c.at < bindparam("before"))
