"""What a brief leaves open is chosen so that the experiment can run as it is."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import JsonValue

from crossfade.core.documents import JsonObject
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Spec
from crossfade.core.planning.generate import Draft, generate

from ..checks.railway import SPEC, TODAY, catalogue_with


def drafted(
    today: date,
    free: int = 10_000,
    earlier: Spec | None = None,
    catalogue: JsonObject | None = None,
    **said: object,
) -> Draft:
    """The railway's usual run takes 14 days; from 16 to 20 November none may run."""
    entries = catalogue_with(catalogue or {})
    brief = Brief.read(
        {
            "surface": "departures",
            "change": "Twelve rows",
            "because": "Nobody scrolls for a train",
            "variants": {"twelve": {"rows": 12}},
            "success_metrics": {"tickets_sold": 0.03},
            **said,
        }
    )
    production = {name: each.initial for name, each in entries.surfaces["departures"].parameters.items()}
    return generate(brief, entries, production, {"list": free, "looks": free}, earlier, today)


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


def test_a_reason_goes_when_the_caller_sets_its_place() -> None:
    weights = {"control": {"weight": 0.9}, "twelve": {"weight": 0.1}}
    assert drafted(TODAY).generated["/variants"] == "weights 0.5 / 0.5"
    assert "/variants" not in drafted(TODAY, more={"variants": weights}).generated
    assert "/owner" not in drafted(TODAY, more={"owner": "timetables"}).generated


def test_an_owner_that_is_taken_over_is_not_called_the_surfaces_team() -> None:
    assert drafted(TODAY).generated["/owner"] == "the surface's team"
    earlier = Spec.model_validate({**SPEC, "owner": "timetables"})
    draft = drafted(TODAY, earlier=earlier, iterates="board-by-platform")
    assert (draft.document["owner"], draft.generated["/owner"]) == ("timetables", "as in board-by-platform")
    nobody = drafted(TODAY, earlier=Spec.model_validate({**SPEC, "owner": ""}), iterates="board-by-platform")
    assert (nobody.document["owner"], nobody.generated["/owner"]) == ("boards", "the surface's team")


def test_a_run_that_resolves_nothing_is_not_said_to_resolve_everything() -> None:
    tiny = drafted(TODAY, success_metrics={"tickets_sold": 0.0001}).generated
    assert tiny["/design/days"] == "28 days: the longest that is chosen unasked"
    assert tiny["/allocation"] == "50 %: the most that is taken unasked; all of it would not be enough"
    assert drafted(TODAY).generated["/design/days"].endswith("days: whole weeks that every metric can be resolved in")


def test_where_nothing_is_free_the_usual_allocation_is_not_called_all_that_is_free() -> None:
    assert drafted(TODAY, free=0).generated["/allocation"] == "50 %: the surface's usual, while nothing is free"
    assert drafted(TODAY, free=10).generated["/allocation"] == "0.1 %: all that is free, and not enough"
    assert drafted(TODAY).generated["/allocation"].endswith("enough for every metric")


def sequential(**more: JsonValue) -> Draft:
    """A draft of a brief with these other fields."""
    return drafted(date(2026, 10, 5), more=more)


def design_of(draft: Draft) -> JsonObject:
    design = draft.document["design"]
    assert isinstance(design, dict)
    return design


def test_a_draft_is_of_a_fixed_design_unless_somebody_asks_for_another() -> None:
    design = design_of(sequential())
    assert (design["kind"], "looks" in design) == ("fixed", False)


def test_a_sequential_draft_looks_at_the_end_of_each_week_and_tells_what_that_costs() -> None:
    draft = sequential(design={"kind": "group_sequential"})
    assert design_of(draft)["looks"] == [0.6667, 1.0]
    assert draft.generated["/design/looks"].startswith("at the end of each week; ")
    assert draft.generated["/design/looks"].endswith("% more units than for one look")


@pytest.mark.parametrize("asked", [{"looks": [0.7, 1]}, {"spending": "pocock"}, {"rho": 3}], ids=str)
def test_who_plans_looks_gets_a_sequential_design(asked: JsonObject) -> None:
    draft = sequential(design=asked)
    assert design_of(draft)["kind"] == "group_sequential"
    assert design_of(draft)["looks"] == asked.get("looks", [0.6667, 1.0])


def test_a_surface_may_ask_for_sequential_designs() -> None:
    world: JsonObject = {"surfaces": {"departures": {"policy": {"design": "group_sequential"}}}}
    draft = drafted(date(2026, 10, 5), catalogue=world)
    assert design_of(draft)["kind"] == "group_sequential"
    assert design_of(draft)["looks"] == [0.6667, 1.0]
    assert "group sequential" in draft.generated["/design"]


def test_a_sequential_draft_enters_more_units_than_a_fixed_one() -> None:
    def share(**design: JsonValue) -> float:
        wide: JsonObject = {"surfaces": {"departures": {"policy": {"max_allocation": 1}}}}
        more: JsonObject = {"metrics": {"tickets_sold": {"mde": 0.014}}, "design": {"days": 14, **design}}
        draft = drafted(date(2026, 10, 5), catalogue=wide, more=more)
        allocation = draft.document["allocation"]
        assert isinstance(allocation, float)
        return allocation

    assert 0.5 < share() < share(kind="group_sequential", spending="pocock") <= 1


def test_looks_wait_for_the_longest_window() -> None:
    late: JsonObject = {"metrics": {"broken_pages": {"window_days": 14}}}
    draft = drafted(date(2026, 10, 5), catalogue=late, more={"design": {"kind": "group_sequential"}})
    assert design_of(draft)["days"] == 21
    assert design_of(draft)["looks"] == [0.7888, 1.0]


def sized(draft: Draft) -> tuple[object, object]:
    """(days, allocation)."""
    design = draft.document["design"]
    assert isinstance(design, dict)
    return design["days"], draft.document["allocation"]


SPRING = date(2026, 3, 2)


def drafted_under(policy: JsonObject, effect: float = 0.0155) -> Draft:
    """A draft far from every blackout, under a policy of the surface."""
    entries: JsonObject = {"surfaces": {"departures": {"policy": policy}}}
    return drafted(SPRING, catalogue=entries, success_metrics={"tickets_sold": effect})


def test_a_longer_run_is_chosen_before_more_than_half_of_a_layer() -> None:
    days, allocation = sized(drafted_under({"allocation": 0.1, "max_days": 28}))
    assert days == 21
    assert isinstance(allocation, float)
    assert 0.1 < allocation <= 0.5


def test_a_surface_may_allow_more_of_its_layers_unasked() -> None:
    days, allocation = sized(drafted_under({"allocation": 0.1, "max_days": 28, "max_allocation": 1}))
    assert days == 14
    assert isinstance(allocation, float)
    assert allocation > 0.5


def test_what_would_be_enough_is_told_where_it_is_not_taken() -> None:
    draft = drafted_under({"allocation": 0.1, "max_days": 14})
    assert sized(draft) == (14, 0.5)
    assert draft.generated["/allocation"].startswith("50 %: the most that is taken unasked; ")
    assert draft.generated["/allocation"].endswith(" % would be enough")
    assert draft.generated["/design/days"] == "14 days: the longest that is chosen unasked"


def test_all_that_is_free_is_told_when_it_is_not_enough() -> None:
    draft = drafted_under({}, 0.001)
    assert draft.generated["/allocation"] == "50 %: the most that is taken unasked; all of it would not be enough"
