"""An audience of a system in which every value is a text, in values of the attributes' own types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ..documents import JsonObject
from ..model.catalogue import Attribute

_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
"""As SDKs spell them, in JavaScript and in Python."""
_SPELLINGS = {True: {"true", "True"}, False: {"false", "False"}}
_EXACT = ("string", "date")
"""Types of which a value has one spelling."""


def from_texts(audience: JsonObject, attributes: Mapping[str, Attribute]) -> tuple[JsonObject, list[str]]:
    """(the audience, a sentence for each part that has no word here). It holds nobody out whom the texts let in: who is
    not to have a value can have it in a spelling that the system does not know for it.

    Only values are changed; what is wrong otherwise stays for `parse` to tell.
    """
    unread: list[str] = []
    return {name: _read(name, wanted, attributes, unread) for name, wanted in audience.items()}, unread


def _read(name: str, wanted: JsonValue, attributes: Mapping[str, Attribute], unread: list[str]) -> JsonValue:
    if name in ("any", "all") and isinstance(wanted, list):
        parts: list[JsonValue] = []
        for each in wanted:
            part, more = from_texts(each, attributes) if isinstance(each, dict) else (each, [])
            parts.append(part)
            unread += more
        return parts
    attribute = attributes.get(name)
    if attribute is None or attribute.type == "string":
        return wanted
    if isinstance(wanted, dict) and "not" in wanted:
        return _none_of(name, wanted["not"], attribute, unread)
    values = wanted if isinstance(wanted, list) else [wanted]
    if all(isinstance(each, str) for each in values):
        return [*_typed([str(each) for each in values], attribute)] or wanted
    return wanted


def _none_of(name: str, values: JsonValue, attribute: Attribute, unread: list[str]) -> JsonValue:
    """Without some values, as far as none of them has another spelling."""
    texts = {str(each) for each in (values if isinstance(values, list) else [values]) if isinstance(each, str)}
    if attribute.type in _EXACT or not texts:
        return {"not": values}
    if attribute.type == "boolean":
        excluded: list[JsonValue] = [each for each, spellings in _SPELLINGS.items() if spellings <= texts]
        if excluded:
            return {"not": excluded}
    unread.append(f"{name} without {', '.join(sorted(texts))}: it can be spelled otherwise; everybody with it counts")
    return {"exists": True}


def _typed(texts: list[str], attribute: Attribute) -> Iterator[JsonValue]:
    """The values that have these spellings."""
    for text in texts:
        if attribute.type == "boolean":
            if text in _BOOLEANS:
                yield _BOOLEANS[text]
        elif attribute.type not in ("integer", "number"):
            yield text
        elif re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
            yield float(text) if "." in text else int(text)
