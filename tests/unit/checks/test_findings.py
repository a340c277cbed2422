"""What holds for every check and for all findings of a spec."""

from __future__ import annotations

import copy
import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.checks.all_checks import CASE_CHECKS, CHECKS, LAUNCH_CHECKS
from crossfade.core.checks.delivery import RUN_CHECKS
from crossfade.core.checks.engine import Check
from crossfade.core.checks.flight import FLIGHT_CHECKS
from crossfade.core.checks.payload import schema_faults
from crossfade.core.checks.shape import CHECKS as SHAPE_CHECKS
from crossfade.core.checks.trial import TRIAL_CHECKS
from crossfade.core.documents import JsonObject, patch_object, tokens_of
from crossfade.core.model.finding import SEVERITIES, Finding
from crossfade.core.wording import percent

from .examples import EXAMPLES, Example
from .railway import QUIET, SPEC, World, findings_in, held

EVERY_CHECK = (*SHAPE_CHECKS, *CASE_CHECKS, *LAUNCH_CHECKS, *TRIAL_CHECKS, *RUN_CHECKS, *FLIGHT_CHECKS)
each_check = pytest.mark.parametrize("check", EVERY_CHECK, ids=lambda check: check.code)
PAIRS = [pair for pair in combinations(EXAMPLES, 2) if pair[0].world == pair[1].world]


def together(*examples: Example) -> list[Finding]:
    """What is found when several faults are injected into one spec."""
    document: JsonObject = SPEC
    for example in examples:
        document = patch_object(document, example.fault)
    return findings_in(document, examples[0].world)


def test_codes_are_unique() -> None:
    codes = [check.code for check in EVERY_CHECK]
    assert sorted(set(codes)) == sorted(codes)
    assert set(codes) == set(CHECKS)


@each_check
def test_a_code_reads_topic_dot_rule(check: Check) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", check.code)


@each_check
def test_a_check_says_in_a_sentence_what_it_wants(check: Check) -> None:
    first = check.doc.split("\n\n")[0]
    assert re.match(r"[A-Za-z].*[.:].*", first, re.DOTALL)
    assert len(first.split()) >= 5


@each_check
def test_a_severity_is_one_of_four(check: Check) -> None:
    assert check.severity in SEVERITIES


@settings(max_examples=200, derandomize=True)
@given(st.sampled_from(PAIRS))
def test_findings_come_worst_first_and_an_id_stands_for_one_patch(pair: tuple[Example, Example]) -> None:
    findings = together(*pair)
    ranks = [SEVERITIES.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    patches: dict[str, JsonObject] = {}
    for finding in findings:
        for fix in finding.fixes:
            assert re.fullmatch(rf"{re.escape(finding.code)}\.[0-9a-f]{{6}}", fix.id)
            assert patches.setdefault(fix.id, fix.patch) == fix.patch


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_finding_can_be_read(example: Example) -> None:
    for finding in together(example):
        assert finding.message.endswith((".", "?"))
        assert "  " not in finding.message
        assert finding.at == "" or finding.at.startswith("/")
        assert all(fix.effect.strip() == fix.effect != "" for fix in finding.fixes)
        assert all(fix.patch for fix in finding.fixes)
        assert all(near in finding.allowed for near in finding.nearest) or not finding.allowed


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_fixes_that_weaken_the_test_come_last(example: Example) -> None:
    for finding in together(example):
        order = [fix.relaxes for fix in finding.fixes]
        assert order == sorted(order)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_finding_points_into_the_spec(example: Example) -> None:
    """At a place that is there, or at one that is missing from a place that is."""
    document = patch_object(SPEC, example.fault)
    for finding in findings_in(document, example.world):
        here: JsonValue = document
        for token in tokens_of(finding.at)[:-1]:
            here = inside(here, token)


def inside(value: JsonValue, token: str) -> JsonValue:
    if isinstance(value, list):
        return value[int(token)]
    assert isinstance(value, dict)
    return value[token]


FIX_THAT_RELAXES = "settle for detecting"


def test_settling_for_a_larger_effect_relaxes_the_test_and_nothing_else_of_power_does() -> None:
    [example] = [example for example in EXAMPLES if example.id == "power.sufficient"]
    [finding] = [finding for finding in together(example) if finding.code == "power.sufficient"]
    assert [fix.relaxes for fix in finding.fixes] == [fix.effect.startswith(FIX_THAT_RELAXES) for fix in finding.fixes]


def codes_in(patch: JsonObject, world: World | None = None) -> set[str]:
    return {finding.code for finding in findings_in(patch_object(SPEC, patch), world or QUIET)}


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"variants": {"control": {"weight": 0.9}, "platform-second": {"weight": 0.9}}}, "weights.sum_to_one"),
        ({"variants": {"platform-second": None}}, "variants.treatment_present"),
        ({"variants": None}, "spec.missing_field"),
        ({"variants": {"platform-second": {"control": True}}}, "variants.one_control"),
        ({"allocation": 1.5}, "allocation.share"),
        ({"allocation": -0.1}, "allocation.share"),
        ({"audience": {"trips": {"gt": 30, "lte": 30}}}, "audience.satisfiable"),
        ({"audience": {"home_region": {"not": ["coast", "hills", "capital"]}}}, "audience.satisfiable"),
        ({"audience": {"commutes": {"not": [True, False]}}}, "audience.satisfiable"),
        ({"schedule": {"start": "2026-11-10"}}, "blackout.window"),
        ({"metrics": {"broken_pages": None}}, "metrics.required_present"),
        ({"design": {"alpha": 0}}, "design.policy"),
        ({"design": {"power": 1}}, "design.policy"),
        ({"allocation": "NaN"}, "spec.wrong_value"),
        ({"variants": {"control": {"weight": 0.5}, "platform-second": {"weight": -0.5}}}, "weights.positive"),
        ({"audience": {"home_region": []}}, "audience.readable"),
        ({"audience": {"client": {"gte": "new"}}}, "audience.values_known"),
        ({"audience": {"home_region": {"gte": "coast"}}}, "audience.readable"),
        ({"variants": {"PLATFORM": {"weight": 0.5}}}, "spec.wrong_value"),
    ],
    ids=str,
)
def test_a_well_known_mistake_is_found(patch: JsonObject, code: str) -> None:
    assert code in codes_in(patch)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (0.333333, 0.666667)], ids=str)
def test_weights_of_one_whole_pass(weights: tuple[float, float]) -> None:
    one, other = weights
    assert codes_in({"variants": {"control": {"weight": one}, "platform-second": {"weight": other}}}) <= {
        "power.sufficient"
    }


@pytest.mark.parametrize(("units", "allocation"), [(5.2, 0.07), (2.6, 0.14), (1.3, 0.28)])
def test_an_allocation_that_takes_exactly_what_is_free_is_offered(units: float, allocation: float) -> None:
    accrual: JsonObject = {"1": int(200_000 * units), "7": int(800_000 * units)}
    accrual |= {"14": int(1_200_000 * units), "28": int(1_800_000 * units)}
    free = round(allocation * 10_000)
    world = World({"surfaces": {"departures": {"accrual": accrual}}}, held=(held("other", free, 10_000),))
    [found] = [
        each for each in findings_in(patch_object(SPEC, {"allocation": 0.01}), world) if each.code == "power.sufficient"
    ]
    assert found.fixes[0].effect.startswith(f"enter {percent(allocation)} of units instead of 1 %: power ")


def test_a_value_that_breaks_its_schema_is_told_with_the_value_in_production() -> None:
    [finding] = schema_faults("yes please", {"type": "boolean"}, "/variants/a/parameters/lit", production=False)
    assert finding.message == "This must be of type boolean. In production it is false."


@pytest.mark.parametrize(
    ("fault", "at", "mended"),
    [
        ({"allocation": "0.5"}, "/allocation", 0.5),
        ({"design": {"days": [14]}}, "/design/days", 14),
        ({"stop": ["srm", "gaurdrail"]}, "/stop", ["srm", "guardrail"]),
        ({"stop": ["srm", 7]}, "/stop", ["srm"]),
    ],
    ids=["text for a number", "list for a number", "misspelt item", "item of another type"],
)
def test_a_wrong_value_is_mended_where_it_stands(fault: JsonObject, at: str, mended: JsonValue) -> None:
    document = patch_object(SPEC, fault)
    (finding,) = (finding for finding in findings_in(document, QUIET) if finding.code == "spec.wrong_value")
    value: JsonValue = patch_object(document, finding.fixes[0].patch)
    for token in tokens_of(at):
        assert isinstance(value, dict)
        value = value[token]
    assert value == mended


def test_a_misspelt_field_of_a_value_is_renamed_and_does_not_stay() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
        "additionalProperties": False,
    }
    first = next(schema_faults({"cuont": 3}, schema, "/value"))
    assert patch_object({"value": {"cuont": 3}}, first.cures[0].patch) == {"value": {"count": 3}}


NULLS: list[tuple[str, str]] = [
    ("/name", "spec.missing_field"),
    ("/hypothesis", "spec.missing_field"),
    ("/variants/platform-second", "spec.missing_field"),
    ("/design/days", "spec.derived_field"),
    ("/variants/control/weight", "spec.derived_field"),
    ("/metrics/broken_pages", "spec.derived_field"),
    ("/metrics/tickets_sold", "spec.derived_field"),
    ("/tags", "spec.wrong_value"),
]
"""What a null is where a spec needs a value, and where it has a default."""


@pytest.mark.parametrize(("at", "code"), NULLS, ids=str)
def test_a_null_is_as_good_as_nothing(at: str, code: str) -> None:
    document = copy.deepcopy(SPEC)
    holder: JsonValue = document
    *way, last = tokens_of(at)
    for token in way:
        holder = inside(holder, token)
    assert isinstance(holder, dict)
    holder[last] = None
    [finding] = findings_in(document, QUIET)
    assert (finding.code, finding.at) == (code, at)
    assert bool(finding.fixes) == CHECKS[code].curable
    for fix in finding.fixes:
        assert [each.code for each in findings_in(patch_object(document, fix.patch), QUIET) if each.blocks] == []


def test_a_metric_of_nowhere_is_the_one_that_the_hypothesis_names() -> None:
    document = patch_object(SPEC, {"metrics": {"tickets_sold": None, "joy": {"role": "success", "mde": 0.02}}})
    [finding] = [each for each in findings_in(document, QUIET) if each.code == "metrics.known"]
    assert findings_in(patch_object(document, finding.fixes[0].patch), QUIET) == []


def test_a_misspelt_metric_that_the_surface_requires_is_not_added_beside_itself() -> None:
    changes: JsonObject = {"metrics": {"broken_pages": None, "broken_paegs": {"role": "guardrail", "margin": 0.05}}}
    document = patch_object(SPEC, changes)
    found = {each.code: each for each in findings_in(document, QUIET)}
    assert found.keys() == {"metrics.known", "metrics.required_present"}
    for finding in found.values():
        assert findings_in(patch_object(document, finding.fixes[0].patch), QUIET) == []


def test_every_fault_of_a_value_has_the_fix_that_mends_all_of_it() -> None:
    schema: JsonObject = {"type": "array", "items": {"enum": ["time", "delay"]}}
    faults = list(schema_faults(["tiem", "dealy"], schema, "/value"))
    assert [fault.cures[0].patch for fault in faults] == [{"value": ["time", "delay"]}] * 2


def power_finding(patch: JsonObject) -> Finding:
    [found] = [each for each in findings_in(patch_object(SPEC, patch), QUIET) if each.code == "power.sufficient"]
    return found


def test_a_lack_of_power_names_the_metric_what_it_needs_and_how_the_errors_are_split() -> None:
    found = power_finding({"allocation": 0.2})
    assert found.message == (
        "14 days with 20 % of units give 120,000 units in the control. tickets_sold needs 211,717 for an effect of "
        "2.00% (power 0.684 now). Beta 0.2 is split over 1 guardrail and the success side, 0.1 each."
    )
    assert found.got == "power 0.684 on tickets_sold"
    assert found.allowed == ["power 0.9 in each test, for 0.8 to ship"]


def test_a_lack_of_power_tells_what_alpha_is_split_over() -> None:
    third: JsonObject = {"weight": 0.33, "control": False, "parameters": {"board_lines": 9}}
    variants: JsonObject = {"control": {"weight": 0.33}, "platform-second": {"weight": 0.34}, "third": third}
    found = power_finding({"allocation": 0.2, "variants": variants})
    assert "Alpha 0.05 is split over 1 success metric and 2 treatments, 0.025 each; beta " in found.message


def test_what_no_run_mends_says_so() -> None:
    found = power_finding({"allocation": 0.2, "metrics": {"tickets_sold": {"mde": 0.0001}}})
    most = "No run of up to 180 days is enough, even with the 100 % of units that are free."
    assert found.message.endswith(most)
