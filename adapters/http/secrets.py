"""Secrets, which the catalogue and the journal know by the name of an environment variable only."""

from __future__ import annotations

import os
import re
from typing import Annotated

from pydantic import AfterValidator

from ...core.errors import BackendUnready

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


def secret(name: str, *, in_header: bool = True) -> str:
    """The value of an environment variable. One for a body may hold any characters, but no line end at its end, which
    is of the file that it came from.

    Raises:
        BackendUnready: it is not set where the server runs, or cannot be sent.
    """
    value = os.environ.get(name, "")
    value = value.strip() if in_header else value.rstrip("\r\n")
    if not value:
        raise BackendUnready(
            "The secret of this backend is not set.",
            next=f"A person sets the environment variable {name} for Crossfade and starts it again; then repeat this.",
            got=name,
        )
    if in_header and not (value.isascii() and value.isprintable()):
        raise BackendUnready(
            "The secret of this backend holds characters that no HTTP header can carry.",
            next=f"A person corrects the environment variable {name}.",
            got=name,
        )
    return value


def secret_problem(name: str) -> str | None:
    """What is wrong with the name of a secret, which may be the secret itself, put into the catalogue by mistake."""
    if _NAME.fullmatch(name):
        return None
    return "It is the name of an environment variable (capitals, digits, `_`) that holds the secret, never the secret."


def _secret_name(name: str) -> str:
    if secret_problem(name) is not None:
        raise ValueError
    return name


SecretName = Annotated[str, AfterValidator(_secret_name)]
"""The name of a secret, in a model of settings."""
