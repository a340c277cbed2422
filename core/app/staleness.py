"""Whether a plan is still what was agreed to: it is compiled anew and has to have the same digest."""

from __future__ import annotations

from ..errors import Stale
from ..model.finding import Finding
from ..model.plan import Operation, Plan
from ..planning.compile import differing_parts
from ..ports.store import Reader
from . import calls
from .dependencies import Dependencies
from .plans import PAST, Terms, compile_plan, require_change


def require_time(deps: Dependencies, found: Plan) -> None:
    """
    Raises:
        Stale: the plan has expired.
    """
    if deps.clock.now() > found.expires:
        raise Stale(
            f"The plan expired at {found.expires:%Y-%m-%d %H:%M} UTC. Nothing was changed.",
            code="expired_plan",
            next=plan_again(found),
        )


def require_unchanged(deps: Dependencies, found: Plan) -> None:
    """Compile the plan anew and compare all that its digest covers.

    Raises:
        Stale: with the names of the parts that differ, or of the checks that block now.
        NotAllowed: the experiment's state no longer allows the change.
    """
    require_time(deps, found)
    with deps.store.read() as view:
        record = require_change(view, found.key, found.change)
        if record.version != found.version:
            raise stale(found, ["version"])
        taken = _taken(view, found)
        if taken:
            raise stale(found, taken)
        previews = found.previews if found.change == "preview" else view.previews(found.key)
        terms = Terms(found.created, found.expires, previews, found.ranges or None, found.stage)
        fresh = compile_plan(deps, view, record, found.change, terms)
        if fresh.plan is not None and fresh.plan.digest == found.digest:
            return
        last = view.last_operation(found.key)
    if fresh.plan is None and not fresh.findings:
        raise _needless(found)
    if fresh.plan is None:
        raise stale(found, [_blocking(found, finding) for finding in fresh.findings if finding.blocks])
    parts = differing_parts(found.covered, fresh.plan.covered)
    raise _overtaken(found, last) if last and PAST in parts else stale(found, parts)


def _taken(view: Reader, found: Plan) -> list[str]:
    """The proposed buckets that somebody else has taken since."""
    others = [part for part in view.held(found.layer) if part.key != found.key] if found.ranges else []
    return [
        f"buckets {part.lo}-{part.hi - 1} are held by {part.key} now"
        for part in others
        if any(part.lo < mine.hi and mine.lo < part.hi for mine in found.ranges)
    ][:3]


def _overtaken(found: Plan, last: Operation) -> Stale:
    """Another change came between, and explains whatever else differs."""
    ended = {"applied": "applied", "undone": "begun and undone"}.get(last.status, "begun, and is stuck")
    message = f"Since the plan was made, a {last.change} of {found.key} was {ended}. Nothing was applied."
    return Stale(message, pointer="/digest", got=found.handle, next=plan_again(found))


def _needless(found: Plan) -> Stale:
    message = f"Every backend has what was delivered of {found.key} again. Nothing was applied."
    return Stale(message, pointer="/digest", got=found.handle, next=calls.look_at(found.key))


def _blocking(found: Plan, finding: Finding) -> str:
    """The name of a finding that blocks now: of an override, when the plan was made under one that is gone."""
    overrides = found.covered.get("overrides")
    name = f"{finding.code} {finding.at}"
    return f"overrides {name}" if isinstance(overrides, dict) and name in overrides else finding.code


def stale(found: Plan, parts: list[str]) -> Stale:
    """The error that names what has changed since the plan was made."""
    what = ", ".join(parts)
    message = f"Since the plan was made this has changed: {what}. Nothing was applied."
    return Stale(message, pointer="/digest", got=found.handle, next=plan_again(found))


def plan_again(found: Plan) -> str:
    """The call that makes the plan anew."""
    stage = found.stage + 1 if found.change == "ramp" and found.stage is not None else None
    return calls.plan(found.key, found.change, stage=stage)
