"""JSON documents: one text per value, merge patches, and what is refused before anything is done with it."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.documents import (
    ABSENT,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_TEXT,
    JsonObject,
    canonical,
    changed_leaves,
    digest,
    merge_patch,
    nest,
    patch_object,
    pointer,
    require_storable,
    tokens_of,
)
from crossfade.core.errors import Invalid

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]), max_size=20)
DOCUMENTS: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS: st.SearchStrategy[JsonObject] = st.dictionaries(TEXTS, DOCUMENTS, max_size=4)


def shuffled(value: JsonValue) -> JsonValue:
    """The same value with the members of its objects the other way round."""
    if isinstance(value, dict):
        return {name: shuffled(inner) for name, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


def without_nulls(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def nested(depth: int, kind: str = "list") -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"in": value}
    return value


APPENDIX: list[tuple[JsonValue, JsonValue, JsonValue]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), APPENDIX)
def test_a_merge_patch_does_what_appendix_a_of_rfc_7396_says(
    target: JsonValue, patch: JsonValue, result: JsonValue
) -> None:
    assert merge_patch(target, patch) == result


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_leaves_its_target_as_it_was_and_applied_twice_is_applied_once(
    target: JsonObject, patch: JsonObject
) -> None:
    before = canonical(target)
    once = patch_object(target, patch)
    assert canonical(target) == before
    assert patch_object(once, patch) == once


@given(OBJECTS)
def test_a_merge_patch_on_nothing_is_the_patch_without_its_nulls(patch: JsonObject) -> None:
    assert merge_patch(None, patch) == without_nulls(patch)


@given(DOCUMENTS)
def test_one_value_has_one_text_in_whatever_order_its_members_come(value: JsonValue) -> None:
    assert canonical(shuffled(value)) == canonical(value)
    assert digest(shuffled(value)) == digest(value)


@given(DOCUMENTS)
def test_the_text_reads_back_as_the_value_with_the_same_text(value: JsonValue) -> None:
    read: JsonValue = json.loads(canonical(value))
    assert read == value
    assert canonical(read) == canonical(value)


def test_the_text_has_sorted_members_no_spaces_and_letters_as_they_are() -> None:
    assert (
        canonical({"b": [1, 2.5, None, True], "a": {"z": "ü", "y": ""}})
        == '{"a":{"y":"","z":"ü"},"b":[1,2.5,null,true]}'
    )


def test_a_digest_is_the_sha_256_of_the_text() -> None:
    assert digest({"a": "ü"}) == hashlib.sha256('{"a":"ü"}'.encode()).hexdigest()


@pytest.mark.parametrize(("one", "other"), [(True, 1), (None, 0), ("1", 1), ([], {})])
def test_values_of_different_types_have_different_texts(one: JsonValue, other: JsonValue) -> None:
    assert canonical(one) != canonical(other)


@given(st.lists(TEXTS, max_size=5))
def test_a_pointer_reads_back_as_its_tokens(tokens: list[str]) -> None:
    assert tokens_of(pointer(*tokens)) == tokens


def test_a_pointer_escapes_slashes_and_tildes() -> None:
    assert pointer("a/b", "m~n", "~1", 0) == "/a~1b/m~0n/~01/0"


def test_nesting_puts_a_value_at_a_pointer_and_nowhere_else() -> None:
    assert nest("/a/b~1c", 1) == {"a": {"b/c": 1}}
    assert patch_object({"a": {"x": 2}}, nest("/a/b", 1)) == {"a": {"x": 2, "b": 1}}


def test_only_the_leaves_that_differ_are_told() -> None:
    before: JsonObject = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "d/e": 0}
    after: JsonObject = {"a": {"x": 1, "y": [1, 3]}, "c": {"z": 1}, "d/e": 1}
    assert list(changed_leaves(before, after)) == [
        ("/a/y", [1, 2], [1, 3]),
        ("/b", 1, ABSENT),
        ("/c", ABSENT, {"z": 1}),
        ("/d~1e", 0, 1),
    ]


def test_a_null_is_told_from_nothing() -> None:
    assert list(changed_leaves({"a": None}, {})) == [("/a", None, ABSENT)]
    assert list(changed_leaves({}, {"a": None})) == [("/a", ABSENT, None)]


@given(DOCUMENTS)
def test_nothing_differs_between_equals(value: JsonValue) -> None:
    assert list(changed_leaves(value, value)) == []


def refusal(value: JsonValue) -> Invalid:
    with pytest.raises(Invalid) as caught:
        require_storable(value, "the brief")
    return caught.value


@given(DOCUMENTS)
def test_small_plain_documents_can_be_stored(value: JsonValue) -> None:
    require_storable(value, "the brief")


def test_a_text_of_a_megabyte_is_refused_and_not_repeated() -> None:
    fault = refusal({"hypothesis": {"change": "x" * 1_000_000}})
    assert (fault.code, fault.pointer) == ("too_long", "/hypothesis/change")
    assert "1,000,000 characters" in fault.message
    assert len(json.dumps(fault.as_dict())) < 1_000


def test_a_name_of_a_megabyte_is_refused_and_not_repeated() -> None:
    fault = refusal({"audience": {"x" * 1_000_000: 1}})
    assert (fault.code, fault.pointer) == ("too_long", "/audience")
    assert len(json.dumps(fault.as_dict())) < 1_000


def test_the_longest_text_is_still_stored() -> None:
    require_storable({"change": "x" * MAX_TEXT}, "the brief")
    assert refusal({"change": "x" * (MAX_TEXT + 1)}).code == "too_long"


def test_many_texts_that_are_small_alone_are_refused_together() -> None:
    tags: list[JsonValue] = ["ü" * 1_000] * (MAX_BYTES // 2_000 + 1)
    assert refusal({"tags": tags}).code == "too_large"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "a\x00b"])
@pytest.mark.parametrize("place", ["value", "name", "item"])
def test_lone_surrogates_and_nul_are_refused_wherever_they_stand(text: str, place: str) -> None:
    documents: dict[str, JsonValue] = {"value": {"a": text}, "name": {"a": {text: 1}}, "item": {"a": [text]}}
    fault = refusal(documents[place])
    assert fault.code == "bad_text"
    assert fault.pointer == ("/a/0" if place == "item" else "/a")
    json.dumps(fault.as_dict(), ensure_ascii=False).encode()


def test_a_whole_surrogate_pair_is_a_character_like_any_other() -> None:
    require_storable("\U0001f3b5", "the brief")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    fault = refusal({"metrics": {"plays": {"mde": number}}})
    assert (fault.code, fault.pointer) == ("not_finite", "/metrics/plays/mde")


@pytest.mark.parametrize("number", [10**4_300, -(10**5_000)], ids=["positive", "negative"])
def test_whole_numbers_that_have_no_text_are_refused(number: int) -> None:
    require_storable({"metrics": {"plays": 10**4_300 - 1}}, "the brief")
    fault = refusal({"metrics": {"plays": number}})
    assert (fault.code, fault.pointer) == ("too_long", "/metrics/plays")


@pytest.mark.parametrize("text", ["\n\u200da", "a\u200d\n", "\\\u200da", '"\u200c'])
def test_joiners_beside_what_json_escapes_are_refused(text: str) -> None:
    assert refusal({"change": text}).code == "bad_text"


@pytest.mark.parametrize("kind", ["list", "object"])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_thousand_levels_are_refused_before_anything_walks_down_them(depth: int, kind: str) -> None:
    fault = refusal(nested(depth, kind))
    assert fault.code == "too_deep"
    assert len(fault.pointer) <= 200


def test_the_deepest_document_is_still_stored_and_has_a_text() -> None:
    deepest = nested(MAX_DEPTH)
    require_storable(deepest, "the brief")
    assert canonical(deepest) == "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH
    assert refusal(nested(MAX_DEPTH + 1)).code == "too_deep"
