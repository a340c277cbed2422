"""What the command line says of errors."""

from __future__ import annotations

import re
import sys

from pydantic import ValidationError

from ...core.errors import CatalogueBroken, CrossfadeError

_CALL = re.compile(r"\b[a-z]+_[a-z]+\(")


def complain(error: CrossfadeError) -> None:
    """An expected failure, on stderr: what is wrong, what is allowed, what to do."""
    print(f"crossfade: {error.message}", file=sys.stderr)
    if isinstance(error, CatalogueBroken):
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
    elif error.got is not None:
        print(f"  got: {error.got}", file=sys.stderr)
    if error.allowed:
        print(f"  allowed: {', '.join(error.allowed)}", file=sys.stderr)
    if error.nearest:
        print(f"  nearest: {', '.join(error.nearest)}", file=sys.stderr)
    # A proposed call is one for an MCP client, which nobody can make here.
    if error.next and not _CALL.search(error.next):
        print(f"  next: {error.next}", file=sys.stderr)


def complain_of_settings(error: ValidationError) -> None:
    """A setting of the environment or crossfade.toml that is wrong, by its name; its value stays unprinted."""
    for fault in error.errors(include_url=False, include_input=False):
        name = "_".join(["CROSSFADE", *(str(part).upper() for part in fault["loc"])])
        print(f"crossfade: setting {name}: {fault['msg']}", file=sys.stderr)
