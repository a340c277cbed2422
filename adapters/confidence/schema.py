"""The schema of a flag, from the values that its variants hold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import JsonValue

from ...core.documents import JsonObject
from .audience import EXACT, INEXACT, is_exact, refused
from .capabilities import MOST_FIELDS, MOST_LEVELS, MOST_NAME, MOST_TEXT

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MOST_NAME}}}")
_THEN = "Give every variant a value of one type, or keep the values in a content store alone."


def in_order(variants: Iterable[JsonObject]) -> list[JsonValue]:
    """Variants by their ids: rules name them, and in which order Confidence tells them is not said."""
    ordered: list[JsonObject] = sorted(variants, key=lambda each: str(each.get("id")))
    return [*ordered]


def schema_of(values: list[JsonObject]) -> JsonObject:
    """
    Raises:
        Invalid: no schema has all of them.
    """
    return _object(values, 1)


def _object(values: list[JsonObject], level: int) -> JsonObject:
    names = list(dict.fromkeys(name for each in values for name in each))
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong or len(names) > MOST_FIELDS or level > MOST_LEVELS:
        what = f"objects of more than {MOST_FIELDS} fields or {MOST_LEVELS} levels, or such names"
        raise refused(what, _THEN, wrong[0][:100] if wrong else len(names))
    fields: JsonObject = {name: _field([each[name] for each in values if name in each], level) for name in names}
    return {"schema": fields} if fields else {}  # as Confidence tells an object without fields


def _field(values: list[JsonValue], level: int) -> JsonValue:
    if all(isinstance(each, bool) for each in values):
        return {"boolSchema": {}}
    if all(isinstance(each, str) and len(each) <= MOST_TEXT for each in values):
        return {"stringSchema": {}}
    numbers = [each for each in values if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(numbers) == len(values):
        if not all(map(is_exact, numbers)):
            raise refused(INEXACT, "Give it as a text, or as a number that is kept.", numbers[0])
        # Confidence tells 3 as 3.0
        whole = all(float(each).is_integer() and abs(each) < EXACT for each in numbers)
        return {"intSchema": {}} if whole else {"doubleSchema": {}}
    objects = [each for each in values if isinstance(each, dict)]
    if len(objects) == len(values):
        return {"structSchema": _object(objects, level + 1)}
    lists = [each for each in values if isinstance(each, list)]
    elements = [one for each in lists for one in each]
    if len(lists) == len(values):
        return {"listSchema": {"elementSchema": _field(elements, level) if elements else {"stringSchema": {}}}}
    raise refused("values of several types, texts beyond 250 characters, or null", _THEN, values[0])
