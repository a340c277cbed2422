"""A document as bytes."""

from __future__ import annotations

import json
import re

from pydantic import TypeAdapter, ValidationError

from ...core.documents import JsonObject
from ...core.errors import BackendFailed

_OBJECT = TypeAdapter(JsonObject)
_ENDLESS = re.compile(rb"NaN|Infinity|[eE]\+?\d{3}|\d{300}")
"""All that a parser could make a number of that is not finite."""


def parsed(raw: bytes, where: JsonObject) -> JsonObject:
    """
    Args:
        where: names the document in the error.

    Raises:
        BackendFailed: the bytes do not hold a JSON object.
    """
    try:
        document = _OBJECT.validate_json(raw.removeprefix(b"\xef\xbb\xbf"))
        if _ENDLESS.search(raw):  # rare, and a second walk through a large document takes as long as the first
            json.dumps(document, allow_nan=False)
    except ValueError as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "a number is not finite"
        raise BackendFailed(
            "The document does not hold a JSON object, so it was left as it is.",
            next="Repair it, or move it away to start a new one, then repeat the call.",
            got={**where, "reason": reason[:200]},
        ) from error
    return document


def written(document: JsonObject) -> bytes:
    """Indented, so that people can read and compare it."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
