"""Ways to go wrong, written from the shape of a spec alone: each gives the one-fault neighbours of a document."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import combinations

from pydantic import JsonValue

from crossfade.core.documents import JsonObject

Path = tuple[str | int, ...]
Change = tuple[Path, str, Callable[[], JsonObject]]
"""(place, what was done there in a word, what gives the document after it): far more are possible than are made"""

NAMED = frozenset({"variants", "metrics", "parameters", "audience", "links"})
"""Members that are maps by name: their keys are chosen by whoever writes the spec."""
FAR = 400
"""Days that are more than a year."""


@dataclass(frozen=True)
class Vocabulary:
    """Names by kind, of the catalogue that a spec belongs to and of another; and the days around it."""

    own: Mapping[str, tuple[str, ...]]
    foreign: Mapping[str, tuple[str, ...]]
    today: date
    blackouts: tuple[tuple[date, date], ...] = ()


def places(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """Every value below a document with where it is, the document itself left out."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key), inner
        yield from places(inner, (*path, key))


def at(document: JsonValue, path: Path) -> JsonValue:
    for key in path:
        document = _member(document, key)
    return document


def _member(parent: JsonValue, key: str | int) -> JsonValue:
    if isinstance(parent, dict):
        return parent[str(key)]
    assert isinstance(parent, list), "the path was made from this document"
    return parent[int(key)]


def put(document: JsonObject, path: Path, value: JsonValue) -> JsonObject:
    """The document with another value at a place."""
    copy = deepcopy(document)
    _set(at(copy, path[:-1]), path[-1], value)
    return copy


def _set(parent: JsonValue, key: str | int, value: JsonValue) -> None:
    if isinstance(parent, dict):
        parent[str(key)] = value
    elif isinstance(parent, list):
        parent[int(key)] = value


def exchanged(document: JsonObject, one: Path, two: Path) -> JsonObject:
    return put(put(document, one, at(document, two)), two, at(document, one))


def rekeyed(document: JsonObject, path: Path, name: str) -> JsonObject:
    """The document with another key at a place, in the same order."""
    copy = deepcopy(document)
    parent = at(copy, path[:-1])
    if isinstance(parent, dict):
        entries = [(name if key == path[-1] else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(entries)
    return copy


def is_entry(path: Path) -> bool:
    """Whether a place is an entry of a list or of a map by name, and no field of a record."""
    return isinstance(path[-1], int) or (len(path) > 1 and (path[-2] in NAMED or "parameters" in path[:-1]))


def without(document: JsonObject, path: Path) -> JsonObject:
    copy = deepcopy(document)
    parent = at(copy, path[:-1])
    if isinstance(parent, dict):
        del parent[str(path[-1])]
    elif isinstance(parent, list):
        del parent[int(path[-1])]
    return copy


def drop_field(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    for path, _value in places(document):
        if not is_entry(path):
            yield path, "gone", partial(without, document, path)


def drop_entry(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    for path, _value in places(document):
        if is_entry(path):
            yield path, "gone", partial(without, document, path)


def swap(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    """Two neighbours exchanged: values of one type in one map or list, or one field of two entries."""
    for path, value in [((), document), *places(document)]:
        keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for one, two in combinations(keys, 2):
            left, right = at(value, (one,)), at(value, (two,))
            if type(left) is type(right) and left != right:
                yield (*path, one), f"with: {two}", partial(exchanged, document, (*path, one), (*path, two))
            if isinstance(left, dict) and isinstance(right, dict):
                for field in sorted(left.keys() & right.keys()):
                    first, second = (*path, one, field), (*path, two, field)
                    if left[field] != right[field]:
                        yield first, f"with: {two}", partial(exchanged, document, first, second)


def scale(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    for path, value in places(document):
        if isinstance(value, int | float) and not isinstance(value, bool):
            for what, scaled in {"x100": value * 100, "x-1": -value, "0": 0, "1e6": 1_000_000, "NaN": math.nan}.items():
                yield path, what, partial(put, document, path, scaled)


def retype(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    for path, value in places(document):
        for what, other in _retyped(value):
            yield path, what, partial(put, document, path, other)


def _retyped(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, bool):
        yield "text", "yes"
    elif isinstance(value, int | float):
        yield "text", f"{value}"
        yield "list", [value]
    elif isinstance(value, str):
        yield "number", 7
        yield "list", [value]
    elif isinstance(value, list):
        yield "map", {str(index): inner for index, inner in enumerate(value)}
        yield "text", ", ".join(str(inner) for inner in value)
    elif isinstance(value, dict):
        yield "list", list(value.values())
    yield "null", None


def _kind(path: Path) -> str | None:
    """What kind of name is at a place, as its value or as its key."""
    if len(path) == 1 and path[0] in ("surface", "layer", "unit", "environment"):
        return str(path[0])
    if path == ("hypothesis", "metric") or (len(path) == 2 and path[0] == "metrics"):
        return "metric"
    if len(path) == 4 and path[2] == "parameters":
        return "parameter"
    return "attribute" if len(path) == 2 and path[0] == "audience" and path[1] not in ("any", "all", "not") else None


def elsewhere(document: JsonObject, words: Vocabulary) -> Iterator[Change]:
    """A name of the right kind that belongs to another place of the catalogue, or to another catalogue."""
    for path, value in places(document):
        kind = _kind(path)
        for what, names in (("here", words.own), ("foreign", words.foreign)) if kind else ():
            for name in names[kind or ""]:
                if isinstance(value, str) and path[:1] != ("audience",) and len(path) < 3:
                    yield path, f"{what}: {name}", partial(put, document, path, name)
                elif name not in _keys(at(document, path[:-1])):
                    yield path, f"{what}: {name}", partial(rekeyed, document, path, name)
    text = document.get("audience")
    if isinstance(text, str):
        for word in sorted(set(re.findall(r"[a-z_]+", text)) & set(words.own["attribute"])):
            for name in words.foreign["attribute"]:
                yield ("audience",), f"foreign: {name}", partial(put, document, ("audience",), text.replace(word, name))


def _keys(value: JsonValue) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def misspell(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    """Two letters exchanged, in a value or in the key of an entry."""
    for path, value in places(document):
        key = path[-1]
        if isinstance(key, str) and is_entry(path) and (slip := _slip(key)) != key:
            yield path, f"key: {slip}", partial(rekeyed, document, path, slip)
        if isinstance(value, str) and (slip := _slip(value)) != value:
            yield path, "value", partial(put, document, path, slip)


def _slip(word: str) -> str:
    middle = len(word) // 2
    return word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :] if len(word) > 2 else word


def time_shift(document: JsonObject, words: Vocabulary) -> Iterator[Change]:
    """Another start or another length."""
    start: Path = ("schedule", "start")
    days = at(document, ("design", "days"))
    shifts = {"yesterday": -1, "a year ago": -365, "over a year on": FAR, "next week": 7}
    starts = {what: (words.today + timedelta(days=by)).isoformat() for what, by in shifts.items()}
    starts |= {f"into: {first}": first.isoformat() for first, _ in words.blackouts}
    starts |= {"day first": "16/11/2026", "in words": "next Monday", "no such day": "2027-02-30"}
    for what, day in starts.items():
        yield start, what, partial(put, document, start, day)
    for what, length in {"3 days": 3, "400 days": FAR, "a day more": int(str(days)) + 1, "84 days": 84}.items():
        yield ("design", "days"), what, partial(put, document, ("design", "days"), length)


def duplicate(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    """An item twice in its list; a variant twice, the two sharing its weight."""
    for path, value in places(document):
        parent = at(document, path[:-1])
        if isinstance(parent, list):
            yield path, "twice", partial(put, document, path[:-1], [*parent, deepcopy(value)])
        elif len(path) == 2 and path[0] == "variants" and isinstance(value, dict) and isinstance(parent, dict):
            half = {**value, "weight": float(str(value["weight"])) / 2}
            yield (
                path,
                "twice",
                partial(put, document, ("variants",), {**parent, str(path[1]): half, f"{path[1]}-2": half}),
            )


def rename(document: JsonObject, _: Vocabulary) -> Iterator[Change]:
    """A field or an entry under a name that is close by."""
    for path, _value in places(document):
        key = path[-1]
        if isinstance(key, str):
            close = {"numbered": f"{key}-2", "capital": key.capitalize(), "hyphen": key.replace("_", "-")}
            for what, name in close.items():
                if name not in _keys(at(document, path[:-1])):
                    yield path, f"{what}: {name}", partial(rekeyed, document, path, name)


Operator = Callable[[JsonObject, Vocabulary], Iterator[Change]]
OPERATORS: dict[str, Operator] = {
    each.__name__: each
    for each in (
        drop_field,
        drop_entry,
        swap,
        scale,
        retype,
        elsewhere,
        misspell,
        time_shift,
        duplicate,
        rename,
    )
}
