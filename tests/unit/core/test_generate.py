"""What a brief leaves open is chosen so that the experiment can run as it is."""

from __future__ import annotations

from datetime import date

import pytest

from crossfade.core.model.brief import Brief
from crossfade.core.planning.generate import Draft, generate

from ..checks.railway import catalogue_with


def drafted(today: date) -> Draft:
    """The railway's usual run takes 14 days; from 16 to 20 November none may run."""
    catalogue = catalogue_with({})
    brief = Brief.read(
        {
            "surface": "departures",
            "change": "Twelve rows",
            "because": "Nobody scrolls for a train",
            "variants": {"twelve": {"rows": 12}},
            "success_metrics": {"tickets_sold": 0.03},
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
