"""Carry out what is due: each as an ordinary operation, on the yes that was given when it was planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..documents import JsonObject
from ..errors import Conflict, CrossfadeError, NotAllowed, StoreUnavailable
from ..model.experiment import Change, Record
from ..model.plan import Approval, AuditEvent, Operation
from ..planning.agenda import due_text, stage_text
from ..planning.compile import departures
from ..ports.store import Due, DueKind, Heartbeat, Reader, Writer
from . import calls, saga
from .applying import resume_abandoned
from .cases import require
from .dependencies import Dependencies
from .plans import LIFETIME, PAST, Terms, compile_plan, require_change
from .stopping import stop_now

SWEEPER = "sweeper"
"""Who the audit says acted when nobody asked for it at that moment."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
"""Before what failed is tried again: twice as long each time, up to an hour."""


@dataclass(frozen=True)
class Carried:
    """What became of one thing that was due: done, or waiting to be tried again."""

    due: Due
    done: bool
    detail: str

    def __str__(self) -> str:
        return f"{'done' if self.done else 'waits'}: {self.due.key}, {due_text(self.due)}: {self.detail}"


@dataclass(frozen=True)
class Round:
    """What one round did."""

    finished: list[Operation]
    carried: list[Carried]

    @property
    def succeeded(self) -> bool:
        return all(each.done for each in self.carried) and all(
            each.status != "needs_attention" for each in self.finished
        )


def beat(deps: Dependencies, name: str, every: float) -> None:
    """Show that a process carries out what is due.

    Args:
        every: seconds until it shows so again.
    """
    with deps.store.write() as tx:
        tx.beat(Heartbeat(name=name, at=deps.clock.now(), every=every))


def tick(deps: Dependencies, name: str, every: float) -> Round:
    """One round: a sign of life, then what dead processes left, then everything that is due.

    Raises:
        StoreUnavailable: the store cannot be read or written.
    """
    beat(deps, name, every)
    finished = resume_abandoned(deps)
    swept = replace(deps, actor=SWEEPER)
    with deps.store.read() as view:
        due = view.due(deps.clock.now())
    carried = [_carried(swept, one, [each for each in due if each.key == one.key]) for one in _first_to_do(due)]
    return Round(finished, [each for each in carried if each is not None])


def _first_to_do(due: Sequence[Due]) -> list[Due]:
    """Of each experiment what stands now: its end, else its start, else the last stage whose time has come."""
    rank: dict[DueKind, int] = {"ramp": 0, "start": 1, "end": 2}
    chosen: dict[str, Due] = {}
    for each in due:
        before = chosen.get(each.key)
        if before is None or rank[each.kind] >= rank[before.kind]:
            chosen[each.key] = each
    return list(chosen.values())


def _carried(deps: Dependencies, due: Due, all_due: list[Due]) -> Carried | None:
    """What became of it; None when another process does it, or has done it, or the experiment is in a change now."""
    try:
        detail = _DOES[due.kind](deps, due)
        return Carried(due, True, detail + _skipped(due, all_due)) if detail is not None else None
    except Conflict:
        return None
    except StoreUnavailable:
        raise
    except CrossfadeError as error:
        if isinstance(error, NotAllowed) and error.retryable:
            return None
        reason = f"{error.message} {error.next}".strip()
        return _postponed(deps, due, reason)


def _skipped(due: Due, all_due: list[Due]) -> str:
    passed = [f"{each.stage + 1}" for each in all_due if each.kind == due.kind == "ramp" and each.stage is not None][
        :-1
    ]
    return f"; nobody was there when stage {', '.join(passed)} was due" if passed else ""


def _postponed(deps: Dependencies, due: Due, reason: str) -> Carried | None:
    now = deps.clock.now()
    with deps.store.write() as tx:
        agenda = tx.agenda(due.key)
        if tx.active_operation(due.key) is not None or not any(_is(each, due) for each in agenda):
            return None  # another process does it, or has done it
        again = now + min(FIRST_WAIT * 2 ** min(due.tries, 10), LONGEST_WAIT)
        failed: dict[str, object] = {"again": again, "tries": due.tries + 1, "reason": reason}
        late = [each.kind == due.kind and each.at <= due.at for each in agenda]
        kept = [each.model_copy(update=failed) if was else each for each, was in zip(agenda, late, strict=True)]
        tx.set_agenda(due.key, kept)
        if reason != due.reason:
            _audit(deps, tx, due, "due_failed", {"reason": reason})
    return Carried(due, False, reason)


def _is(one: Due, other: Due) -> bool:
    return (one.kind, one.at, one.handle) == (other.kind, other.at, other.handle)


def _audit(deps: Dependencies, tx: Writer, due: Due, what: str, more: JsonObject) -> None:
    told: JsonObject = {"kind": due.kind, "at": due.at.isoformat(), "rests_on": due.handle, **more}
    tx.audit(AuditEvent(at=deps.clock.now(), who=deps.actor, what=what, subject=due.key, after=told))


def _ramp(deps: Dependencies, due: Due) -> str | None:
    if not _operate(deps, due, "ramp"):
        return None
    with deps.store.read() as view:
        at = view.exposures([due.key])[due.key]
    return stage_text(at.stage, at.stages, at.coverage)


def _start(deps: Dependencies, due: Due) -> str | None:
    return "opened" if _operate(deps, due, "launch") else None


def _end(deps: Dependencies, due: Due) -> str | None:
    with deps.store.write() as tx:
        if tx.active_operation(due.key) is not None or not any(_is(each, due) for each in tx.agenda(due.key)):
            return None
        _audit(deps, tx, due, "due_begun", {})
    answer = stop_now(deps, due.key)
    if answer.status != "applied":
        raise NotAllowed(answer.reason or "The stop is stuck.", next=answer.next)
    return "stopped"


def _operate(deps: Dependencies, due: Due, change: Change) -> bool:
    """Plan a change on the yes that was given for it, and carry it out; False when it is not to be done any more.

    Raises:
        NotAllowed: the state does not allow it, something has changed since the yes, or a backend refused.
        Conflict: another process does it.
    """
    now = deps.clock.now().replace(microsecond=0)
    with deps.store.read() as view:
        given = view.approval(due.handle)
        if given is None or not any(_is(each, due) for each in view.agenda(due.key)):
            return False
        record = require_change(view, due.key, change)
        terms = Terms(
            now, now + LIFETIME, view.previews(due.key), view.ranges_of(due.key), due.stage, rests_on=due.handle
        )
        compiled = compile_plan(deps, view, record, change, terms)
        plan = compiled.plan
        agreed = view.plan(due.handle)
    if plan is None:
        codes = ", ".join(dict.fromkeys(each.code for each in compiled.findings if each.blocks))
        raise _needs_a_yes(due, f"These block it now: {codes}")
    if due.kind == "start" and agreed is not None and (parts := departures(agreed.covered, plan.covered)):
        raise _needs_a_yes(due, f"Since the yes this has changed: {', '.join(parts)}")
    with deps.store.write() as tx:
        _require_as_it_was(tx, due, record, plan.covered.get(PAST))
        tx.save_plan(plan)
        _audit(deps, tx, due, "due_begun", {"digest": plan.handle})
        operation = saga.begin(deps, tx, plan, record, _on(given, plan.handle))
    ended = saga.run(deps, operation)
    if ended.status != "applied":
        raise NotAllowed(f"It was {ended.status.replace('_', ' ')}: {ended.reason}")
    return True


def _needs_a_yes(due: Due, why: str) -> NotAllowed:
    """What a start has to wait for: a person who says yes to what it would be now."""
    return NotAllowed(f"{why}. It stays scheduled.", next=f"{calls.plan(due.key, 'launch')} asks for a new yes")


def _on(given: Approval, handle: str) -> Approval:
    """The yes to another plan that covers this one; it is kept where it was given."""
    return given.model_copy(update={"handle": handle})


def _require_as_it_was(tx: Reader, due: Due, record: Record, past: object) -> None:
    """
    Raises:
        Conflict: since the plan was made, somebody has changed the experiment, or has done what is due.
    """
    last = tx.last_operation(due.key)
    same_past = (last.id if last else None) == past
    pending = any(_is(each, due) for each in tx.agenda(due.key))
    if not (same_past and pending and require(tx, due.key).version == record.version):
        raise Conflict("Somebody else has changed the experiment.", got=due.key)


_DOES: dict[DueKind, Callable[[Dependencies, Due], str | None]] = {"start": _start, "ramp": _ramp, "end": _end}
