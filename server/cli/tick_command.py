"""`crossfade tick`: one round of what is due, for cron."""

from __future__ import annotations

import argparse

from .topics import Commands

EVERY = 300
"""Seconds between two calls, unless it is told."""


def add(commands: Commands) -> None:
    tick = commands.add_parser("tick", help="carry out what is due: ramp stages, starts and ends (for cron)")
    tick.add_argument(
        "--every", type=seconds, default=EVERY, metavar="SECONDS", help=f"how often this is called ({EVERY})"
    )
    tick.set_defaults(run=run)


def seconds(text: str) -> int:
    given = int(text)
    if not 1 <= given <= 86_400:
        raise ValueError
    return given


def run(parsed: argparse.Namespace) -> int:
    """0 when nothing is left that should have been done."""
    from .printing import say
    from .wired import wired

    done = wired().tick("tick", parsed.every)
    for operation in done.finished:
        say(f"{operation.status}: {operation.change} {operation.key}, which another process had left")
    for carried in done.carried:
        say(str(carried))
    if not (done.finished or done.carried):
        say("nothing is due")
    return 0 if done.succeeded else 1
