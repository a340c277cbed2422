"""Both catalogues load, and what the streaming one claims makes good experiments possible."""

from datetime import date
from pathlib import Path

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core.catalogue_rules import problems
from crossfade.core.model.catalogue import Catalogue
from crossfade.core.statistics.accrual import eligible_units
from crossfade.core.statistics.multiplicity import adjusted_power
from crossfade.core.statistics.sample_sizes import required_units, required_units_for_margin

ROOT = Path(__file__).resolve().parents[2]
STREAMING = YamlCatalogue(ROOT / "examples" / "streaming").current()
GROCERY = YamlCatalogue(ROOT / "tests" / "catalogues" / "grocery").current()

both = pytest.mark.parametrize("catalogue", [STREAMING, GROCERY], ids=["streaming", "grocery"])


def allocation_for_success(catalogue: Catalogue, surface: str, metric: str, days: int, effect: float) -> float:
    """Share of the eligible units that two equal variants need to find a relative effect, at the surface's policy."""
    here, measured = catalogue.surfaces[surface], catalogue.metrics[metric]
    signed = effect if measured.better == "up" else -effect
    units = required_units(measured, signed, here.policy.alpha, power_on(catalogue, surface))
    assert units is not None
    return 2 * units / eligible_units(here.accrual, days)


def allocation_for_guardrails(catalogue: Catalogue, surface: str, days: int) -> float:
    """The same for the required guardrail that asks for most units."""
    here = catalogue.surfaces[surface]
    most = 0.0
    for name, required in here.required_metrics.items():
        metric = catalogue.metrics[name]
        margin = required.margin or metric.margin
        assert margin is not None
        units = required_units_for_margin(metric, margin, here.policy.alpha, power_on(catalogue, surface))
        assert units is not None
        most = max(most, 2 * units)
    return most / eligible_units(here.accrual, days)


def power_on(catalogue: Catalogue, surface: str) -> float:
    here = catalogue.surfaces[surface]
    guardrails = sum(required.role == "guardrail" for required in here.required_metrics.values())
    return adjusted_power(here.policy.power, 1, guardrails)


@both
def test_a_catalogue_loads_without_problems(catalogue: Catalogue) -> None:
    assert problems(catalogue) == []


@both
def test_each_surface_has_a_success_metric_that_its_longest_run_can_decide(catalogue: Catalogue) -> None:
    for key, surface in catalogue.surfaces.items():
        days = surface.policy.max_days
        needed = {
            name: allocation_for_success(catalogue, key, name, days, catalogue.metrics[name].mde or 0)
            for name in surface.suggested_metrics
        }
        assert min(needed.values()) <= 1, (key, needed)


@both
def test_each_surface_can_clear_its_guardrails_in_its_usual_run(catalogue: Catalogue) -> None:
    for key, surface in catalogue.surfaces.items():
        assert allocation_for_guardrails(catalogue, key, surface.policy.days) <= 1, key


def test_home_finds_one_percent_in_two_weeks_with_less_than_a_third_of_its_listeners() -> None:
    assert STREAMING.surfaces["home"].suggested_metrics[0] == "minutes_played"
    assert allocation_for_success(STREAMING, "home", "minutes_played", 14, 0.01) < 0.3
    assert allocation_for_guardrails(STREAMING, "home", 14) < 0.3


def test_the_smallest_surface_needs_four_weeks_and_at_least_half_of_its_units() -> None:
    smallest = min(STREAMING.surfaces, key=lambda key: STREAMING.surfaces[key].accrual[28])
    assert smallest == "onboarding"
    needed = max(
        allocation_for_guardrails(STREAMING, smallest, 28),
        allocation_for_success(STREAMING, smallest, "minutes_played", 28, 0.009),
    )
    assert 0.5 <= needed <= 1


def test_the_example_is_rich_enough_to_be_used_in_earnest() -> None:
    assert {
        "home",
        "search",
        "now_playing",
        "library",
        "podcast_page",
        "push_notifications",
    } <= STREAMING.surfaces.keys()
    assert len(STREAMING.surfaces) >= 7
    assert len(STREAMING.metrics) >= 25
    assert len(STREAMING.attributes) >= 15
    assert {surface.unit for surface in STREAMING.surfaces.values()} == {"user", "device"}
    for key, surface in STREAMING.surfaces.items():
        assert 3 <= len(surface.parameters) <= 8, key
        assert 2 <= len(surface.layers) <= 3, key
        assert {required.role for required in surface.required_metrics.values()} == {"guardrail"}, key


@pytest.mark.parametrize(
    ("words", "surface", "parameter"),
    [
        ("shelf order", "home", "shelf_order"),
        ("made-for-you first", "home", "shelf_order"),
        ("ranking of search results", "search", "results_ranking"),
        ("autoplay", "now_playing", "autoplay"),
        ("notification time", "push_notifications", "notification_time"),
        ("free trial", "premium_upsell", "trial_days"),
        ("offline", "library", "download_prompt"),
    ],
)
def test_plain_words_stand_in_the_description_of_what_they_mean(words: str, surface: str, parameter: str) -> None:
    found = STREAMING.surfaces[surface].parameters[parameter]
    text = f"{parameter.replace('_', ' ')} {found.description}".lower()
    assert words in text


def test_norway_is_a_country_without_quotes() -> None:
    text = (ROOT / "examples" / "streaming" / "attributes.yaml").read_text(encoding="utf-8")
    assert "      NO: 0.008\n" in text
    assert STREAMING.attributes["country"].shares["NO"] == 0.008


def test_the_example_has_a_blackout_that_is_over_and_the_campaign_at_the_end_of_the_year() -> None:
    windows = [(blackout.start, blackout.end) for blackout in STREAMING.surfaces["home"].blackouts]
    assert (date(2026, 12, 18), date(2027, 1, 2)) in windows
    assert min(end for _, end in windows) < date(2026, 11, 1)


def test_delivery_paths_are_relative_to_the_home_of_the_server() -> None:
    for name, environment in STREAMING.environments.items():
        paths = {key: (backend.kind, backend.settings["path"]) for key, backend in environment.backends.items()}
        assert paths == {
            "payload": ("growthbook_file", f"delivery/{name}/growthbook.json"),
            "parameters": ("parameters_folder", f"delivery/{name}/parameters"),
        }
        assert (environment.default.assigner, environment.default.content) == ("payload", ["parameters"])


def test_the_two_catalogues_share_no_name() -> None:
    for section in ("units", "attributes", "metrics", "surfaces", "holdouts", "environments"):
        assert not getattr(STREAMING, section).keys() & getattr(GROCERY, section).keys()
