"""`crossfade approve`, `stop`, `clean` and `preview`: what a person does at the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from ...core.app.crossfade import Crossfade
from ...core.model.answers import Applied
from .topics import Commands


def add(commands: Commands) -> None:
    approve = commands.add_parser("approve", help="say yes or no to a plan")
    approve.add_argument("digest", help="p-0123456789, from plan_change")
    approve.add_argument("--yes", action="store_true", help="do not ask")
    approve.add_argument("--decline", action="store_true", help="say no")
    approve.set_defaults(run=run_approve)
    stop = commands.add_parser("stop", help="kill switch: take experiments out of every backend")
    stop.add_argument("experiment", nargs="?")
    stop.add_argument("--surface", help="everything live on a surface")
    stop.set_defaults(run=run_stop)
    clean = commands.add_parser("clean", help="take out what is delivered of experiments that are not live")
    clean.add_argument("--yes", action="store_true", help="do not ask")
    clean.set_defaults(run=run_clean)
    preview = commands.add_parser("preview", help="give named test units a variant, untracked")
    preview.add_argument("experiment")
    preview.add_argument("variant", nargs="?", help="variant; without it all test units are taken back")
    preview.add_argument("units", nargs="*", help="ids of test units")
    preview.set_defaults(run=run_preview)


def run_approve(parsed: argparse.Namespace) -> int:
    from ...core.app import calls
    from ..wiring import person
    from .wired import wired

    app = wired()
    print(app.plan_summary(parsed.digest))
    if not (parsed.decline or parsed.yes or is_terminal()):
        print("crossfade: nobody can answer here; pass --yes or --decline. Nothing was recorded.", file=sys.stderr)
        return 1
    approved = not parsed.decline and (parsed.yes or agrees("Apply this plan? [y/N] "))
    given = app.approve(parsed.digest, approved=approved, assurance="terminal", by=person())
    print("approved" if given.approved else "declined", f"({given.assurance} by {given.by})")
    if given.approved:
        print(f"next: {calls.apply(parsed.digest)} in the MCP client")
    return 0 if given.approved == approved else 1


def is_terminal() -> bool:
    """Whether somebody sits at the standard input, which may even be closed."""
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]


def agrees(question: str) -> bool:
    return input(question).strip().lower() in ("y", "yes")


def is_agreed(question: str) -> bool:
    """What the person at the terminal says to a change; no, with the way out, where nobody sits there."""
    if is_terminal():
        return agrees(question)
    print("crossfade: nobody can answer here; pass --yes. Nothing was changed.", file=sys.stderr)
    return False


def run_stop(parsed: argparse.Namespace) -> int:
    from .wired import wired

    if (parsed.experiment is None) == (parsed.surface is None):
        print("crossfade: name an experiment, or a surface with --surface", file=sys.stderr)
        return 2
    app = wired(whatever=True)
    keys = [parsed.experiment] if parsed.experiment else app.live_on(parsed.surface)
    if not keys:
        live = app.live_surfaces()
        print(f"nothing is live on {parsed.surface}; live: {', '.join(live) or 'nothing'}", file=sys.stderr)
        return 1 if live else 0
    return _stop_all(app, keys)


def _stop_all(app: Crossfade, keys: Iterable[str]) -> int:
    from ...core.errors import CrossfadeError
    from .printing import complain

    failed = 0
    for key in keys:
        # One that cannot be stopped must not keep the others running.
        try:
            failed += _report(app.stop(key))
        except CrossfadeError as error:
            complain(error)
            failed += 1
    return 1 if failed else 0


def run_clean(parsed: argparse.Namespace) -> int:
    """Show what is left of stopped and unknown experiments, and take it out after a yes."""
    from .printing import say
    from .wired import wired

    app = wired()
    left = app.leftovers()
    for each in left:
        say(f"{each.target}: {each.key}, {each.state or 'unknown to this store'}")
    if not left:
        print("nothing is left of what is not live")
        return 0
    if not (parsed.yes or is_agreed("Take all of that out? [y/N] ")):
        return 1
    return _stop_all(app, dict.fromkeys(each.key for each in left))


def _report(answer: Applied) -> int:
    from .printing import say

    say(f"{answer.status}: {answer.change} {answer.key}, now {answer.state}")
    for target, outcome in (answer.steps or {}).items():
        say(f"  {target}: {outcome}")
    if answer.reason:
        say(f"  {answer.reason}")
    return 0 if answer.status == "applied" else 1


def run_preview(parsed: argparse.Namespace) -> int:
    from ..wiring import person
    from .wired import wired

    app = wired()
    failed = _report(app.preview(parsed.experiment, parsed.variant, parsed.units, person()))
    for variant, units in (app.test_units(parsed.experiment) or {"nobody": []}).items():
        print(f"  test units now: {variant} {', '.join(units)}".rstrip())
    return failed
