"""What a brief leaves open is chosen so that the experiment can run as it is."""

from __future__ import annotations

from datetime import date

import pytest

from crossfade.core.documents import JsonObject
from crossfade.core.model.brief import Brief
from crossfade.core.planning.generate import Draft, generate

from ..checks.railway import catalogue_with


def drafted(today: date, effect: float = 0.03, policy: JsonObject | None = None) -> Draft:
    """The railway's usual run takes 14 days; from 16 to 20 November none may run."""
    catalogue = catalogue_with({"surfaces": {"departures": {"policy": policy or {}}}})
    brief = Brief.read(
        {
            "surface": "departures",
            "change": "Twelve rows",
            "because": "Nobody scrolls for a train",
            "variants": {"twelve": {"rows": 12}},
            "success_metrics": {"tickets_sold": effect},
        }
    )
    production = {name: each.initial for name, each in catalogue.surfaces["departures"].parameters.items()}
    return generate(brief, catalogue, production, {"list": 10_000, "looks": 10_000}, None, today)


@pytest.mark.parametrize(
    ("today", "days"),
    [
        pytest.param(date(2026, 11, 2), 14, id="its last day is the day before the blackout"),
        pytest.param(date(2026, 11, 3), 7, id="fourteen days would meet it by one, seven do not"),
        pytest.param(date(2026, 11, 12), 14, id="even a week meets it, so the usual length stays"),
        pytest.param(date(2026, 11, 21), 14, id="it is over"),
    ],
)
def test_the_duration_is_the_longest_usual_one_that_ends_before_a_blackout(today: date, days: int) -> None:
    design = drafted(today).document["design"]
    assert isinstance(design, dict)
    assert design["days"] == days


def sized(draft: Draft) -> tuple[object, object]:
    """(days, allocation)."""
    design = draft.document["design"]
    assert isinstance(design, dict)
    return design["days"], draft.document["allocation"]


SPRING = date(2026, 3, 2)


def test_a_longer_run_is_chosen_before_more_than_half_of_a_layer() -> None:
    days, allocation = sized(drafted(SPRING, 0.0155, {"allocation": 0.1, "max_days": 28}))
    assert days == 21
    assert isinstance(allocation, float)
    assert 0.1 < allocation <= 0.5


def test_a_surface_may_allow_more_of_its_layers_unasked() -> None:
    days, allocation = sized(drafted(SPRING, 0.0155, {"allocation": 0.1, "max_days": 28, "max_allocation": 1}))
    assert days == 14
    assert isinstance(allocation, float)
    assert allocation > 0.5


def test_what_would_be_enough_is_told_where_it_is_not_taken() -> None:
    draft = drafted(SPRING, 0.0155, {"allocation": 0.1, "max_days": 14})
    assert sized(draft) == (14, 0.5)
    assert draft.generated["/allocation"].startswith("50 %: the most that is taken unasked; ")
    assert draft.generated["/allocation"].endswith(" % would be enough")
    assert draft.generated["/design/days"] == "14 days: the longest that is chosen unasked"


def test_all_that_is_free_is_told_when_it_is_not_enough() -> None:
    draft = drafted(SPRING, 0.001)
    assert draft.generated["/allocation"] == "50 %: the most that is taken unasked; all of it would not be enough"
