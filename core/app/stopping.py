"""The kill switch, and what there is to stop."""

from __future__ import annotations

from pydantic import JsonValue

from ..documents import JsonObject
from ..model.answers import Applied
from ..model.experiment import LIVE, Record
from ..model.plan import AuditEvent
from ..urgency import closing
from . import calls
from .applying import apply, finish
from .cases import require
from .dependencies import Dependencies
from .narrowing import closing_steps, untesting_steps
from .plans import plan
from .previewing import preview
from .strays import take_out

EVERY = 1_000_000
"""Above any count of live experiments: a kill switch leaves none out."""
FOUND_AGAIN = "It was stopped before; what a backend had got back of it has been taken out."
UNTESTED = "It is a draft: its test units were taken back, and no user meets it."


def stop_now(deps: Dependencies, key: str) -> Applied:
    """The kill switch: take an experiment out of every backend, whatever has become of it. It needs the store and the
    backends, and nothing else.

    A change that is under way ends first; when it ends stuck, the stop takes its place. A stop of what is stopped takes
    out what a backend has got back of it, and so does one of what a lost store knew.
    """
    with closing():
        return _stopped(deps, key)


def _stopped(deps: Dependencies, key: str) -> Applied:
    with deps.store.read() as view:
        active = view.active_operation(key)
    if active is not None:
        finish(deps, active)
    with deps.store.read() as view:
        if view.experiment(key) is None and (taken := take_out(deps, key)):
            return _unknown(deps, key, taken)
        record = require(view, key)
        left = None
        if record.state == "draft":
            left = untesting_steps(deps, view, record)
        elif record.state == "stopped":
            left = closing_steps(deps, view, record, "stop")
    if left == []:
        return _nothing_to_stop(record)
    if record.state == "draft":
        answer = preview(deps, key, None, [], deps.actor)
        return answer.model_copy(update={"change": "stop", "reason": answer.reason or UNTESTED})
    compiled = plan(deps, key, "stop")
    assert compiled.plan is not None, "a stop is compiled from the journal and has no findings"
    answer = apply(deps, compiled.plan.handle)
    again = FOUND_AGAIN if record.state == "stopped" else None
    return answer.model_copy(update={"reason": answer.reason or again})


def _unknown(deps: Dependencies, key: str, taken: list[str]) -> Applied:
    reason = "This store does not know it; what the catalogue's backends had of it has been taken out."
    with deps.store.write() as tx:
        after: JsonObject = {"targets": list[JsonValue](taken)}
        tx.audit(AuditEvent(at=deps.clock.now(), who=deps.actor, what="stray_removed", subject=key, after=after))
    return Applied(
        status="applied",
        key=key,
        change="stop",
        state="stopped",
        steps=dict.fromkeys(taken, "done"),
        reason=reason,
        next=calls.find_experiments(),
    )


def _nothing_to_stop(record: Record) -> Applied:
    draft = record.state == "draft"
    return Applied(
        status="applied",
        key=record.key,
        change="stop",
        state=record.state,
        reason="It is a draft: no user meets it." if draft else "It was stopped before: nothing of it is left.",
        next=calls.look_at(record.key),
    )


def live_surfaces(deps: Dependencies) -> list[str]:
    """Surfaces on which something holds buckets, sorted."""
    with deps.store.read() as view:
        return sorted({summary.surface for summary in view.search(states=LIVE, limit=EVERY)})


def live_on(deps: Dependencies, surface: str) -> list[str]:
    """Keys of everything that holds buckets on a surface, in any environment."""
    with deps.store.read() as view:
        found = view.search(surface=surface, states=LIVE, limit=EVERY)
    return [summary.key for summary in found]
