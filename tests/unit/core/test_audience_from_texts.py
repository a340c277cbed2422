"""Texts become values of the attributes' types, and nobody is held out whom the texts let in."""

from __future__ import annotations

import pytest

from crossfade.core.audience import from_texts
from crossfade.core.documents import JsonObject

from .audience_words import ATTRIBUTES


@pytest.mark.parametrize(
    ("texts", "typed"),
    [
        ({"country": ["SE"]}, {"country": ["SE"]}),
        ({"country": {"not": ["SE"]}}, {"country": {"not": ["SE"]}}),
        ({"joined": {"not": ["2026-01-01"]}}, {"joined": {"not": ["2026-01-01"]}}),
        ({"age": ["3", "4.5", "many"]}, {"age": [3, 4.5]}),
        ({"age": ["many"]}, {"age": ["many"]}),  # for the reader to tell
        ({"age": {"gte": 18}}, {"age": {"gte": 18}}),
        ({"age": {"not": 3}}, {"age": {"not": 3}}),
        ({"premium": "true"}, {"premium": [True]}),
        ({"premium": {"not": ["true", "True"]}}, {"premium": {"not": [True]}}),
        ({"version": ["1.1", "v2"]}, {"version": ["1.1", "v2"]}),
        ({"planet": ["Mars"]}, {"planet": ["Mars"]}),
        ({"all": [{"age": ["3"]}, {"premium": ["False"]}]}, {"all": [{"age": [3]}, {"premium": [False]}]}),
    ],
)
def test_a_text_becomes_the_value_that_it_spells(texts: JsonObject, typed: JsonObject) -> None:
    assert from_texts(texts, ATTRIBUTES) == (typed, [])


@pytest.mark.parametrize(
    "texts", [{"age": {"not": ["3"]}}, {"premium": {"not": ["true"]}}, {"version": {"not": "1.1"}}]
)
def test_what_can_be_spelled_otherwise_is_told_and_holds_nobody_out(texts: JsonObject) -> None:
    (name,) = texts
    audience, unread = from_texts({"any": [texts, {name: {"exists": False}}]}, ATTRIBUTES)
    assert audience == {"any": [{name: {"exists": True}}, {name: {"exists": False}}]}
    assert len(unread) == 1
