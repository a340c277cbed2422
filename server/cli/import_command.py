"""`crossfade import`: know what others run in an assigner."""

from __future__ import annotations

import argparse

from .topics import Commands


def add(commands: Commands) -> None:
    command = commands.add_parser("import", help="know what others run in a backend, so that overlap is seen")
    command.add_argument("backend", help="name of the backend in the catalogue")
    command.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Show what was found, and line by line what of it has no word here. It writes nothing to the backend."""
    from ...core.wording import percent
    from ..wiring import person
    from .printing import say
    from .wired import wired

    for done in wired().import_from(parsed.backend, by=person()):
        for each in done.kept:
            reach = f"{percent(each.share)} of its audience" if each.share is not None else "an unknown share"
            say(f"{each.key}: {each.surface} {', '.join(each.touched)}, {reach}, since {each.since:%Y-%m-%d}")
        for key in done.gone:
            say(f"{key}: gone since the last time")
        for line in done.unread:
            say(f"not represented: {line}")
        place = f"{done.backend} ({done.environment})"
        say(f"{len(done.kept)} imported from {place}, {len(done.gone)} gone, {len(done.unread)} not represented")
    return 0
