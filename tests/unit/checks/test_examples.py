"""Each check finds what it is for, lets pass what is sound, and its fixes cure."""

from __future__ import annotations

import pytest

from crossfade.core.catalogue_rules import problems
from crossfade.core.checks.all_checks import CHECKS
from crossfade.core.checks.shape import read_spec
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.experiment import Spec
from crossfade.core.model.finding import Finding, Fix

from .examples import EXAMPLES, Example
from .railway import QUIET, SPEC, catalogue_with, findings_in

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)


def found(example: Example, document: JsonObject) -> list[Finding]:
    """The example's finding: its code, at its place."""
    return [
        finding
        for finding in findings_in(document, example.world)
        if (finding.code, finding.at) == (example.code, example.at)
    ]


def test_the_railway_is_a_sound_catalogue() -> None:
    assert problems(catalogue_with({})) == []


def test_nothing_is_found_in_the_sound_spec() -> None:
    assert findings_in(SPEC, QUIET) == []


def test_every_check_has_an_example() -> None:
    assert {example.code for example in EXAMPLES} == set(CHECKS)


def test_no_two_examples_have_one_name() -> None:
    names = [example.id for example in EXAMPLES]
    assert sorted(set(names)) == sorted(names)


@each_example
def test_a_check_finds_its_fault_where_it_is(example: Example) -> None:
    document = patch_object(SPEC, example.fault)
    finding = next(iter(found(example, document)), None)
    assert finding is not None, [f"{each.code} {each.at}" for each in findings_in(document, example.world)]
    assert finding.severity == example.severity == CHECKS[example.code].severity
    assert finding.message.strip()
    assert tuple(fix.effect for fix in finding.fixes) == example.cured_by


@each_example
def test_a_check_lets_pass_what_is_sound(example: Example) -> None:
    document = patch_object(SPEC, example.near)
    codes = [finding.code for finding in findings_in(document, example.near_world or QUIET)]
    assert example.code not in codes


def cures() -> list[tuple[Example, str]]:
    """Every fix of every example by its effect, those that weaken the test left out."""
    return [
        (example, fix.effect)
        for example in EXAMPLES
        for finding in found(example, patch_object(SPEC, example.fault))
        for fix in finding.fixes
        if not fix.relaxes
    ]


def test_a_check_says_whether_it_can_be_cured_without_weakening_the_test() -> None:
    cured = {example.code for example, _ in cures()}
    assert {code: check.curable for code, check in CHECKS.items()} == {code: code in cured for code in CHECKS}


@pytest.mark.parametrize(("example", "effect"), cures(), ids=lambda part: getattr(part, "id", part))
def test_a_fix_cures_its_finding(example: Example, effect: str) -> None:
    document = patch_object(SPEC, example.fault)
    fix = fix_of(found(example, document), effect)
    assert found(example, patch_object(document, fix.patch)) == []


@pytest.mark.parametrize(("example", "effect"), cures(), ids=lambda part: getattr(part, "id", part))
def test_a_fix_leaves_a_spec(example: Example, effect: str) -> None:
    document = patch_object(SPEC, example.fault)
    fix = fix_of(found(example, document), effect)
    assert isinstance(read_spec(patch_object(document, fix.patch)), Spec) or example.code.startswith("spec.")


def fix_of(findings: list[Finding], effect: str) -> Fix:
    return next(fix for finding in findings for fix in finding.fixes if fix.effect == effect)


@pytest.mark.parametrize(
    ("twin", "entry", "relaxes"),
    [
        ("Tickets-Sold", {"role": "success", "mde": 0.05}, False),
        ("Tickets-Sold", {"role": "success", "mde": 0.01}, True),
        ("Tickets-Sold", {"role": "quality"}, False),
        ("Broken-Pages", {"role": "guardrail", "margin": 0.12}, False),
        ("Broken-Pages", {"role": "guardrail", "margin": 0.01}, True),
    ],
)
def test_a_second_entry_of_a_metric_goes_and_never_weakens_the_first(
    twin: str, entry: JsonObject, relaxes: bool
) -> None:
    document = patch_object(SPEC, {"metrics": {twin: entry}})
    [fix] = [
        fix for finding in findings_in(document, QUIET) if finding.code == "metrics.known" for fix in finding.fixes
    ]
    assert fix.relaxes == relaxes
    assert patch_object(document, fix.patch)["metrics"] == SPEC["metrics"]


def test_of_two_names_for_one_metric_the_first_is_renamed_and_the_second_goes() -> None:
    first: JsonObject = {"tickets_sold": None, "Tickets-Sold": {"role": "success", "mde": 0.02}}
    second: JsonObject = {"TICKETS_SOLD": {"role": "success", "mde": 0.05}}
    document = patch_object(patch_object(SPEC, {"metrics": first}), {"metrics": second})
    for fix in [
        fix for finding in findings_in(document, QUIET) if finding.code == "metrics.known" for fix in finding.fixes
    ]:
        document = patch_object(document, fix.patch)
    assert document["metrics"] == SPEC["metrics"]
