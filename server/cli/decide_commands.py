"""`crossfade override` and `crossfade review`: what a person decides about a draft at the terminal."""

from __future__ import annotations

import argparse
import sys

from .change_commands import agrees, is_terminal
from .topics import Commands


def add(commands: Commands) -> None:
    override = commands.add_parser("override", help="let a finding stand, with a reason")
    override.add_argument("experiment")
    override.add_argument("code", help="code of the finding, such as blackout.window")
    override.add_argument("--reason", default="", help="why it may stand, for the audit")
    override.add_argument("--at", metavar="POINTER", help="where, when several findings have the code")
    override.add_argument("--withdraw", action="store_true", help="take it back")
    override.set_defaults(run=run_override)
    review = commands.add_parser("review", help="say for a team whether a draft may be launched")
    review.add_argument("experiment")
    review.add_argument("--team", required=True, help="team that the surface asks")
    review.add_argument("--yes", action="store_true", help="do not ask")
    review.add_argument("--decline", action="store_true", help="say no")
    review.add_argument("--note", default="", help="what the team has to say")
    review.set_defaults(run=run_review)


def run_override(parsed: argparse.Namespace) -> int:
    from ..wiring import person
    from .wired import wired

    app, by = wired(), person()
    if parsed.withdraw:
        finding = app.withdraw(parsed.experiment, parsed.code, parsed.at, by=by)
        print(f"withdrawn: {finding.code} at {finding.at} blocks again")
        return 0
    finding = app.override(parsed.experiment, parsed.code, parsed.at, reason=parsed.reason, assurance="terminal", by=by)
    print(f"overridden (terminal by {by}), for the draft as it is: {finding.code} at {finding.at}")
    print(f"  {finding.message}")
    print(f"next: {app.get_experiment(parsed.experiment).next}")
    return 0


def run_review(parsed: argparse.Namespace) -> int:
    from ..wiring import person
    from .wired import wired

    app = wired()
    print(app.draft_summary(parsed.experiment))
    if not (parsed.decline or parsed.yes or is_terminal()):
        print("crossfade: nobody can answer here; pass --yes or --decline. Nothing was recorded.", file=sys.stderr)
        return 1
    approved = not parsed.decline and (parsed.yes or agrees(f"Does {parsed.team} agree to this draft? [y/N] "))
    given = app.review(
        parsed.experiment, parsed.team, approved=approved, note=parsed.note, assurance="terminal", by=person()
    )
    print("agreed" if given.approved else "not agreed", f"({given.team}, {given.assurance} by {given.by})")
    return 0
