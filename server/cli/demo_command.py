"""`crossfade demo`."""

from __future__ import annotations

import argparse

from .topics import Commands


def add(commands: Commands) -> None:
    command = commands.add_parser("demo", help="from a hypothesis to a running experiment, on real parts")
    command.add_argument("--yes", action="store_true", help="answer the confirmation with yes")
    command.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    from ..demo import run_demo

    return run_demo(yes=parsed.yes)
