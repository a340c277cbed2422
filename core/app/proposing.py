"""Which buckets a plan proposes beside those of others, and that it is kept. A proposal holds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..documents import JsonObject
from ..model.experiment import Change, Record
from ..model.plan import AuditEvent, BucketRange, Plan
from ..planning.buckets import layer_name, meet
from ..ports.store import Reader
from .dependencies import Dependencies

TRIES = 4
"""How often a plan is compiled so that it meets none that is made at the same time; after that it is kept as it is."""


def layer_of(record: Record) -> str:
    """The full name of the layer that an experiment takes its buckets from."""
    spec = record.document
    return layer_name(str(spec.get("environment", "")), str(spec.get("surface", "")), str(spec.get("layer", "")))


def proposals_beside(view: Reader, record: Record, change: Change, now: datetime) -> list[BucketRange]:
    """What living plans of others propose, as far as this change proposes anything."""
    proposes = change == "launch" and record.state == "draft"
    return view.proposed(layer_of(record), record.key, now) if proposes else []


def keep(deps: Dependencies, record: Record, made: Plan, seen: Sequence[BucketRange], *, at_last: bool) -> bool:
    """Store a plan, unless one that was stored since the proposals that were `seen` proposes some of its buckets. Then
    there may be others to propose; `at_last`, it is stored all the same."""
    with deps.store.write() as tx:
        if not at_last:
            beside = proposals_beside(tx, record, made.change, made.created)
            if meet(made.ranges, [part for part in beside if part not in seen]):
                return False
        tx.save_plan(made)
        told: JsonObject = {"digest": made.handle, "change": made.change, "version": made.version}
        tx.audit(AuditEvent(at=made.created, who=deps.actor, what="plan_made", subject=made.key, after=told))
    return True
