"""A brief: what callers write for the same thing, and what is refused instead of dropped."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from crossfade.core.errors import Invalid
from crossfade.core.model.brief import Brief
from crossfade.core.planning.generate import generated_key

GIVEN: dict[str, JsonValue] = {
    "surface": "home",
    "change": "Made for you comes first",
    "because": "it is what people look for",
    "variants": {"new": {"order": ["a", "b"]}},
    "success_metrics": {"plays": 0.01},
}


def brief(**parts: JsonValue) -> Brief:
    return Brief.read({**GIVEN, **parts})


@pytest.mark.parametrize(
    "variants",
    [
        {"new": {"order": ["a", "b"]}},
        {"new": {"parameters": {"order": ["a", "b"]}}},
        [{"key": "new", "parameters": {"order": ["a", "b"]}}],
        [{"key": "new", "order": ["a", "b"]}],
    ],
)
def test_every_way_to_write_variants_means_the_same(variants: JsonValue) -> None:
    assert brief(variants=variants).variants == {"new": {"order": ["a", "b"]}}


def test_what_stands_beside_the_parameters_of_a_listed_variant_is_kept_for_the_checks_to_refuse() -> None:
    listed = brief(variants=[{"key": "new", "weight": 0.7, "parameters": {"order": ["a"]}}])
    assert listed.variants == {"new": {"weight": 0.7, "parameters": {"order": ["a"]}}}


@pytest.mark.parametrize(
    "variants",
    [
        [{"key": "new", "order": 1}, {"key": "new", "order": 2}],
        [{"key": ["new"], "order": 1}],
        [{"order": 1}],
        ["new"],
        "new",
    ],
)
def test_variants_that_would_lose_something_as_a_map_are_refused(variants: JsonValue) -> None:
    with pytest.raises(Invalid) as caught:
        brief(variants=variants)
    assert caught.value.pointer == "/variants"


@pytest.mark.parametrize("metrics", ["plays", ["plays"], {"plays": None}])
def test_metrics_by_name_alone_ask_for_their_usual_effect(metrics: JsonValue) -> None:
    assert brief(success_metrics=metrics).success_metrics == {"plays": None}


def test_a_misspelt_argument_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as caught:
        brief(alocation=0.2)
    assert caught.value.pointer == "/alocation"


def test_the_same_brief_always_gets_the_same_key() -> None:
    assert generated_key(brief()) == generated_key(brief()) == "home-made-for-you-comes-first"


def test_changes_told_without_latin_letters_get_keys_that_differ() -> None:
    one, other = (generated_key(brief(change=change)) for change in ("おすすめを先頭に", "検索を先頭に"))
    assert one != other
    assert not one.endswith("-")
