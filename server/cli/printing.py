"""What the command line says: nothing that comes from a draft or a file can move the cursor or hide a word."""

from __future__ import annotations

import re
import sys

from pydantic import ValidationError

from ...core.errors import CatalogueBroken, CrossfadeError
from ...core.plain_text import visible


def say(line: str) -> None:
    print(visible(line))


def _grumble(line: str) -> None:
    print(visible(line), file=sys.stderr)


_CALL = re.compile(r"\b[a-z]+_[a-z]+\(")


def complain(error: CrossfadeError) -> None:
    """An expected failure, on stderr: what is wrong, what is allowed, what to do."""
    _grumble(f"crossfade: {error.message}")
    if isinstance(error, CatalogueBroken):
        for problem in error.problems:
            _grumble(f"  {problem}")
    elif error.got is not None:
        _grumble(f"  got: {error.got}")
    if error.allowed:
        _grumble(f"  allowed: {', '.join(error.allowed)}")
    if error.nearest:
        _grumble(f"  nearest: {', '.join(error.nearest)}")
    # A proposed call is one for an MCP client, which nobody can make here.
    if error.next and not _CALL.search(error.next):
        _grumble(f"  next: {error.next}")


def complain_of_settings(error: ValidationError) -> None:
    """A setting of the environment or crossfade.toml that is wrong, by its name; its value stays unprinted."""
    for fault in error.errors(include_url=False, include_input=False):
        name = "_".join(["CROSSFADE", *(str(part).upper() for part in fault["loc"])])
        _grumble(f"crossfade: setting {name}: {fault['msg']}")
