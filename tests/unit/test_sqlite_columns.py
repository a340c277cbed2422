"""What is written as text comes back as it was, and lists can be made of any document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy.dialects import sqlite

from crossfade.adapters.store.columns import JsonText, Moment
from crossfade.adapters.store.listing import listing, searched

DIALECT = sqlite.dialect()
FIELDS = ["name", "surface", "tags", "hypothesis", "variants", "audience", "change", "parameters", "other"]

texts = st.sampled_from(FIELDS) | st.text(max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=6,
)


@given(documents)
def test_any_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    column = JsonText()
    text = column.process_bind_param(document, DIALECT)
    assert column.process_result_value(text, DIALECT) == document


def test_integers_beyond_64_bits_stay_integers() -> None:
    column = JsonText()
    found = column.process_result_value(column.process_bind_param([2**70, -(2**64)], DIALECT), DIALECT)
    assert found == [2**70, -(2**64)]
    assert [type(each) for each in [*TypeAdapter(list[Any]).validate_python(found)]] == [int, int]


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        JsonText().process_bind_param({"a": object()}, DIALECT)


@given(st.datetimes(), st.datetimes())
def test_texts_of_moments_sort_as_the_moments_do(one: datetime, other: datetime) -> None:
    column = Moment()
    moments = [one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)]
    first, second = (str(column.process_bind_param(each, DIALECT)) for each in moments)
    assert (first < second) == (moments[0] < moments[1])
    assert column.process_result_value(first, DIALECT) == moments[0]


@given(documents)
def test_every_document_can_be_listed(document: dict[str, Any]) -> None:
    columns = listing("some-key", document)
    texts = [value for field, value in columns.items() if field not in ("touched", "audience")]
    assert all(isinstance(text, str) for text in texts)
    assert isinstance(columns["audience"], dict | str)
    assert TypeAdapter(list[str]).validate_python(columns["touched"]) == columns["touched"]
    found = searched("some-key", document)
    assert all(isinstance(text, str) for text in found.values())
    assert found["names"].startswith("some-key")


@pytest.mark.parametrize(
    ("variants", "touched"),
    [
        (5, []),
        ({"a": 5, "b": None}, []),
        ({"a": {"parameters": ["x"]}}, []),
        ({"a": {"parameters": {"y": 1, "x": 1}}, "b": {"parameters": {"x": 2}}}, ["x", "y"]),
    ],
)
def test_touched_parameters_are_those_that_can_be_seen(variants: Any, touched: list[str]) -> None:
    assert listing("some-key", {"variants": variants})["touched"] == touched
