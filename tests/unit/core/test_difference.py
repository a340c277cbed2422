"""What a person reads of a change: everything that differs, and enough to tell the new value from the old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.planning.difference import difference

ROWS: JsonValue = ["recently-played", "made-for-you", "jump-back-in", "new-releases", "podcasts", "charts"]


def test_an_item_that_is_lost_is_named() -> None:
    led: JsonValue = ["made-for-you", "recently-played", "jump-back-in", "new-releases", "podcasts"]
    assert difference("rows", ROWS, led) == ["rows removes charts, moves made-for-you from 2 to 1"]


def test_an_item_that_is_new_is_named_with_its_place() -> None:
    assert isinstance(ROWS, list)
    assert difference("rows", ROWS, [*ROWS[:2], "concerts", *ROWS[2:]]) == ["rows adds concerts at 3"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (10, 12, "it 10 -> 12"),
        (False, True, "it false -> true"),
        (["a", "b"], ["b"], 'it ["a","b"] -> ["b"]'),
        ({"count": 6}, {"count": 8}, 'it {"count":6} -> {"count":8}'),
        (None, "new", 'it null -> "new"'),
        ([1, 1, *range(40)], [1], f"it [1,1,{','.join(map(str, range(40)))}] -> [1]"),
        ("a" * 50, "b" * 5_000, f'it "{"a" * 50}" -> "{"b" * 5_000}"'),
    ],
)
def test_what_is_short_or_of_another_kind_is_told_whole(before: JsonValue, after: JsonValue, told: str) -> None:
    assert difference("it", before, after) == [told]


def test_of_an_object_only_the_fields_that_differ_are_told() -> None:
    before: JsonValue = {"title": "Everything that is fresh this week", "style": {"size": 3, "colour": "red"}}
    after: JsonValue = {"title": "Everything that is fresh this week", "style": {"size": 4, "colour": "red"}, "new": 1}
    assert difference("card", before, after) == ["card.new absent -> 1", "card.style.size 3 -> 4"]


def test_nothing_is_told_of_equal_values() -> None:
    assert difference("it", {"a": [1]}, {"a": [1.0]}) == []


NAMES = st.lists(st.sampled_from([f"a-rather-long-name-{number}" for number in range(9)]), unique=True)


@given(NAMES, NAMES)
def test_the_new_list_can_be_told_from_the_old_one(before: list[str], after: list[str]) -> None:
    [text] = difference("it", list(before), list(after)) or [""]
    if " -> " in text:
        return
    removed, placed = set[str](), dict[int, str]()
    for part in text.removeprefix("it ").split(", ") if text else []:
        verb, _, items = part.partition(" ")
        for item in items.split(" and "):
            words = item.split()
            if verb == "removes":
                removed.add(words[0])
            else:
                placed[int(words[-1])] = words[0]
    rest = iter([item for item in before if item not in removed and item not in placed.values()])
    count = len(before) - len(removed) + sum(item not in before for item in placed.values())
    assert [placed.get(place) or next(rest) for place in range(1, count + 1)] == after
