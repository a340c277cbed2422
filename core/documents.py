"""JSON documents: canonical text, digests, pointers and merge patches."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from pydantic import JsonValue

from .errors import Invalid
from .plain_text import hidden_character

JsonObject = dict[str, JsonValue]


class Absent(Enum):
    """The place of a document at which there is nothing, not even a null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Leaf = JsonValue | Absent

MAX_TEXT = 4_000
"""Longest text in a document, in characters: a hypothesis fits, a pasted log does not."""
MAX_DEPTH = 32
_LARGEST_WHOLE = 10**4_300 - 1
"""Past it, Python makes no text of a number."""
_DOUBTFUL = re.compile("[\\\\\u200c\u200d]")
"""What looks different in a JSON text: what it escapes, and joiners, whose neighbours say whether they are spelling."""
MAX_BYTES = 64_000


def canonical(value: JsonValue) -> str:
    """One text per value: sorted keys, no spaces, 4.0 written as 4 (RFC 8785's form for the values used here)."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: JsonValue) -> JsonValue:
    """The value with whole floats as integers, as JavaScript writes them; the same object when there is none."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def same(left: JsonValue, right: JsonValue) -> bool:
    """JSON's equality: 1 equals 1.0, and true equals neither (Python's == says it does)."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def digest(value: JsonValue) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def escape(token: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def pointer(*tokens: str | int) -> str:
    return "".join("/" + escape(str(token)) for token in tokens)


def tokens_of(at: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in at.split("/")[1:]]


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """The target with an RFC 7396 merge patch applied: null removes, objects merge, the rest replaces."""
    if not isinstance(patch, dict):
        return patch
    merged: JsonObject = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def patch_object(target: JsonObject, patch: JsonObject) -> JsonObject:
    """`merge_patch` for two objects, whose result is an object."""
    merged = merge_patch(target, patch)
    assert isinstance(merged, dict)
    return merged


def patch_to(before: JsonObject, after: JsonObject) -> JsonObject:
    """The merge patch that makes `after` of `before`."""
    patch: JsonObject = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        earlier = before.get(name)
        if name in before and same(earlier, value):
            continue
        patch[name] = patch_to(earlier, value) if isinstance(earlier, dict) and isinstance(value, dict) else value
    return dict(sorted(patch.items()))


def items_of(value: Mapping[str, JsonValue]) -> list[JsonValue] | None:
    """The list that a map of "0", "1" and so on stands for, as some encoders write one; None for any other map."""
    return list(value.values()) if value and list(value) == [str(index) for index in range(len(value))] else None


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list; none of what is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def nest(at: str, value: JsonValue) -> JsonObject:
    """The merge patch that sets `value` at a pointer of object keys: nest("/a/b", 1) is {"a": {"b": 1}}."""
    patch: JsonValue = value
    for token in reversed(tokens_of(at)):
        patch = {token: patch}
    assert isinstance(patch, dict)
    return patch


def changed_leaves(before: Leaf, after: Leaf, at: str = "") -> Iterator[tuple[str, Leaf, Leaf]]:
    """(pointer, before, after) of each place where two documents differ. A null is a value like any other."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from changed_leaves(before.get(name, ABSENT), after.get(name, ABSENT), f"{at}/{escape(name)}")
    elif isinstance(before, Absent) or isinstance(after, Absent) or not same(before, after):
        yield at, before, after


def _walk(value: JsonValue, at: str, depth: int) -> Iterator[tuple[str, JsonValue, int]]:
    yield at, value, depth
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield at, name, depth
            yield from _walk(inner, f"{at}/{escape(name)}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{at}/{index}", depth + 1)


def require_storable(value: JsonValue, what: str, longest: int = MAX_TEXT) -> None:
    """Refuse what cannot be stored and read back by every party.

    Raises:
        Invalid: nested deeper than 32, a text over `longest` characters, over 64,000 bytes in all, a character
            that cannot be seen, or a number that JSON has no text for or one of over 4,300 digits.
    """
    if _is_plain(value, longest):
        return
    for at, leaf, depth in _walk(value, "", 0):
        if depth > MAX_DEPTH:
            raise Invalid(f"{what} is nested deeper than {MAX_DEPTH} levels.", pointer=at[:200], code="too_deep")
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise Invalid(f"{what} holds a number that is not finite.", pointer=at[:200], code="not_finite")
        if isinstance(leaf, int) and abs(leaf) > _LARGEST_WHOLE:
            raise Invalid(f"{what} holds a number of more than 4,300 digits.", pointer=at[:200], code="too_long")
        if isinstance(leaf, str):
            require_text(leaf, at, what, longest)
    size = len(canonical(value).encode())
    if size > MAX_BYTES:
        raise Invalid(f"{what} takes {size:,} bytes; the limit is {MAX_BYTES:,}.", code="too_large")


def _is_plain(value: JsonValue, longest: int) -> bool:
    """Whether a look at the whole as one text is enough to see that it can be stored, as it nearly always is."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return False
    brackets = text.count("{") + text.count("[")
    short = len(text) <= min(longest, MAX_BYTES // 4)
    plain = not _DOUBTFUL.search(text) and hidden_character(text) is None
    return short and brackets <= MAX_DEPTH and plain


def require_text(text: str, at: str, what: str, longest: int = MAX_TEXT) -> None:
    """
    Raises:
        Invalid: the text has over `longest` characters, or one that cannot be seen and could forge what a person reads.
    """
    if len(text) > longest:
        raise Invalid(
            f"A text in {what} has {len(text):,} characters; the limit is {longest:,}. Shorten it and link the rest.",
            pointer=at[:200],
            code="too_long",
        )
    hidden = hidden_character(text)
    if hidden is not None:
        raise Invalid(
            f"A text in {what} holds a character that cannot be seen, U+{ord(hidden):04X}; leave it out.",
            pointer=at[:200],
            code="bad_text",
        )
