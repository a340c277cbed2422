"""Audiences as text and as nested maps: read alike, printed in one normal form, and their faults told."""

from __future__ import annotations

import pytest
from hypothesis import given
from pydantic import JsonValue

from crossfade.core.audience import Problem, as_json, contains, described, overlap, parse, share
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.delivery import Audience

from .audience_words import ATTRIBUTES, MEASURED, audiences


def read(raw: JsonObject | str) -> Audience:
    audience, problems = parse(raw, ATTRIBUTES)
    assert problems == []
    return audience


def problems_of(raw: JsonObject | str) -> list[Problem]:
    return parse(raw, ATTRIBUTES)[1]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("everybody", {}),
        ("", {}),
        ("country = SE", {"country": "SE"}),
        ("country == SE", {"country": "SE"}),
        ("country != SE", {"country": {"not": "SE"}}),
        ("country in (SE, NO)", {"country": ["SE", "NO"]}),
        ("country in [SE,NO]", {"country": ["SE", "NO"]}),
        ("country not in (SE, NO)", {"country": {"not": ["SE", "NO"]}}),
        ('city = "New York"', {"city": "New York"}),
        ('city = "and"', {"city": "and"}),
        ("premium", {"premium": True}),
        ("not premium", {"premium": False}),
        ("premium = false", {"premium": False}),
        ("age >= 18 and age < 30", {"age": {"gte": 18, "lt": 30}}),
        ("version >= 8.9", {"version": {"gte": "8.9"}}),
        ("joined >= 2026-01-31", {"joined": {"gte": "2026-01-31"}}),
        ("age exists", {"age": {"exists": True}}),
        ("age missing", {"age": {"exists": False}}),
        ("not age exists", {"age": {"exists": False}}),
        ("country = SE and premium or age < 18", {"any": [{"country": "SE", "premium": True}, {"age": {"lt": 18}}]}),
        ("country = SE AND (premium OR age < 18)", {"country": "SE", "any": [{"premium": True}, {"age": {"lt": 18}}]}),
        ("not (country = SE or premium)", {"not": {"any": [{"country": "SE"}, {"premium": True}]}}),
        ('{"country": "SE"}', {"country": "SE"}),
        ("nobody", {"not": {}}),
        ("not everybody", {"not": {}}),
        ("Everybody and country = SE", {"country": "SE"}),
        ("country = SE or nobody", {"country": "SE"}),
        ('city = "nobody"', {"city": "nobody"}),
    ],
)  # fmt: skip
def test_a_text_means_what_the_map_means(text: str, same: JsonObject) -> None:
    assert read(text) == read(same)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ({}, "everybody"),
        ("country = SE or country = NO", "country in (NO, SE)"),
        ("age < 30 and age < 18 and age >= 5", "age >= 5 and age < 18"),
        ("not (age >= 18 and age < 30)", "age < 18 or age >= 30"),
        ("not (country = SE and premium)", "country != SE or premium = false"),
        ("age < 18 or age < 30", "age < 30"),
        ("country = SE or country = SE and premium", "country = SE"),
        ("country in (SE, NO) and country != NO", "country = SE"),
        ("not not country = SE", "country = SE"),
        ('city = "a, b" or premium', 'city = "a, b" or premium = true'),
        ("age = 3 and premium or age = 3 and not premium", "age = 3 and premium exists"),
        ({"any": [{"country": "SE"}, {"country": {"in": ["US"], "not": ["US"]}}]}, "country = SE"),
        ("country = SE and country = NO", "nobody"),
    ],
)
def test_the_normal_form_is_short(raw: JsonObject | str, normal: str) -> None:
    assert described(read(raw)) == normal


@given(audiences())
def test_what_is_printed_reads_back_as_the_same_audience(raw: JsonObject) -> None:
    audience = read(raw)
    assert read(described(audience)) == audience


@given(audiences(), audiences())
def test_an_audience_contains_and_overlaps_what_is_made_narrower(one: JsonObject, other: JsonObject) -> None:
    whole, narrower = read(one), read({"all": [one, other]})
    assert contains(whole, narrower, ATTRIBUTES)
    if narrower:
        assert overlap(whole, read(other), ATTRIBUTES)
    assert not overlap(whole, read({"not": one}), ATTRIBUTES)


@given(audiences(MEASURED), audiences(MEASURED))
def test_either_of_two_reaches_what_both_reach_less_what_they_share(one: JsonObject, other: JsonObject) -> None:
    def reach(raw: JsonObject) -> float:
        return share(read(raw), ATTRIBUTES)[0]

    both, either = reach({"all": [one, other]}), reach({"any": [one, other]})
    assert either == pytest.approx(reach(one) + reach(other) - both, abs=1e-9)


def test_units_without_an_attribute_are_reached_by_missing_alone() -> None:
    present = ATTRIBUTES["age"].present
    assert share(read("age missing"), ATTRIBUTES)[0] == pytest.approx(1 - present)
    assert share(read("age < 18 or not age < 18"), ATTRIBUTES)[0] == pytest.approx(present)
    assert share(read("age exists or age missing"), ATTRIBUTES)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("country = ", "The text ends where it needs a value"),
        ("country SE", "At character 9, SE stands where it needs =, !="),
        ("(country = SE", "The text ends where it needs )"),
        ("country = SE)", "At character 13, ) stands where it needs and, or, or the end"),
        ("country = SE and", "The text ends where it needs an attribute"),
        ("and country = SE", "At character 1, and stands where it needs an attribute"),
        ("country in SE", "At character 12, SE stands where it needs ["),
        ("country in ()", "At character 13, ) stands where it needs a value"),
        ("country ! SE", "Character 8 begins nothing that can be read"),
        ('city = "New York', "begins nothing that can be read"),
        ('city = "\\x"', "an escape that JSON does not know"),
        ("{country: SE}", "This is no JSON"),
        ('city = "\\ud800"', "a character that cannot be seen, U+D800"),
        ('city = "\\u202eOslo"', "a character that cannot be seen, U+202E"),
        ('{"city": "\\u202eOslo"}', "a character that cannot be seen, U+202E"),
        ('{"not":' * 400 + "{}" + "}" * 400, "The audience is nested deeper than 32 levels"),
        ('{"city":' + "[" * 1_900 + "]" * 1_900 + "}", "nested"),
        ('{"minutes": {"lt": NaN}}', "a number that is not finite"),
        ("(" * 50 + "premium" + ")" * 50, "nested more than 40 deep"),
        ({"any": {"country": "SE"}}, "`any` takes a list of audiences"),
        ({"all": []}, "`all` takes a list of audiences"),
        ({"not": ["SE"]}, "An audience is a map of attributes"),
        ({"age": {"exists": "yes"}}, "`exists` is true or false"),
        ({"age": {"exists": False, "gte": 3}}, "Who lacks the attribute has no value to compare"),
    ],
)
def test_what_cannot_be_read_is_told_where_and_why(raw: JsonObject | str, said: str) -> None:
    (problem,) = problems_of(raw)
    assert problem.kind == "form"
    assert said in problem.message


def test_an_audience_with_too_many_alternatives_is_not_decided_about() -> None:
    parts: list[JsonValue] = [{"age": {"gte": 2 * n, "lt": 2 * n + 1}, "city": f"c{n}"} for n in range(300)]
    (problem,) = problems_of({"any": parts})
    assert "more than 256 alternatives" in problem.message


def test_a_fault_below_a_joint_is_told_by_its_place_and_mended_with_its_siblings() -> None:
    raw: JsonObject = {"any": [{"contry": "SE"}, {"all": [{"country": "no"}, {"age": {">=": "18"}}]}], "premium": "yes"}
    found = problems_of(raw)
    assert [problem.at for problem in found] == [
        "/audience/any/0/contry",
        "/audience/any/1/all/0/country",
        "/audience/any/1/all/1/age/>=",
        "/audience/premium",
    ]
    mended: JsonObject = {"audience": raw}
    for problem in found:
        assert problem.patch is not None
        mended = patch_object(mended, problem.patch)
    audience = mended["audience"]
    assert isinstance(audience, dict)
    assert audience["premium"] is True
    assert audience["any"] == [{"country": "SE"}, {"all": [{"country": "NO"}, {"age": {"gte": "18"}}]}]
    (last,) = problems_of(audience)
    assert last.patch is not None
    assert problems_of(_audience_in(patch_object(mended, last.patch))) == []


def test_a_fault_in_a_text_is_mended_by_an_audience_in_its_place() -> None:
    (problem,) = problems_of("contry = SE or premium")
    assert (problem.at, problem.got, problem.nearest[0]) == ("/audience", "contry", "country")
    assert problem.patch == {"audience": {"any": [{"country": "SE"}, {"premium": True}]}}


def test_a_text_becomes_the_map_that_it_stands_for() -> None:
    assert as_json("age < 18 or premium", ATTRIBUTES) == {"any": [{"age": {"lt": 18}}, {"premium": True}]}


def _audience_in(document: JsonObject) -> JsonObject:
    audience = document["audience"]
    assert isinstance(audience, dict)
    return audience
