"""A covariate helps as far as the units of an audience have a past."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core import audience as audiences
from crossfade.core.model.catalogue import Attribute, Catalogue
from crossfade.core.planning.history import with_history

ROOT = Path(__file__).resolve().parents[3]
STREAMING = YamlCatalogue(ROOT / "examples" / "streaming").current()
FIRST_ORDER = Attribute(type="date", description="Day of the first order.", age_of="household")
GROCERY = YamlCatalogue(ROOT / "tests" / "catalogues" / "grocery").current()
SHOP = GROCERY.model_copy(update={"attributes": {**GROCERY.attributes, "first_order": FIRST_ORDER}})
TODAY = date(2026, 10, 5)
OLDER = 1 - 0.022
"""Share of the streaming listeners whose account is a week old, as old as a covariate's window."""


def kept(catalogue: Catalogue, surface: str, metric: str, audience: str) -> float:
    """The share of the reduction that is left: what the covariate takes off here, over what it takes off of all."""
    parsed, faults = audiences.parse(audience, catalogue.attributes)
    assert not faults
    measured = catalogue.metrics[metric]
    found = with_history(measured, catalogue, surface, parsed, TODAY)
    return (1 - found.unexplained) / (1 - measured.unexplained)


@pytest.mark.parametrize(
    ("audience", "left"),
    [
        ("country = SE", 1),
        ("account_age_days < 7", 0),
        ("account_age_days exists and account_age_days < 3 and country = SE", 0),
        ("account_age_days >= 30", 1),
        ("account_age_days < 30", (0.071 - 0.022) / 0.071 / OLDER),
        ("account_age_days < 7 or account_age_days >= 365", (1 - 0.362) / (1 - 0.362 + 0.022) / OLDER),
    ],
)
def test_a_covariate_helps_less_where_more_units_are_new(audience: str, left: float) -> None:
    assert kept(STREAMING, "home", "minutes_played", audience) == pytest.approx(left)


def test_a_surface_for_new_units_has_no_help_of_a_covariate() -> None:
    assert kept(STREAMING, "onboarding", "minutes_played", "country = SE") == 0


@pytest.mark.parametrize(
    ("audience", "left"),
    [
        ("first_order >= 2026-10-01", 0),
        ("first_order <= 2026-09-28", 1),
        ("first_order <= 2026-09-29", 0),
        ("region = south", 1),
    ],
)
def test_where_the_ages_are_not_distributed_only_units_that_must_have_a_past_count(audience: str, left: float) -> None:
    assert kept(SHOP, "storefront", "basket_value", audience) == left


def test_the_age_of_another_unit_says_nothing() -> None:
    assert kept(STREAMING, "push_notifications", "device_minutes_played", "account_age_days < 7") == 1
