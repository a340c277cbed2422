"""A value told by its difference from another: what a treatment changes can be seen, and none of it is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from ..documents import Absent, Leaf, canonical, changed_leaves

SHORT = 60
"""Most characters of two values together that are told whole, whatever they are."""


def difference(name: str, before: JsonValue, after: JsonValue) -> list[str]:
    """What becomes of a value, in a text for each place that differs; empty when none does.

    Whoever knows `before` can tell `after` from it. Objects are told by field, and lists of distinct texts by what is
    removed, added and moved, with places counted from 1; short values, and all others, are told whole.
    """
    if isinstance(before, dict) and isinstance(after, dict) and not _short(before, after):
        leaves = changed_leaves(before, after)
        return [text for at, old, new in leaves for text in _told(name + at.replace("/", "."), old, new)]
    return list(_told(name, before, after))


def _told(name: str, before: Leaf, after: Leaf) -> Iterator[str]:
    old, new = _said(before), _said(after)
    if old == new:
        return
    names, others = _names(before), _names(after)
    if names is not None and others is not None and len(old) + len(new) > SHORT:
        yield f"{name} {_list_difference(names, others)}"
    else:
        yield f"{name} {old} -> {new}"


def _said(value: Leaf) -> str:
    return "absent" if isinstance(value, Absent) else canonical(value)


def _short(before: JsonValue, after: JsonValue) -> bool:
    return len(canonical(before)) + len(canonical(after)) <= SHORT


def _names(value: Leaf) -> list[str] | None:
    """The items of a list of distinct texts, None of any other value."""
    items = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    return items if isinstance(value, list) and len(set(items)) == len(value) else None


def _list_difference(before: Sequence[str], after: Sequence[str]) -> str:
    common = [item for item in after if item in before]
    kept = _longest_rise([before.index(item) for item in common])
    removed = [item for item in before if item not in after]
    added = [f"{item} at {after.index(item) + 1}" for item in after if item not in before]
    moved = [
        f"{item} from {before.index(item) + 1} to {after.index(item) + 1}"
        for item in common
        if before.index(item) not in kept
    ]
    parts = {"removes": removed, "adds": added, "moves": moved}
    return ", ".join(f"{verb} {' and '.join(items)}" for verb, items in parts.items() if items)


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The numbers of a longest rising subsequence: what keeps its order, so that the fewest items are called moved.

    Of two that changed places, the one that came forward is the one that moved.
    """
    rises: list[list[int]] = [[]]
    for number in numbers:
        before = max((rise for rise in rises if not rise or rise[-1] < number), key=_rank)
        rises.append([*before, number])
    return set(max(rises, key=_rank))


def _rank(rise: Sequence[int]) -> tuple[int, list[int]]:
    return len(rise), [-number for number in rise]
