"""`crossfade adopt`: take documents over from a store that is lost."""

from __future__ import annotations

import argparse

from .change_commands import is_agreed
from .topics import Commands


def add(commands: Commands) -> None:
    adopt = commands.add_parser("adopt", help="take backends over from a store whose database is lost")
    adopt.add_argument("--yes", action="store_true", help="do not ask")
    adopt.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Show what belongs to other stores, and make it this one's after a yes."""
    from ..wiring import person
    from .printing import say
    from .wired import wired

    app = wired()
    found = app.foreign()
    for each in found:
        say(f"{each.target} belongs to the store {each.owner}")
    if not found:
        print("no document of these backends belongs to another store")
        return 0
    print("A store whose database still exists is to be shared instead: set CROSSFADE_DATABASE_URL to it.")
    print("Once these are taken over, it can write nothing there any more, and this one knows nothing of what runs.")
    if not (parsed.yes or is_agreed("Take them over? [y/N] ")):
        return 1
    app.adopt(found, by=person())
    print("taken over; `crossfade clean` lists what is delivered there that this store does not know")
    return 0
