"""`crossfade` and its commands: serve, demo, check, approve, override, review, stop, and the others in `TOPICS`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from . import (
    adopt_command,
    catalogue_commands,
    change_commands,
    decide_commands,
    demo_command,
    doctor_command,
    import_command,
    look_commands,
    serve_command,
    tick_command,
)
from .topics import Commands

TOPICS: tuple[Callable[[Commands], None], ...] = (
    serve_command.add,
    demo_command.add,
    catalogue_commands.add,
    doctor_command.add,
    change_commands.add,
    adopt_command.add,
    import_command.add,
    decide_commands.add,
    look_commands.add,
    tick_command.add,
)
"""A new command is one file and one line here."""


def parser() -> argparse.ArgumentParser:
    from ..version import VERSION

    top = argparse.ArgumentParser(prog="crossfade", description="Experiments from hypothesis to running, over MCP.")
    top.add_argument("--version", action="version", version=f"crossfade {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in TOPICS:
        add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did what was asked, 1 when it could not, 2 for a wrong call, 130 when interrupted."""
    from pydantic import ValidationError

    from ...core.errors import CrossfadeError
    from .printing import complain, complain_of_settings

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter still gets the rest
    given = sys.argv[1:] if arguments is None else arguments
    if any("\udc80" <= char <= "\udcff" for char in "".join(given)):  # how Python hands on bytes that are no UTF-8
        print("crossfade: an argument is no text in UTF-8", file=sys.stderr)
        return 2
    parsed = parser().parse_args(given)
    try:
        return int(parsed.run(parsed))
    except CrossfadeError as error:
        complain(error)
        return 1
    except ValidationError as error:
        complain_of_settings(error)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
