"""Each rule over a whole catalogue accepts a sound one and finds its own fault."""

from pathlib import Path
from typing import Any

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core import catalogue_rules as rules
from crossfade.core.catalogue_rules import Problem
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.catalogue import Catalogue

GROCERY = Path(__file__).resolve().parents[1] / "catalogues" / "grocery"
SOUND = YamlCatalogue(GROCERY).current()
DOCUMENT: JsonObject = SOUND.model_dump(mode="json", by_alias=True, exclude_unset=True)

Patch = dict[str, Any]


def changed(patch: Patch) -> Catalogue:
    """The sound catalogue with a merge patch applied."""
    return Catalogue.model_validate(patch_object(DOCUMENT, patch))


def metric(**fields: Any) -> Patch:
    """A patch of one metric, `items_added`, a count."""
    return {"metrics": {"items_added": fields}}


def attribute(**fields: Any) -> Patch:
    """A new attribute."""
    return {"attributes": {"new": {"description": "A new one.", "type": "string", **fields}}}


def surface(**fields: Any) -> Patch:
    return {"surfaces": {"storefront": fields}}


def parameter(**fields: Any) -> Patch:
    """A patch of one parameter, `tile_columns`, an integer from 1 to 6."""
    return surface(parameters={"tile_columns": fields})


def schema(value: JsonObject) -> Patch:
    """The parameter's schema, replaced as a whole."""
    return parameter(schema={"type": None, "minimum": None, "maximum": None, **value})


def second_holdout(**fields: Any) -> Patch:
    new = {"description": "Another.", "surfaces": ["basket"], "share": 0.1, "salt": "another", "ends": "2027-01-01"}
    return {"holdouts": {"second": {**new, **fields}}}


def ruled(everywhere: JsonObject, surface: JsonObject | None = None) -> Patch:
    """Checks tightened for everybody, and on the storefront."""
    return {"checks": everywhere, "surfaces": {"storefront": {"policy": {"checks": surface or {}}}}}


RULED = "checks_are_only_tightened"
LONG = ("checks", "duration.long")
MARGIN = "the margin 0.2 is wider than the policy's max_margin 0.1"
STOREFRONT = ("surfaces", "storefront")
SCHEMA = (*STOREFRONT, "parameters", "tile_columns", "schema")

FAULTY: list[tuple[str, Patch, tuple[str | int, ...], str]] = [
    # rule, what is changed, where the fault is, what is said
    (
        "attributes_are_no_keywords",
        {"attributes": {"any": {"type": "boolean", "description": "Whatever."}}},
        ("attributes", "any"),
        "a word that audiences use themselves",
    ),
    (
        "stated_audiences_can_be_read",
        surface(restricted=[{"audience": {"any": [{"regoin": "north"}]}, "why": "No licence."}]),
        (*STOREFRONT, "restricted", 0, "audience", "any", "0", "regoin"),
        "no such attribute",
    ),
    (
        "stated_audiences_can_be_read",
        parameter(requires="regoin = north"),
        (*STOREFRONT, "parameters", "tile_columns", "requires"),
        "no such attribute",
    ),
    (
        "quantiles_never_fall",
        attribute(type="date", quantiles={"5": 0}),
        ("attributes", "new", "quantiles", "5.0"),
        "date",
    ),
    (
        "content_can_be_matched",
        {"content": {"hero": {"description": "A picture.", "markets": ["north"]}}},
        ("content", "hero", "markets"),
        "content_attributes has to name",
    ),
    (
        "content_can_be_matched",
        {"content_attributes": {"market": "regoin"}},
        ("content_attributes", "market"),
        "no such attribute",
    ),
    (
        "content_can_be_matched",
        parameter(schema={"type": "string", "minimum": None, "maximum": None}, initial="hero", content=True),
        (*STOREFRONT, "parameters", "tile_columns", "initial"),
        "no such content",
    ),
    ("units_have_attributes", {"units": {"household": "houshold_id"}}, ("units", "household"), "no such attribute"),
    ("shares_can_be_summed", attribute(shares={"a": 0.6, "b": 0.5}), ("attributes", "new", "shares"), "sum to 1.1"),
    (
        "shares_can_be_summed",
        attribute(type="boolean", shares={"yes": 0.5}),
        ("attributes", "new", "shares", "yes"),
        "not a value of type boolean",
    ),
    (
        "shares_can_be_summed",
        attribute(type="semver", shares={"newest": 0.5}),
        ("attributes", "new", "shares", "newest"),
        "not a value of type semver",
    ),
    (
        "shares_can_be_summed",
        attribute(type="integer", shares={"1.5": 0.5}),
        ("attributes", "new", "shares", "1.5"),
        "not a value of type integer",
    ),
    (
        "shares_can_be_summed",
        attribute(type="number", shares={"inf": 0.5, "few": 0.1}),
        ("attributes", "new", "shares", "few"),
        "not a value of type number",
    ),
    (
        "quantiles_never_fall",
        attribute(type="number", quantiles={"0": 0, "2.5": 0.5, "7.5": 0.4, "9": 1}),
        ("attributes", "new", "quantiles", "7.5"),
        "the share below 7.5 is less than the one before it, 0.5",
    ),
    ("quantiles_never_fall", attribute(quantiles={"0": 0}), ("attributes", "new", "quantiles"), "only numbers"),
    (
        "quantiles_never_fall",
        attribute(type="integer", quantiles={"0": 0}, shares={"1": 0.5}),
        ("attributes", "new", "quantiles"),
        "keep one of them",
    ),
    (
        "ages_are_of_units",
        attribute(age_of="household"),
        ("attributes", "new", "age_of"),
        "how old a unit is, is a number of days",
    ),
    ("ages_are_of_units", attribute(type="date", age_of="hous"), ("attributes", "new", "age_of"), "no such unit"),
    ("metric_names_lead_somewhere", metric(unit="household2"), ("metrics", "items_added", "unit"), "no such unit"),
    (
        "metric_names_lead_somewhere",
        metric(covariate="items_add"),
        ("metrics", "items_added", "covariate"),
        "no such metric",
    ),
    (
        "metric_names_lead_somewhere",
        metric(replaced_by="nothing", status="deprecated"),
        ("metrics", "items_added", "replaced_by"),
        "no such metric",
    ),
    (
        "metric_names_lead_somewhere",
        metric(replaced_by="order_rate"),
        ("metrics", "items_added", "replaced_by"),
        "still active",
    ),
    (
        "metric_names_lead_somewhere",
        metric(replaced_by="baskets", status="deprecated"),
        ("metrics", "items_added", "replaced_by"),
        "deprecated itself",
    ),
    (
        "metric_names_lead_somewhere",
        {"units": {"van": "region"}, "metrics": {"items_added": {"unit": "van", "covariate": "order_rate"}}},
        ("metrics", "items_added", "covariate"),
        "this is per household",
    ),
    (
        "metric_names_lead_somewhere",
        {"metrics": {"substitution_rate": {"denominator_metric": "lines_packed"}}},
        ("metrics", "substitution_rate", "denominator_metric"),
        "no such metric",
    ),
    (
        "companions_fit_the_kind",
        metric(correlation=0.5),
        ("metrics", "items_added", "correlation"),
        "Name the covariate",
    ),
    (
        "companions_fit_the_kind",
        metric(denominator_metric="order_rate"),
        ("metrics", "items_added", "denominator_metric"),
        "only a ratio",
    ),
    (
        "companions_fit_the_kind",
        {"metrics": {"substitution_rate": {"denominator_metric": "substitution_rate"}}},
        ("metrics", "substitution_rate", "denominator_metric"),
        "not its own denominator",
    ),
    (
        "companions_fit_the_kind",
        {"metrics": {"order_rate": {"baseline": {"skew": 0.8}}}},
        ("metrics", "order_rate", "baseline", "skew"),
        "follows from its rate",
    ),
    (
        "baselines_can_be_used",
        {"metrics": {"order_rate": {"baseline": {"mean": 31}}}},
        ("metrics", "order_rate", "baseline", "mean"),
        "between 0 and 1",
    ),
    (
        "baselines_can_be_used",
        {"metrics": {"order_rate": {"baseline": {"variance": 0.2}}}},
        ("metrics", "order_rate", "baseline", "variance"),
        "leave it out",
    ),
    (
        "baselines_can_be_used",
        metric(baseline={"variance": None}),
        ("metrics", "items_added", "baseline", "variance"),
        "a count needs its variance",
    ),
    (
        "baselines_can_be_used",
        metric(baseline={"mean": 0}),
        ("metrics", "items_added", "baseline", "mean"),
        "effects and margins are relative",
    ),
    (
        "baselines_can_be_used",
        {"metrics": {"order_rate": {"baseline": {"mean": 0.99}}}},
        ("metrics", "order_rate", "mde"),
        "to 1.01, above 1",
    ),
    (
        "sources_fit_the_kind",
        metric(kind="ratio"),
        ("metrics", "items_added", "source", "denominator"),
        "a ratio needs the column",
    ),
    (
        "sources_fit_the_kind",
        metric(source={"denominator": "visits"}),
        ("metrics", "items_added", "source", "denominator"),
        "only a ratio has a denominator",
    ),
    (
        "sources_fit_the_kind",
        metric(kind="mean"),
        ("metrics", "items_added", "source", "value"),
        "a mean needs the column",
    ),
    ("surfaces_have_units", surface(unit="person"), (*STOREFRONT, "unit"), "no such unit"),
    (
        "surface_metrics_fit",
        surface(required_metrics={"page_error": {"role": "guardrail"}}),
        (*STOREFRONT, "required_metrics", "page_error"),
        "no such metric",
    ),
    (
        "surface_metrics_fit",
        surface(suggested_metrics=["order_rate", "order_rat"]),
        (*STOREFRONT, "suggested_metrics", 1),
        "no such metric",
    ),
    (
        "surface_metrics_fit",
        surface(suggested_metrics=["baskets"]),
        (*STOREFRONT, "suggested_metrics", 0),
        "deprecated",
    ),
    (
        "surface_metrics_fit",
        {"units": {"van": "region"}, "metrics": {"page_errors": {"unit": "van"}}},
        (*STOREFRONT, "required_metrics", "page_errors"),
        "the metric is per van, the surface randomises by household",
    ),
    (
        "surface_metrics_fit",
        {"metrics": {"page_errors": {"window_days": 21}}},
        (*STOREFRONT, "required_metrics", "page_errors"),
        "its window of 21 days is longer than the 14",
    ),
    (
        "surface_metrics_fit",
        metric(window_days=29),
        (*STOREFRONT, "suggested_metrics", 0),
        "its window of 29 days is longer than the 28",
    ),
    (
        "metric_roles_make_sense",
        surface(required_metrics={"page_errors": {"margin": 0.2}}),
        (*STOREFRONT, "required_metrics", "page_errors", "margin"),
        MARGIN,
    ),
    (
        "metric_roles_make_sense",
        {"metrics": {"page_errors": {"margin": 0.2}}},
        (*STOREFRONT, "required_metrics", "page_errors"),
        MARGIN,
    ),
    (
        "metric_roles_make_sense",
        {"metrics": {"page_errors": {"margin": None}}},
        (*STOREFRONT, "required_metrics", "page_errors", "margin"),
        "neither the surface nor the metric",
    ),
    (
        "metric_roles_make_sense",
        surface(required_metrics={"substitution_rate": {"role": "quality"}}),
        (*STOREFRONT, "required_metrics", "substitution_rate", "margin"),
        "only a guardrail has a margin",
    ),
    (
        "metric_roles_make_sense",
        surface(required_metrics={"page_errors": {"role": "success"}}),
        (*STOREFRONT, "required_metrics", "page_errors"),
        "required for success, but the metric has no mde",
    ),
    (
        "metric_roles_make_sense",
        surface(suggested_metrics=["page_errors"]),
        (*STOREFRONT, "suggested_metrics", 0),
        "suggested for success, but the metric has no mde",
    ),
    (
        "layers_are_used",
        parameter(layer="look"),
        (*STOREFRONT, "parameters", "tile_columns", "layer"),
        "no such layer",
    ),
    (
        "layers_are_used",
        surface(layers={"spare": {"description": "Nothing is here."}}),
        (*STOREFRONT, "layers", "spare"),
        "no parameter is in this layer",
    ),
    (
        "holdouts_leave_enough",
        second_holdout(surfaces=["basket", "till"]),
        ("holdouts", "second", "surfaces", 1),
        "no such surface",
    ),
    (
        "holdouts_leave_enough",
        {"units": {"van": "region"}, "surfaces": {"basket": {"unit": "van"}}},
        ("holdouts", "frozen-assortment", "surfaces"),
        "household and van",
    ),
    (
        "holdouts_leave_enough",
        second_holdout(salt="frozen-assortment-1"),
        ("holdouts", "second", "salt"),
        "the holdout frozen-assortment has this salt too",
    ),
    ("holdouts_leave_enough", second_holdout(share=0.45), ("holdouts", "second", "share"), "hold 0.5 of the units"),
    (
        "holdouts_have_seeds_of_their_own",
        second_holdout(salt="live/storefront/looks"),
        ("holdouts", "second", "salt"),
        "the seed of a layer",
    ),
    (
        "holdouts_have_seeds_of_their_own",
        second_holdout(salt="bread-first/1"),
        ("holdouts", "second", "salt"),
        "the seed of an experiment's launch",
    ),
    (
        "components_are_shared",
        parameter(component="front-pag"),
        (*STOREFRONT, "parameters", "tile_columns", "component"),
        "no other parameter has this component",
    ),
    ("routes_name_backends", {"default_environment": "lve"}, ("default_environment",), "no such environment"),
    (
        "routes_name_backends",
        {"environments": {"live": {"default": {"assigner": "rule"}}}},
        ("environments", "live", "default", "assigner"),
        "no such backend",
    ),
    (
        "routes_name_backends",
        surface(delivery={"live": {"assigner": "rules", "content": ["copy", "copies"]}}),
        (*STOREFRONT, "delivery", "live", "content", 1),
        "no such backend",
    ),
    (
        "routes_name_backends",
        surface(delivery={"alive": {"assigner": "rules"}}),
        (*STOREFRONT, "delivery", "alive"),
        "no such environment",
    ),
    ("initial_values_meet_their_schema", schema({"type": "interger"}), (*SCHEMA, "type"), "no such type"),
    ("initial_values_meet_their_schema", schema({"minimum": "1"}), (*SCHEMA, "minimum"), "not a valid JSON Schema"),
    ("initial_values_meet_their_schema", schema({"pattern": "("}), (*SCHEMA, "pattern"), "not a valid JSON Schema"),
    ("initial_values_meet_their_schema", schema({"$ref": "#/$defs/x"}), SCHEMA, "not a valid JSON Schema"),
    ("initial_values_meet_their_schema", schema({"$ref": "http://a.test/s"}), SCHEMA, "nothing is fetched"),
    (
        "initial_values_meet_their_schema",
        schema({"$schema": "http://json-schema.org/draft-07/schema#"}),
        (*SCHEMA, "$schema"),
        "another dialect",
    ),
    ("initial_values_meet_their_schema", schema({"maximun": 6}), (*SCHEMA, "maximun"), "no such keyword"),
    (
        "initial_values_meet_their_schema",
        schema({"anyOf": [{"type": "integer"}, {"properties": {"a": {"minLenght": 1}}}]}),
        (*SCHEMA, "anyOf", 1, "properties", "a", "minLenght"),
        "no such keyword",
    ),
    (
        "initial_values_meet_their_schema",
        parameter(initial=7),
        (*STOREFRONT, "parameters", "tile_columns", "initial"),
        "7 is greater than the maximum of 6",
    ),
    (
        "initial_values_meet_their_schema",
        surface(parameters={"aisles": {"initial": ["fresh", "toys"]}}),
        (*STOREFRONT, "parameters", "aisles", "initial", 1),
        "breaks the parameter's own schema",
    ),
    ("accrual_is_a_curve", surface(accrual={"7": None, "28": None}), (*STOREFRONT, "accrual"), "missing 7, 28"),
    ("accrual_is_a_curve", surface(accrual={"14": 1000}), (*STOREFRONT, "accrual", "14"), "fewer unique units"),
    (
        "accrual_is_a_curve",
        surface(accrual={"7": 630001}),
        (*STOREFRONT, "accrual", "7"),
        "grows faster than days since day 1 (90,000): at most 630,000",
    ),
    ("calendars_make_sense", surface(policy={"days": 15}), (*STOREFRONT, "policy", "days"), "not whole weeks"),
    ("calendars_make_sense", surface(policy={"min_days": 21}), (*STOREFRONT, "policy", "days"), "not between"),
    ("calendars_make_sense", surface(policy={"min_days": 35}), (*STOREFRONT, "policy", "min_days"), "max_days, 28"),
    (
        "calendars_make_sense",
        surface(blackouts=[{"start": "2026-12-24", "end": "2026-12-21", "why": "Christmas"}]),
        (*STOREFRONT, "blackouts", 0, "end"),
        "ends before it starts, 2026-12-24",
    ),
    (RULED, ruled({"duration.longer": "block"}), ("checks", "duration.longer"), "no such check"),
    (RULED, ruled({"duration.long": "info"}), (*LONG, "severity"), "loosens the check, which is warn"),
    (RULED, ruled({"duration.long": "bad"}), (*LONG, "severity"), "no such severity"),
    (RULED, ruled({"duration.long": {"days": 31}}), (*LONG, "days"), "loosens the check, whose limit is 30 days"),
    (RULED, ruled({"duration.long": {"days": 3}}), (*LONG, "days"), "beyond what makes sense"),
    (RULED, ruled({"duration.long": {"days": True}}), (*LONG, "days"), "a number is expected"),
    (RULED, ruled({"duration.long": {"weeks": 3}}), (*LONG, "weeks"), "no such threshold"),
    (
        RULED,
        ruled({"duration.long": {"days": 21}}, surface={"duration.long": {"days": 28}}),
        (*STOREFRONT, "policy", *LONG, "days"),
        "loosens the check, whose limit is 21 days",
    ),
    (
        RULED,
        ruled({"duration.long": "block"}, surface={"duration.long": "block_unless_overridden"}),
        (*STOREFRONT, "policy", *LONG, "severity"),
        "loosens the check, which is block",
    ),
]


def test_a_sound_catalogue_has_no_problems() -> None:
    assert rules.problems(SOUND) == []


@pytest.mark.parametrize(("rule", "patch", "at", "says"), FAULTY, ids=[f"{row[0]}-{row[3]}" for row in FAULTY])
def test_a_rule_finds_its_fault(rule: str, patch: Patch, at: tuple[str | int, ...], says: str) -> None:
    [found] = [check for check in rules.RULES if check.__name__ == rule]
    problems = list(found(changed(patch)))
    assert [problem.message for problem in problems if problem.at == at and says in problem.message], problems


def test_every_rule_has_a_failing_example() -> None:
    assert {rule.__name__ for rule in rules.RULES} == {row[0] for row in FAULTY}


def test_an_unknown_name_comes_with_the_names_that_exist_and_the_nearest() -> None:
    [problem] = rules.problems(changed(surface(suggested_metrics=["order-rat"])))
    assert problem.allowed == sorted(SOUND.metrics)
    assert problem.nearest == ["order_rate"]
    assert problem.got == "order-rat"


def test_a_deprecated_metric_is_answered_with_its_successor() -> None:
    problems = rules.problems(changed(surface(suggested_metrics=["baskets"])))
    assert problems[0] == Problem(
        (*STOREFRONT, "suggested_metrics", 0), "the metric is deprecated", "baskets", nearest=["order_rate"]
    )


def test_a_metric_that_the_surface_guards_may_be_suggested_for_success_too() -> None:
    assert rules.problems(changed(surface(suggested_metrics=["substitution_rate"]))) == []


@pytest.mark.parametrize(
    "patch",
    [
        ruled({"duration.long": {"days": 21, "severity": "warn"}}, surface={"duration.long": {"days": 14}}),
        ruled({"blackout.window": "block"}, surface={"blackout.window": "block"}),
        ruled({"review.suggested": "block_unless_overridden"}, surface={"review.suggested": "block"}),
    ],
)
def test_a_catalogue_may_tighten_checks_and_a_surface_further(patch: Patch) -> None:
    assert rules.problems(changed(patch)) == []


def test_a_check_that_is_not_known_comes_with_the_nearest() -> None:
    [problem] = rules.problems(changed(ruled({"blackout.windows": "block"})))
    assert problem.nearest[0] == "blackout.window"


def test_a_check_that_would_be_loosened_comes_with_what_is_allowed() -> None:
    [severity, days] = rules.problems(changed(ruled({"blackout.window": "warn", "duration.long": {"days": 40}})))
    assert severity.allowed == ["block", "block_unless_overridden"]
    assert days.allowed == ["7 to 30 days"]


def test_shares_may_miss_one_by_a_rounding_error() -> None:
    tenths = dict.fromkeys("abcdefghij", 0.1)
    assert rules.problems(changed(attribute(shares={**tenths, "a": 0.1 + 1e-12}))) == []


def test_annotations_of_ones_own_are_allowed_in_a_schema() -> None:
    assert rules.problems(changed(schema({"x-unit": "columns", "type": "integer"}))) == []


def test_an_accrual_may_be_a_straight_line() -> None:
    straight = {"1": 90_000, "7": 630_000, "14": 1_260_000, "28": 2_520_000}
    assert rules.problems(changed(surface(accrual=straight))) == []
