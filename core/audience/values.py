"""Values of attributes: which type they are of, and how they are ordered."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import TypeGuard

from pydantic import JsonValue

from ..model.delivery import Scalar

Comparable = tuple[float | str, ...]
"""A number alone, or the parts of a version in the order in which they decide."""
ORDERED = frozenset({"integer", "number", "semver", "date"})
"""Types whose values can be bounded."""
_WHOLE = r"(0|[1-9][0-9]{0,4})"
_LABEL = rf"({_WHOLE}|[0-9]*[A-Za-z][0-9A-Za-z]*)"
_LABELS = rf"{_LABEL}(\.{_LABEL})*"
SEMVER_PATTERN = rf"v?{_WHOLE}(\.{_WHOLE}(\.{_WHOLE}(-{_LABELS})?)?)?(\+[0-9A-Za-z.-]+)?"
"""A version as Semantic Versioning has it, as far as every SDK orders it alike: numbers of at most five digits, and no
hyphen inside a label. Missing numbers are 0 (systems call themselves 15.2); a leading `v` and build metadata do not
count."""
DATE_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SEMVER = re.compile(
    rf"v?(?P<major>{_WHOLE})(\.(?P<minor>{_WHOLE})(\.(?P<patch>{_WHOLE})(-(?P<label>{_LABELS}))?)?)?(\+[0-9A-Za-z.-]+)?"
)
_DATE = re.compile(DATE_PATTERN)


def is_scalar(value: JsonValue) -> TypeGuard[Scalar]:
    return isinstance(value, str | int | float | bool)


def fits_type(value: JsonValue, kind: str) -> bool:
    """Whether a value is one that an attribute of this type can have by the catalogue."""
    if not evaluable(value, kind):
        return False
    if kind == "string":
        return value != ""
    if kind == "date":
        return _is_date(str(value))
    return kind != "integer" or not isinstance(value, float) or value.is_integer()


def evaluable(value: JsonValue, kind: str) -> bool:
    """Whether a unit's value can meet a condition on an attribute of this type.

    This is what every SDK can be told to ask, so it is wider than the catalogue's type: 39.5 lies below 40 although
    ages are whole.
    """
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "semver":
        return isinstance(value, str) and _SEMVER.fullmatch(value) is not None
    if kind == "date":
        return isinstance(value, str) and _DATE.fullmatch(value) is not None
    if kind == "string":
        return isinstance(value, str)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def named(kind: str) -> str:
    """What an attribute of this type holds, in words."""
    names = {
        "semver": 'a version such as "8.9.0"',
        "date": 'a date such as "2026-05-31"',
        "string": "text",
        "boolean": "true or false",
        "number": "a number",
    }
    return names.get(kind, "a whole number")


def sort_key(value: Scalar, kind: str) -> Comparable:
    """The value as something that compares as its type does: versions by Semantic Versioning's precedence (11), dates
    by their text, which has their order."""
    if kind == "date":
        return (str(value),)
    if kind != "semver":
        return (number(value),)
    return _version(str(value))


@lru_cache(maxsize=16_384)
def _version(text: str) -> Comparable:
    found = _SEMVER.fullmatch(text)
    if found is None:
        return (0, 0, 0, 0)
    major, minor, patch, label = found["major"], found["minor"], found["patch"], found["label"]
    numbers = (int(major), int(minor or 0), int(patch or 0))
    if label is None:
        return (*numbers, 1)
    identifiers: list[Comparable] = [(0, int(part)) if part.isdecimal() else (1, part) for part in label.split(".")]
    return (*numbers, 0, *chain.from_iterable(identifiers))


def identity(value: Scalar, kind: str) -> Hashable:
    """What two values have in common exactly when they are the same to an attribute of a type: 1 is 1.0, and true is
    neither."""
    return sort_key(value, kind) if kind == "semver" else (isinstance(value, bool), value)


def identities(values: Iterable[Scalar], kind: str) -> frozenset[Hashable]:
    return frozenset(identity(value, kind) for value in values)


def number(value: Scalar) -> float:
    """The number that the value is; whole ones stay exact, however large."""
    return value if isinstance(value, int) else float(value)


def typed(text: str, kind: str) -> Scalar:
    """A value as the catalogue writes it in a map of shares, whose names are texts."""
    if kind == "boolean":
        return text == "true"
    return float(text) if kind in ("integer", "number") else text
