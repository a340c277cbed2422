"""Audiences: how they are read, what is wrong with them, whom they reach, and whether two of them meet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from growthbook.core import paddedVersionString
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.audience import (
    Problem,
    asked_for,
    described,
    fits_type,
    kept_out_by,
    overlap,
    parse,
    share,
    sort_key,
    unmeetable,
)
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.catalogue import Attribute
from crossfade.core.model.delivery import Audience, Scalar

ATTRIBUTES = {
    "country": Attribute(type="string", description="Where.", shares={"SE": 0.5, "NO": 0.3, "US": 0.2}),
    "city": Attribute(type="string", description="Town.", shares={"Oslo": 0.3, "Bergen": 0.1}, open=True),
    "premium": Attribute(type="boolean", description="Pays.", shares={"true": 0.4, "false": 0.6}),
    "age": Attribute(
        type="integer", description="Years.", present=0.8, quantiles={0: 0, 1: 0.1, 18: 0.2, 30: 0.5, 100: 1}
    ),
    "minutes": Attribute(type="number", description="Listened to.", quantiles={0: 0, 10: 0.4, 20: 1}),
    "version": Attribute(
        type="semver", description="Of the app.", shares={"8.9.0": 0.2, "9.0.0": 0.5, "9.1.0-rc.1": 0.1}, open=True
    ),
    "os": Attribute(type="semver", description="Of the system.", present=0.7),
    "name": Attribute(type="string", description="Of the account."),
}


def audience_of(raw: JsonObject | str) -> Audience:
    audience, problems = parse(raw, ATTRIBUTES)
    assert problems == []
    return audience


def problems_of(raw: JsonObject) -> list[Problem]:
    return parse(raw, ATTRIBUTES)[1]


def only_problem(raw: JsonObject) -> Problem:
    (problem,) = problems_of(raw)
    return problem


# Reading


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("SE", ["SE"], ["NO", "se"]),
        (["SE", "NO"], ["SE", "NO"], ["US"]),
        ({"in": ["SE", "NO"]}, ["SE", "NO"], ["US"]),
        ({"in": "SE"}, ["SE"], ["NO"]),
        ({"not": ["SE", "NO"]}, ["US"], ["SE", "NO"]),
        ({"not": "SE"}, ["NO", "US"], ["SE"]),
        ({"in": ["SE", "NO"], "not": "NO"}, ["SE"], ["NO", "US"]),
    ],
)
def test_each_form_of_values_lets_in_what_it_says(wanted: JsonValue, inside: list[str], outside: list[str]) -> None:
    conditions = audience_of({"country": wanted})
    assert [kept_out_by(conditions, {"country": value}) for value in inside] == [None] * len(inside)
    assert [kept_out_by(conditions, {"country": value}) for value in outside] == ["country"] * len(outside)


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (18, [18, 18.0], [17, 19]),
        ([18, 21], [18, 21], [19]),
        ({"gte": 18}, [18, 19], [17]),
        ({"gt": 18}, [19], [18, 17]),
        ({"lte": 18}, [18, 17], [19]),
        ({"lt": 18}, [17, -1], [18]),
        ({"gte": 18, "lt": 30}, [18, 29], [17, 30]),
        ({"gte": 18, "lt": 30, "not": 20}, [19, 21], [20, 30]),
        pytest.param({"gte": 10**400}, [10**400], [18], id="huge"),
    ],
)
def test_each_form_of_bounds_lets_in_what_it_says(wanted: JsonValue, inside: list[float], outside: list[float]) -> None:
    conditions = audience_of({"age": wanted})
    assert [kept_out_by(conditions, {"age": value}) for value in inside] == [None] * len(inside)
    assert [kept_out_by(conditions, {"age": value}) for value in outside] == ["age"] * len(outside)


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ({"gte": "9.0.0"}, ["9.0.0", "9", "10.0", "v9.0.1", "9.0.0+build.7"], ["8.99.0", "9.0.0-rc.1", "9.0.0.1", "8"]),
        ({"gte": "8.9", "lt": "9"}, ["8.9.0", "8.10.2", "9.0.0-rc.1"], ["8.8.9", "9.0.0", "9.0.1"]),
        ("8.9", ["8.9.0", "8.9", "v8.9.0"], ["8.9.1", "8.9.0-rc"]),
        ({"not": ["8.9"]}, ["8.9.1"], ["8.9.0", "8.9"]),
    ],
)
def test_versions_are_compared_as_versions_and_not_as_texts(
    wanted: JsonValue, inside: list[str], outside: list[str]
) -> None:
    conditions = audience_of({"version": wanted})
    assert [kept_out_by(conditions, {"version": value}) for value in inside] == [None] * len(inside)
    assert [kept_out_by(conditions, {"version": value}) for value in outside] == ["version"] * len(outside)


def test_a_boolean_is_neither_a_number_nor_a_text() -> None:
    conditions = audience_of({"premium": True})
    assert kept_out_by(conditions, {"premium": True}) is None
    assert [kept_out_by(conditions, {"premium": value}) for value in (False, 1, "true")] == ["premium"] * 3


def test_all_conditions_must_hold_and_the_first_that_does_not_is_told() -> None:
    conditions = audience_of({"premium": True, "country": "SE"})
    assert kept_out_by(conditions, {"premium": True, "country": "SE"}) is None
    assert kept_out_by(conditions, {"premium": False, "country": "SE"}) == "premium"
    assert kept_out_by(conditions, {"premium": False, "country": "NO"}) == "country"


def test_an_empty_audience_is_everybody() -> None:
    assert kept_out_by(audience_of({}), {}) is None
    assert share([[]], ATTRIBUTES) == (1.0, [])


CONDITIONS: list[JsonObject] = [
    {"country": "SE"},
    {"country": {"not": ["SE"]}},
    {"city": {"not": []}},
    {"premium": False},
    {"premium": {"not": True}},
    {"age": {"lt": 18}},
    {"age": {"not": 18}},
    {"minutes": {"lte": 5}},
    {"version": {"lt": "9"}},
    {"version": {"not": ["9"]}},
]


@pytest.mark.parametrize("raw", CONDITIONS)
def test_a_missing_attribute_never_matches(raw: JsonObject) -> None:
    (name,) = raw
    assert kept_out_by(audience_of(raw), {}) == name
    assert kept_out_by(audience_of(raw), {name: None}) == name


@pytest.mark.parametrize("raw", CONDITIONS)
@pytest.mark.parametrize("value", [[], {}, ["SE"], [1], float("nan")])
def test_a_value_that_no_attribute_can_have_never_matches(raw: JsonObject, value: JsonValue) -> None:
    (name,) = raw
    assert kept_out_by(audience_of(raw), {name: value}) == name


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1, "integer", True),
        (1.0, "integer", True),
        (1.5, "integer", False),
        (True, "integer", False),
        ("1", "integer", False),
        pytest.param(10**400, "integer", True, id="huge integer"),
        (1.5, "number", True),
        pytest.param(10**400, "number", True, id="huge number"),
        (float("inf"), "number", False),
        (float("nan"), "number", False),
        (False, "number", False),
        ("x", "string", True),
        ("", "string", False),
        (1, "string", False),
        (False, "boolean", True),
        (0, "boolean", False),
        ("8", "semver", True),
        ("8.9.0-rc.1+build", "semver", True),
        ("8.9.0\n", "semver", False),
        ("8.9.0.1", "semver", False),
        ("8.9.0-", "semver", False),
        (8, "semver", False),
        (None, "string", False),
        ([], "number", False),
        ({}, "semver", False),
    ],
)
def test_a_value_fits_the_types_that_it_can_be_of(value: JsonValue, kind: str, fits: bool) -> None:
    assert fits_type(value, kind) is fits


# Versions


def test_versions_follow_the_order_that_semantic_versioning_gives_as_its_example() -> None:
    """https://semver.org, 11.4.4"""
    labels = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    versions = [*(f"1.0.0-{label}" for label in labels), "1.0.0", "1.0.1-0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"]
    for lower, higher in itertools.combinations(versions, 2):
        assert sort_key(lower, "semver") < sort_key(higher, "semver")


NUMBERS = st.integers(0, 99_999)
LABELS = st.lists(NUMBERS.map(str) | st.from_regex("[a-z][a-z0-9]{0,3}", fullmatch=True), max_size=3)


@st.composite
def versions(draw: st.DrawFn) -> str:
    numbers = draw(st.lists(NUMBERS | st.integers(0, 1), min_size=3, max_size=3))
    label = draw(LABELS)
    return ".".join(map(str, numbers)) + ("-" + ".".join(label) if label else "")


@given(versions(), versions())
def test_versions_are_ordered_as_the_sdks_order_them(one: str, other: str) -> None:
    ours, theirs = sort_key(one, "semver"), sort_key(other, "semver")
    assert (ours < theirs) == (paddedVersionString(one) < paddedVersionString(other))
    assert (ours == theirs) == (paddedVersionString(one) == paddedVersionString(other))


# Faults


def cured(raw: JsonObject, problem: Problem) -> JsonObject:
    assert problem.patch is not None
    audience = patch_object({"audience": raw}, problem.patch)["audience"]
    assert isinstance(audience, dict)
    return audience


def test_an_unknown_attribute_is_told_with_the_nearest_and_renamed_by_its_patch() -> None:
    raw: JsonObject = {"contry": ["SE", "NO"], "age": {"gte": 18}}
    problem = only_problem(raw)
    assert (problem.kind, problem.at, problem.got) == ("attribute", "/audience/contry", "contry")
    assert problem.nearest[0] == "country"
    assert problem.allowed == sorted(ATTRIBUTES)
    assert cured(raw, problem) == {"country": ["SE", "NO"], "age": {"gte": 18}}


def test_an_attribute_that_looks_like_none_has_no_patch() -> None:
    problem = only_problem({"zzz/~": 1})
    assert (problem.at, problem.nearest, problem.patch) == ("/audience/zzz~1~0", [], None)


@pytest.mark.parametrize(
    ("wanted", "at", "mended"),
    [
        ("se", "/audience/country", "SE"),
        (["NO", "se"], "/audience/country/1", ["NO", "SE"]),
        ({"in": ["us", "SE"]}, "/audience/country/in/0", {"in": ["US", "SE"]}),
        ({"in": "us"}, "/audience/country/in", {"in": "US"}),
        ({"not": ["SE", "no"], "in": ["US"]}, "/audience/country/not/1", {"not": ["SE", "NO"], "in": ["US"]}),
    ],
)
def test_a_misspelt_value_is_told_with_the_nearest_and_mended_by_its_patch(
    wanted: JsonValue, at: str, mended: JsonValue
) -> None:
    problem = only_problem({"country": wanted})
    assert (problem.kind, problem.at, problem.allowed) == ("value", at, ["SE", "NO", "US"])
    assert len(problem.nearest) == 1
    assert cured({"country": wanted}, problem) == {"country": mended}
    assert problems_of({"country": mended}) == []


def test_several_misspelt_values_share_one_patch_that_mends_all_of_them() -> None:
    raw: JsonObject = {"country": ["se", "US", "no"]}
    first, second = problems_of(raw)
    assert (first.at, second.at) == ("/audience/country/0", "/audience/country/2")
    assert first.patch == second.patch
    assert cured(raw, first) == {"country": ["SE", "US", "NO"]}


def test_a_value_that_looks_like_none_is_left_to_the_author() -> None:
    raw: JsonObject = {"country": ["se", "Atlantis"]}
    first, second = problems_of(raw)
    assert (second.got, second.nearest, second.patch) == ("Atlantis", [], None)
    assert cured(raw, first) == {"country": ["SE", "Atlantis"]}


def test_an_open_attribute_may_have_values_that_the_catalogue_does_not_list() -> None:
    assert problems_of({"city": "Atlantis"}) == []
    assert problems_of({"name": "anything"}) == []


@pytest.mark.parametrize(
    ("raw", "at", "holds"),
    [
        ({"age": "30"}, "/audience/age", "a whole number"),
        ({"age": 30.5}, "/audience/age", "a whole number"),
        ({"age": [30, None]}, "/audience/age/1", "a whole number"),
        ({"age": {"gte": "18"}}, "/audience/age/gte", "a whole number"),
        ({"age": {"not": [True]}}, "/audience/age/not/0", "a whole number"),
        ({"minutes": {"lt": [5]}}, "/audience/minutes/lt", "a number"),
        ({"premium": "true"}, "/audience/premium", "true or false"),
        ({"country": 46}, "/audience/country", "text"),
        ({"country": None}, "/audience/country", "text"),
        ({"version": "nine"}, "/audience/version", 'a version such as "8.9.0"'),
        ({"version": {"gte": 9}}, "/audience/version/gte", 'a version such as "8.9.0"'),
    ],
)
def test_a_value_of_another_type_is_told_what_the_attribute_holds(raw: JsonObject, at: str, holds: str) -> None:
    problem = only_problem(raw)
    assert (problem.kind, problem.at, problem.message) == ("value", at, f"The attribute holds {holds}.")


@pytest.mark.parametrize("raw", [{"premium": {"gte": True}}, {"country": {"lt": "SE"}}])
def test_bounds_on_what_has_no_order_are_told(raw: JsonObject) -> None:
    problem = only_problem(raw)
    assert problem.kind == "form"
    assert "no order" in problem.message


def test_an_unknown_comparison_is_told_with_the_nearest() -> None:
    problem = only_problem({"age": {"$gte": 18}})
    assert (problem.kind, problem.at, problem.got) == ("form", "/audience/age/$gte", "$gte")
    assert problem.nearest[0] == "gte"
    assert problem.allowed == ["in", "not", "gte", "gt", "lte", "lt", "exists"]
    assert problem.patch == {"audience": {"age": {"$gte": None, "gte": 18}}}


@pytest.mark.parametrize("wanted", [[], {}])
def test_a_condition_that_says_nothing_is_told(wanted: JsonValue) -> None:
    problem = only_problem({"country": wanted})
    assert (problem.kind, problem.at, problem.got) == ("form", "/audience/country", wanted)


def test_what_is_sound_is_read_beside_what_is_not() -> None:
    audience, problems = parse({"age": {"gte": 18, "ltt": 30}, "country": "SE", "zzz": 1}, ATTRIBUTES)
    assert described(audience) == "country = SE"
    assert [problem.kind for problem in problems] == ["form", "attribute"]


@pytest.mark.parametrize(
    "raw",
    [
        {"not": {"gone": "x"}},
        {"any": [{"not": {"gone": 1}}, {"not": {"country": "Atlantis"}}]},
        {"not": {"any": [{"age": {"ltt": 3}}, {"gone": 1}]}},
        {"not": {"not": {"gone": "x"}}},
        "not gone = x",
    ],
)
def test_what_cannot_be_read_is_taken_to_let_everybody_in_negated_or_not(raw: JsonObject | str) -> None:
    audience, problems = parse(raw, ATTRIBUTES)
    assert problems
    assert described(audience) == "everybody"
    assert overlap(audience, audience_of("country = SE"), ATTRIBUTES)


@pytest.mark.parametrize(
    "raw",
    [
        {"age": {">=": 21, "min": 18}},
        {"Country": "SE", "contry": "NO"},
        "Country = SE and contry = NO",
    ],
)
def test_two_names_that_would_become_one_have_no_fix(raw: JsonObject | str) -> None:
    assert [problem.patch for problem in parse(raw, ATTRIBUTES)[1]] == [None, None]


# Satisfiable or not


@pytest.mark.parametrize(
    "raw",
    [
        {"age": {"gte": 30, "lt": 30}},
        {"age": {"gt": 30, "lt": 31}},
        {"age": {"gte": 30, "lte": 29}},
        {"age": {"gt": 30, "lt": 32, "not": 31}},
        {"age": {"gte": 30, "lte": 32, "not": [30, 31, 32]}},
        {"age": {"in": [30, 31], "gt": 31}},
        {"age": {"in": [30], "not": [30]}},
        {"age": {"gt": 10**17, "lt": 10**17 + 1}},
        {"minutes": {"gte": 5, "lte": 5, "not": 5}},
        {"minutes": {"gt": 5, "lte": 5}},
        {"version": {"gte": "9.0.0", "lt": "9"}},
        {"version": {"gte": "9", "lte": "9.0.0", "not": "v9.0"}},
        {"premium": {"not": [True, False]}},
        {"country": {"not": ["SE", "NO", "US"]}},
        {"country": {"in": ["SE"], "not": ["SE"]}},
        {"country": {"in": []}},
    ],
)
def test_an_audience_that_nobody_can_be_in_is_found(raw: JsonObject) -> None:
    assert unmeetable(audience_of(raw))


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"age": {"gte": 30, "lte": 30}},
        {"age": {"gt": 29, "lt": 31}},
        {"age": {"gte": 30, "lte": 33, "not": [30, 31, 33]}},
        {"age": {"gte": 0, "lt": 10**400, "not": [0]}},
        {"age": {"not": 30}},
        {"age": {"lt": 30, "not": [29, 28]}},
        {"minutes": {"gt": 5, "lt": 6}},
        {"minutes": {"gte": 5, "lte": 5}},
        {"version": {"gt": "9.0.0", "lt": "9.0.1"}},
        {"version": {"gte": "9", "lte": "9.0.0"}},
        {"premium": {"not": True}},
        {"country": {"not": ["SE", "NO"]}},
        {"city": {"not": ["Oslo", "Bergen"]}},
        {"name": {"not": ["admin"]}},
    ],
)
def test_an_audience_that_somebody_can_be_in_is_possible(raw: JsonObject) -> None:
    assert not unmeetable(audience_of(raw))


# A world so small that every unit in it can be asked. Between any two values that a condition can name lies one that
# none can, so that what is possible at all is possible in it.

VALUES: dict[str, list[JsonValue]] = {
    "country": ["SE", "NO", "US"],
    "city": ["Oslo", "Bergen", "Tromsø"],
    "premium": [True, False],
    "age": [0, 1, 2, 3, 4],
    "minutes": [0, 0.5, 1, 1.5],
    "version": ["1.0.0", "1.1", "2.0.0"],
}
WORLD: dict[str, list[JsonValue]] = {
    "country": ["SE", "NO", "US"],
    "city": ["Oslo", "Bergen", "Tromsø", "elsewhere"],
    "premium": [True, False],
    "age": list(range(-6, 11)),
    "minutes": [quarter / 4 for quarter in range(-1, 8)],
    "version": ["0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.1.1", "2.0.0", "2.0.1"],
}
HAS_ORDER = ["age", "minutes", "version"]


@st.composite
def wishes(draw: st.DrawFn, name: str) -> JsonValue:
    value = st.sampled_from(VALUES[name])
    plain = draw(st.none() | value | st.lists(value, min_size=1, max_size=3))
    if plain is not None:
        return plain
    operators: dict[str, st.SearchStrategy[JsonValue]] = {"in": st.lists(value, max_size=4), "not": st.lists(value)}
    if name in HAS_ORDER:
        operators |= dict.fromkeys(("gte", "gt", "lte", "lt"), value)
    chosen = draw(st.lists(st.sampled_from(sorted(operators)), min_size=1, unique=True))
    return {operator: draw(operators[operator]) for operator in chosen}


@st.composite
def audiences(draw: st.DrawFn) -> Audience:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True))
    return audience_of({name: draw(wishes(name)) for name in names})


def somebody_is_in(*audiences: Audience) -> bool:
    """Whether a unit of the small world is in all of them, by asking each."""
    names = sorted({name for audience in audiences for name in asked_for(audience)})
    units = (dict(zip(names, values, strict=True)) for values in itertools.product(*(WORLD[name] for name in names)))
    return any(all(kept_out_by(audience, unit) is None for audience in audiences) for unit in units)


@given(audiences(), audiences())
def test_two_audiences_overlap_when_a_unit_is_in_both_and_whichever_is_asked_first(
    one: Audience, other: Audience
) -> None:
    assert overlap(one, other, ATTRIBUTES) == somebody_is_in(one, other)
    assert overlap(other, one, ATTRIBUTES) == overlap(one, other, ATTRIBUTES)


@given(audiences())
def test_an_audience_is_impossible_when_no_unit_is_in_it_and_overlaps_itself_otherwise(
    audience: Audience,
) -> None:
    assert unmeetable(audience) != somebody_is_in(audience)
    assert overlap(audience, audience, ATTRIBUTES) == somebody_is_in(audience)


def test_an_attribute_that_left_the_catalogue_counts_as_overlapping() -> None:
    one, other = audience_of({"country": "SE"}), audience_of({"country": "NO"})
    assert not overlap(one, other, ATTRIBUTES)
    assert overlap(one, other, {})


# How many


def share_of(raw: JsonObject, attributes: Mapping[str, Attribute] = ATTRIBUTES) -> float:
    found, unknown = share(audience_of(raw), attributes)
    assert unknown == []
    return found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"country": "SE"}, 0.5),
        ({"country": ["SE", "US"]}, 0.7),
        ({"country": {"not": "SE"}}, 0.5),
        ({"premium": True}, 0.4),
        ({"version": {"gte": "9"}}, 0.6),
        ({"version": {"gte": "9.1"}}, 0.0),
        ({"version": {"gte": "8.9.0", "lt": "9.0.0"}}, 0.2),
        ({"version": "9"}, 0.5),
        ({"city": "Oslo"}, 0.3),
        ({"country": "SE", "premium": True}, 0.2),
    ],
)
def test_the_share_of_named_values_is_the_sum_of_theirs(raw: JsonObject, expected: float) -> None:
    assert share_of(raw) == pytest.approx(expected)


def test_an_exclusion_lets_in_the_values_of_an_open_attribute_that_are_not_listed() -> None:
    assert share_of({"city": {"not": ["Oslo"]}}) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"minutes": {"lt": 10}}, 0.4),
        ({"minutes": {"lt": 15}}, 0.7),
        ({"minutes": {"gte": 5, "lt": 10}}, 0.2),
        ({"minutes": {"lt": -1}}, 0.0),
        ({"minutes": {"gte": 20}}, 0.0),
        ({"minutes": {"lt": 99}}, 1.0),
        ({"minutes": {"gte": 10, "gt": 15, "lt": 20, "lte": 30}}, 0.3),
        ({"minutes": {"not": 3}}, 1.0),
        ({"age": {"lt": 18}}, 0.8 * 0.2),
        ({"age": {"gte": 18, "lt": 24}}, 0.8 * 0.15),
        ({"age": {"lt": 10**400}}, 0.8),
        ({"age": [18, 19]}, 0.8 * 0.05),
        ({"age": {"gte": 18, "lt": 24, "not": [18, 50]}}, 0.8 * 0.125),
    ],
)
def test_the_share_within_bounds_is_read_from_the_quantiles(raw: JsonObject, expected: float) -> None:
    assert share_of(raw) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"lte": 17}, {"lt": 18}),
        ({"lte": 0}, {"lt": 1}),
        ({"gt": 17}, {"gte": 18}),
        ({"gte": 0, "lte": 0}, {"lt": 1}),
    ],
)
def test_whole_numbers_up_to_one_are_those_below_the_next(one: JsonValue, same: JsonValue) -> None:
    assert share_of({"age": one}) == pytest.approx(share_of({"age": same}))
    assert share_of({"age": one}) > 0


@pytest.mark.parametrize(
    ("raw", "expected"), [({"os": {"gte": "15"}}, 0.7), ({"name": "x"}, 1.0), ({"minutes": [5, 6]}, 1.0)]
)
def test_an_unknown_distribution_counts_as_everybody_who_has_the_attribute_and_is_told(
    raw: JsonObject, expected: float
) -> None:
    (name,) = raw
    assert share(audience_of(raw), ATTRIBUTES) == (pytest.approx(expected), [name])


@given(st.sampled_from(["country", "city", "premium"]), st.data())
def test_an_audience_and_its_exclusion_are_everybody_who_has_the_attribute(name: str, data: st.DataObject) -> None:
    listed = ATTRIBUTES[name].shares
    values: list[JsonValue] = [True, False] if name == "premium" else list(listed)
    named = data.draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
    assert share_of({name: named}) + share_of({name: {"not": named}}) == pytest.approx(1)


@given(st.integers(-10, 120), st.sampled_from(["age", "minutes"]))
def test_those_up_to_a_number_and_those_above_it_are_everybody(number: int, name: str) -> None:
    both = share_of({name: {"lte": number}}) + share_of({name: {"gt": number}})
    assert both == pytest.approx(ATTRIBUTES[name].present)


@pytest.mark.parametrize("name", ["age", "minutes"])
def test_bounds_past_every_float_are_past_everybody(name: str) -> None:
    present = ATTRIBUTES[name].present
    assert share(audience_of({name: {"gte": 10**400}}), ATTRIBUTES)[0] == 0
    assert share(audience_of({name: {"gte": -(10**400), "lt": 10**400}}), ATTRIBUTES)[0] == pytest.approx(present)


@given(audiences())
def test_a_share_is_never_below_nobody_or_above_everybody(audience: Audience) -> None:
    assert 0 <= share(audience, ATTRIBUTES)[0] <= 1 + 1e-9


def test_a_condition_keeps_its_values_as_they_were_written() -> None:
    values: list[Scalar] = [1, 2.5]
    ((condition,),) = audience_of({"minutes": [1, 2.5]})
    assert condition.values == values
    assert [type(value) for value in condition.values or []] == [int, float]


PLANS = {"plan": Attribute(type="string", description="Plan.", shares={"free": 0.6, "paid_solo": 0.3, "paid_duo": 0.1})}


@pytest.mark.parametrize("wanted", ["paid", {"not": "paid"}])
def test_a_value_that_several_begin_with_is_cured_by_all_of_them(wanted: JsonValue) -> None:
    _, [problem] = parse({"plan": wanted}, PLANS)
    assert problem.nearest == ["paid_solo", "paid_duo"]
    assert problem.takes_all
    assert problem.patch is not None
    document = patch_object({"audience": {"plan": wanted}}, problem.patch)
    audience = document["audience"]
    assert isinstance(audience, dict)
    cured, problems = parse(audience, PLANS)
    assert problems == []
    assert (cured[0][0].values or cured[0][0].excluded) == ["paid_duo", "paid_solo"]
