"""Drafts and launches beside others and after them, through the whole application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app import plans, widening
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.model.answers import Checked, FindingView
from crossfade.core.model.brief import Brief
from crossfade.core.model.delivery import Assignment
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

GROCERY = Path(__file__).resolve().parents[2] / "catalogues" / "grocery"


class LaterClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
def app(tmp_path: Path, clock: LaterClock) -> Crossfade:
    return build(Settings(home=tmp_path, catalogue=GROCERY), "tester", clock)


BREAD: dict[str, Any] = {
    "surface": "storefront",
    "change": "The bakery comes first",
    "because": "Bread is in most baskets",
    "variants": {"bread": {"aisles": ["bakery", "fresh", "pantry"]}},
    "success_metrics": {"items_added": 0.2},
    "allocation": 0.6,
}
TILES: dict[str, Any] = {
    **BREAD,
    "change": "Four columns of tiles",
    "because": "More products fit on a screen",
    "variants": {"four": {"tile_columns": 4}},
}
REORDER: dict[str, Any] = {
    **BREAD,
    "change": "Last week's basket comes first",
    "because": "Most weeks are like the one before",
    "variants": {"again": {"reorder_first": True}},
}


def create(app: Crossfade, said: dict[str, Any], key: str, **changes: Any) -> Checked:
    return app.create_experiment(Brief.read({**said, "key": key, **changes}))


def change(app: Crossfade, key: str, what: Any) -> None:
    plan = app.plan_change(key, what)
    assert plan.digest is not None, plan
    app.approve(plan.digest, approved=True, assurance="terminal", by="tester")
    assert app.apply_plan(plan.digest).status == "applied"


def run(app: Crossfade, said: dict[str, Any], key: str, **changes: Any) -> None:
    create(app, said, key, **changes)
    change(app, key, "launch")


def told(answer: Checked, code: str) -> FindingView | None:
    return next((finding for finding in answer.findings if finding.code == code), None)


def findings(app: Crossfade, key: str) -> list[str]:
    """Codes of all that a plan of a launch finds, also of what only informs."""
    return [finding.code for finding in plans.plan(app.dependencies, key, "launch").findings]


class TestNeighbours:
    def test_one_component_changed_twice_is_told_with_key_owner_and_a_day_after(self, app: Crossfade) -> None:
        run(app, TILES, "four-columns", owner="tiles-team")
        found = told(create(app, REORDER, "basket-again"), "layer.interaction")
        assert found is not None
        assert "four-columns on storefront (owner tiles-team)" in found.message
        assert "component front-page" in found.message
        assert [fix.effect for fix in found.fixes or []] == ["start 2026-10-20, after them"]
        later = app.update_experiment("basket-again", 1, [fix.id for fix in found.fixes or []], {})
        assert told(later, "layer.interaction") is None

    def test_other_changes_for_the_same_units_only_inform_across_surfaces_too(self, app: Crossfade) -> None:
        basket = {**BREAD, "surface": "basket", "variants": {"few": {"proposal_count": 2}}}
        run(app, {**basket, "success_metrics": {"basket_value": None}}, "few-proposals", allocation=0.5)
        create(app, BREAD, "bread-first")
        assert "layer.neighbours" in findings(app, "bread-first")
        assert "layer.interaction" not in findings(app, "bread-first")

    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [({"region": ["south", "east", "west"]}, {"region": "north"}), ("region != north", "region = north")],
        ids=["maps", "texts"],
    )
    def test_audiences_that_no_household_shares_do_not_meet(
        self, app: Crossfade, theirs: dict[str, Any] | str, ours: dict[str, Any] | str
    ) -> None:
        run(app, TILES, "four-columns", audience=theirs)
        create(app, REORDER, "north-again", audience=ours)
        create(app, REORDER, "all-again")
        assert not {"layer.interaction", "layer.neighbours"} & {*findings(app, "north-again")}
        assert "layer.interaction" in findings(app, "all-again")

    def test_what_was_stopped_is_no_neighbour(self, app: Crossfade) -> None:
        run(app, TILES, "four-columns")
        change(app, "four-columns", "pause")
        assert told(create(app, REORDER, "first-try"), "layer.interaction") is not None
        change(app, "four-columns", "stop")
        assert told(create(app, REORDER, "second-try"), "layer.interaction") is None


class TestCarryOver:
    def test_buckets_that_nobody_used_lately_come_first(self, app: Crossfade) -> None:
        run(app, BREAD, "bread-first", allocation=0.3)
        change(app, "bread-first", "stop")
        create(app, REORDER, "basket-again", allocation=0.7)
        assert "allocation.rested" not in findings(app, "basket-again")
        change(app, "basket-again", "launch")
        assert app.get_experiment("basket-again").buckets == ["3000-9999"]

    def test_a_launch_on_units_of_the_last_experiment_is_warned_of_until_they_have_rested(
        self, app: Crossfade, clock: LaterClock
    ) -> None:
        run(app, BREAD, "bread-first", allocation=0.5)
        change(app, "bread-first", "stop")
        found = told(create(app, REORDER, "basket-again"), "allocation.rested")
        assert found is not None
        assert "bread-first" in found.message
        assert [fix.effect for fix in found.fixes or []] == [
            "start 2026-10-19, rested",
            "enter 0.5, all that has rested",
        ]
        clock.time += timedelta(days=14)
        assert "allocation.rested" not in findings(app, "basket-again")


class TestMemory:
    def test_a_near_copy_names_the_first_its_state_and_its_days(self, app: Crossfade, clock: LaterClock) -> None:
        run(app, BREAD, "bread-first")
        clock.time += timedelta(days=3)
        copy = create(app, BREAD, "bread-again", change="Bakery comes first", allocation=0.4)
        found = told(copy, "hypothesis.new")
        assert found is not None
        assert found.message == ("bread-first sets the same values: it varies aisles here and is running after 3 days.")
        follows = app.update_experiment("bread-again", 1, [fix.id for fix in found.fixes or []], {})
        assert told(follows, "hypothesis.new") is None

    def test_a_past_experiment_is_told_with_its_end_and_is_forgotten_after_a_year(
        self, app: Crossfade, clock: LaterClock
    ) -> None:
        run(app, BREAD, "bread-first")
        clock.time += timedelta(days=15)
        change(app, "bread-first", "stop")
        clock.time += timedelta(days=30)
        other = {"bread": {"aisles": ["bakery", "frozen", "fresh"]}}
        found = told(create(app, BREAD, "bread-again", variants=other), "hypothesis.new")
        assert found is not None
        assert found.message == (
            "bread-first has nearly the same hypothesis: it varies aisles here and was stopped on 2026-10-20 after "
            "15 days."
        )
        clock.time += timedelta(days=400)
        assert "hypothesis.new" not in findings(app, "bread-again")

    @pytest.mark.parametrize("said", [TILES, REORDER], ids=["tiles", "reorder"])
    def test_another_idea_is_no_copy(self, app: Crossfade, said: dict[str, Any]) -> None:
        run(app, BREAD, "bread-first", allocation=0.3)
        create(app, said, "another")
        assert "hypothesis.new" not in findings(app, "another")

    def test_a_draft_is_no_precedent_and_an_experiment_none_of_its_own(self, app: Crossfade) -> None:
        create(app, BREAD, "bread-first", allocation=0.2)
        create(app, BREAD, "bread-again", allocation=0.2)
        assert "hypothesis.new" not in findings(app, "bread-again")

    def test_a_search_ranks_by_fit_and_pages_on(self, app: Crossfade) -> None:
        for number in range(5):
            create(app, BREAD, f"bread-{number}", change=f"The bakery comes first, take {number}")
        create(app, TILES, "four-columns")
        first = app.find_experiments("columns of bakery tiles", limit=2)
        assert first.experiments[0].key == "four-columns"
        seen = [line.key for line in first.experiments]
        cursor = first.cursor
        while cursor is not None:
            page = app.find_experiments("columns of bakery tiles", limit=2, cursor=cursor)
            seen += [line.key for line in page.experiments]
            cursor = page.cursor
        assert sorted(seen) == [*(f"bread-{number}" for number in range(5)), "four-columns"]


def broken(**changes: Any) -> Callable[..., Assignment]:
    """The compiler of assignments with a fault in it."""
    sound = widening.assignment_of

    def compile_badly(*given: Any, **named: Any) -> Assignment:
        return sound(*given, **named).model_copy(update=changes)

    return compile_badly


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"seed": "live/storefront/shelves"}, "assignment.split"), ({"exclusions": []}, "assignment.holdouts")],
)
def test_an_assignment_that_fails_its_dry_run_gets_no_plan(
    app: Crossfade, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], code: str
) -> None:
    create(app, BREAD, "bread-first", allocation=0.3)
    assert app.plan_change("bread-first", "launch").ready
    monkeypatch.setattr(widening, "assignment_of", broken(**fault))
    refused = app.plan_change("bread-first", "launch")
    assert (refused.ready, refused.digest) == (False, None)
    assert [finding.code for finding in refused.findings if finding.severity == "block"] == [code]
