"""The kill switch, and what there is to stop."""

from __future__ import annotations

from ..model.answers import Applied
from ..model.experiment import LIVE, TRANSITIONS, Record
from . import calls
from .applying import apply, finish
from .cases import require
from .dependencies import Dependencies
from .plans import plan
from .previewing import preview

EVERY = 1_000_000
"""Above any count of live experiments: a kill switch leaves none out."""
UNTESTED = "It is a draft: its test units were taken back, and no user meets it."


def stop_now(deps: Dependencies, key: str) -> Applied:
    """The kill switch: take an experiment out of every backend, whatever has become of it. It needs the store and the
    backends, and nothing else.

    A change that is under way ends first; when it ends stuck, the stop takes its place.
    """
    with deps.store.read() as view:
        active = view.active_operation(key)
    if active is not None:
        finish(deps, active)
    with deps.store.read() as view:
        record = require(view, key)
        delivered = view.placements(key)
    if record.state == "draft" and delivered:
        answer = preview(deps, key, None, [], deps.actor)
        return answer.model_copy(update={"change": "stop", "reason": answer.reason or UNTESTED})
    if (record.state, "stop") not in TRANSITIONS:
        return _nothing_to_stop(record)
    compiled = plan(deps, key, "stop")
    assert compiled.plan is not None, "a stop is compiled from the journal and has no findings"
    return apply(deps, compiled.plan.handle)


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
