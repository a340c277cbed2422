"""`crossfade override`: what a person decides about a draft at the terminal."""

from __future__ import annotations

import argparse

from .topics import Commands


def add(commands: Commands) -> None:
    override = commands.add_parser("override", help="let a finding stand, with a reason")
    override.add_argument("experiment")
    override.add_argument("code", help="code of the finding, such as blackout.window")
    override.add_argument("--reason", default="", help="why it may stand, for the audit")
    override.add_argument("--at", metavar="POINTER", help="where, when several findings have the code")
    override.add_argument("--withdraw", action="store_true", help="take it back")
    override.set_defaults(run=run_override)


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
