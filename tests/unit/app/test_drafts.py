"""Drafts: repeating a call is safe, a stale one is refused, and what the server chose is told from what was set."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest

from crossfade.core.app.cases import examine
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.views import HALF, size_of
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Conflict, Invalid, NotAllowed, NotFound
from crossfade.core.model.answers import Checked
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Record
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from ...e2e.journey import pasted

GROCERY = Path(__file__).resolve().parents[2] / "catalogues" / "grocery"
KEY = "bread-first"
LAUNCH = f'plan_change(key="{KEY}", change="launch"); ask the reviewers first: storefront-team'


class MondayClock:
    def now(self) -> datetime:
        return datetime(2026, 10, 5, 9, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def app(tmp_path: Path) -> Crossfade:
    return build(Settings(home=tmp_path, catalogue=GROCERY), "tester", MondayClock())


def brief(**changes: object) -> Brief:
    """The bakery first, for the households of two regions, unless changed."""
    said: dict[str, object] = {
        "surface": "storefront",
        "change": "The bakery comes first",
        "because": "Bread is in most baskets",
        "variants": {"bread": {"aisles": ["bakery", "fresh", "pantry"]}},
        "success_metrics": {"items_added": None},
        "key": KEY,
    }
    return Brief.read({**said, **changes})


def kept(app: Crossfade, key: str = KEY) -> Record:
    with app.dependencies.store.read() as view:
        record = view.experiment(key)
    assert record is not None
    return record


def events(app: Crossfade, key: str = KEY) -> list[str]:
    with app.dependencies.store.read() as view:
        return [event.what for event in view.audit_of(key, 100)][::-1]


def launch(app: Crossfade, key: str = KEY) -> None:
    plan = app.plan_change(key, "launch")
    assert plan.digest is not None, plan.next
    app.approve(plan.digest, approved=True, assurance="terminal", by="tester")
    assert app.apply_plan(plan.digest).status == "applied"


def codes(answer: Checked) -> list[str]:
    return [finding.code for finding in answer.findings if finding.severity.startswith("block")]


def fixes(answer: Checked) -> list[str]:
    """Ids of the fixes that an answer offers."""
    return [fix.id for finding in answer.findings for fix in finding.fixes or []]


MISSPELT: JsonObject = {"bread": {"aisles": ["Bakery", "fresh", "pantry"]}}


class TestCreate:
    def test_a_repeat_answers_the_same_and_keeps_one_draft(self, app: Crossfade) -> None:
        first, second = app.create_experiment(brief()), app.create_experiment(brief())
        assert first == second
        assert [line.key for line in app.find_experiments().experiments] == [KEY]
        assert events(app) == ["experiment_created"]

    def test_a_repeat_without_a_key_finds_the_same_draft(self, app: Crossfade) -> None:
        first, second = app.create_experiment(brief(key=None)), app.create_experiment(brief(key=None))
        assert first == second
        assert len(app.find_experiments().experiments) == 1

    def test_a_repeat_after_an_update_answers_with_the_draft_as_it_is(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        app.update_experiment(KEY, 1, [], {"allocation": 0.9})
        again = app.create_experiment(brief())
        assert again.version == 2
        assert kept(app).document["allocation"] == 0.9

    def test_a_repeat_after_the_launch_does_not_ask_for_another(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        launch(app)
        again = app.create_experiment(brief())
        assert (again.state, again.version) == ("running", 1)
        assert again.next == f'get_experiment(key="{KEY}")'

    @pytest.mark.parametrize(
        "changes",
        [{"because": "It smells good"}, {"allocation": 0.6}, {"variants": {"bread": {"reorder_first": True}}}],
        ids=["mechanism", "allocation", "variants"],
    )
    def test_another_brief_under_the_same_key_is_a_conflict(self, app: Crossfade, changes: dict[str, object]) -> None:
        app.create_experiment(brief())
        before = kept(app)
        with pytest.raises(Conflict) as conflict:
            app.create_experiment(brief(**changes))
        assert conflict.value.pointer == "/key"
        assert f'key="{KEY}", version=1' in conflict.value.next
        assert kept(app) == before

    def test_two_ways_to_write_one_brief_are_one_brief(self, app: Crossfade) -> None:
        first = app.create_experiment(brief())
        same = brief(success_metrics="items_added", variants=[{"key": "bread", **listed()}], audience={}, owner=None)
        assert app.create_experiment(same) == first

    def test_an_unknown_surface_is_answered_with_the_nearest(self, app: Crossfade) -> None:
        with pytest.raises(NotFound) as missing:
            app.create_experiment(brief(surface="store_front_page"))
        assert missing.value.nearest == ["storefront"]
        assert app.find_experiments().experiments == []

    def test_a_name_that_differs_in_case_only_is_read_and_told(self, app: Crossfade) -> None:
        variants: JsonObject = {"Bread First": {"Tile-Columns": 4}}
        answer = app.create_experiment(brief(surface="Storefront", variants=variants))
        assert answer.ready
        assert answer.generated is not None
        assert answer.generated["/variants/bread-first"] == "read from Bread First"
        assert answer.generated["/variants/bread-first/parameters/tile_columns"] == "read from Tile-Columns"
        assert kept(app).document["surface"] == "storefront"

    def test_production_values_that_are_repeated_are_left_out(self, app: Crossfade) -> None:
        variants: JsonObject = {"control": {"tile_columns": 3}, "four": {"reorder_first": False, "tile_columns": 4}}
        answer = app.create_experiment(brief(variants=variants))
        spec = app.get_experiment(KEY).variants or {}
        assert answer.ready
        assert list(spec) == ["control", "four"]
        assert spec["four"].parameters == {"tile_columns": 4}


def listed() -> JsonObject:
    return {"parameters": {"aisles": ["bakery", "fresh", "pantry"]}}


class TestUpdate:
    def test_a_change_makes_a_version_and_says_what_differs(self, app: Crossfade) -> None:
        app.create_experiment(brief(allocation=0.5))
        answer = app.update_experiment(KEY, 1, [], {"allocation": 0.75})
        assert answer.version == 2
        assert answer.changed == {"/allocation": [0.5, 0.75]}
        assert events(app) == ["experiment_created", "experiment_updated"]

    def test_a_null_that_is_taken_out_is_a_change(self, app: Crossfade) -> None:
        app.create_experiment(
            brief(variants={"bread": {"aisles": ["bakery", "fresh", "pantry"], "tile_columns": None}})
        )
        answer = app.update_experiment(KEY, 1, [], {"variants": {"bread": {"parameters": {"tile_columns": None}}}})
        assert (answer.version, answer.ready) == (2, True)
        assert answer.changed == {"/variants/bread/parameters/tile_columns": [None, "absent"]}
        assert "tile_columns" not in str(kept(app).document)

    def test_a_repeat_answers_the_same_and_makes_no_version(self, app: Crossfade) -> None:
        fix = fixes(app.create_experiment(brief(variants=MISSPELT)))
        first = app.update_experiment(KEY, 1, fix, {"allocation": 0.9})
        second = app.update_experiment(KEY, 1, fix, {"allocation": 0.9})
        assert first == second
        assert kept(app).version == 2
        assert events(app) == ["experiment_created", "experiment_updated"]

    def test_fixes_come_first_and_changes_have_the_last_word(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(allocation=50))
        app.update_experiment(KEY, 1, fixes(answer)[:1], {"allocation": 0.8})
        assert kept(app).document["allocation"] == 0.8

    def test_a_stale_version_is_a_conflict_that_names_the_current_one(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        app.update_experiment(KEY, 1, [], {"allocation": 0.9})
        with pytest.raises(Conflict) as conflict:
            app.update_experiment(KEY, 1, [], {"allocation": 0.8})
        assert conflict.value.allowed == ["2"]
        assert f'update_experiment(key="{KEY}", version=2' in conflict.value.next
        assert kept(app).document["allocation"] == 0.9

    def test_a_repeat_from_two_versions_ago_is_a_conflict(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        app.update_experiment(KEY, 1, [], {"allocation": 0.9})
        app.update_experiment(KEY, 2, [], {"allocation": 0.8})
        with pytest.raises(Conflict):
            app.update_experiment(KEY, 1, [], {"allocation": 0.9})

    def test_a_version_that_is_still_to_come_is_a_conflict(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        with pytest.raises(Conflict) as conflict:
            app.update_experiment(KEY, 2, [], {"allocation": 0.9})
        assert conflict.value.allowed == ["1"]

    def test_a_change_to_the_value_that_is_there_makes_no_version(self, app: Crossfade) -> None:
        app.create_experiment(brief(allocation=0.9))
        assert app.update_experiment(KEY, 1, [], {"allocation": 0.9}).version == 1
        assert events(app) == ["experiment_created"]

    def test_an_update_of_nothing_is_refused(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        with pytest.raises(Invalid):
            app.update_experiment(KEY, 1, [], {})

    def test_an_unknown_fix_is_answered_with_those_on_offer(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(variants=MISSPELT, allocation=50))
        offered = fixes(answer)
        with pytest.raises(Invalid) as unknown:
            app.update_experiment(KEY, 1, ["payload.schema"], {})
        assert unknown.value.pointer == "/fixes"
        assert unknown.value.allowed == sorted(offered)
        assert unknown.value.nearest == [fix for fix in offered if fix.startswith("payload.schema.")]
        assert kept(app).version == 1

    def test_a_fix_that_has_been_applied_is_no_longer_on_offer(self, app: Crossfade) -> None:
        fix = fixes(app.create_experiment(brief(variants=MISSPELT)))
        app.update_experiment(KEY, 1, fix, {})
        with pytest.raises(Invalid):
            app.update_experiment(KEY, 2, fix, {})

    def test_a_fix_is_what_was_offered_or_is_refused_with_what_is_offered_now(self, app: Crossfade) -> None:
        """A neighbour has taken the buckets that the fix would enter, so another allocation is offered."""
        then = fixes(app.create_experiment(brief(allocation=0.1, duration_days=14)))
        app.create_experiment(brief(key="neighbour", variants={"four": {"reorder_first": True}}, allocation=0.75))
        launch(app, "neighbour")
        with pytest.raises(Invalid) as refused:
            app.update_experiment(KEY, 1, then, {})
        now = fixes(app.create_experiment(brief(allocation=0.1, duration_days=14)))
        assert set(then).isdisjoint(now)
        assert refused.value.nearest == now
        assert app.update_experiment(KEY, 1, now, {}).ready

    def test_a_running_experiment_is_not_changed(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        launch(app)
        before = kept(app)
        with pytest.raises(NotAllowed) as refused:
            app.update_experiment(KEY, 1, [], {"allocation": 0.9})
        assert refused.value.got == ["allocation"]
        assert "name" in refused.value.allowed
        assert kept(app) == before

    def test_an_unknown_experiment_is_answered_with_the_nearest(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        with pytest.raises(NotFound) as missing:
            app.update_experiment("bread-frist", 1, [], {"allocation": 0.9})
        assert missing.value.nearest == [KEY]


class TestNext:
    def test_a_ready_draft_is_launched(self, app: Crossfade) -> None:
        assert app.create_experiment(brief()).next == LAUNCH

    def test_what_shows_only_after_a_fix_is_mended_in_the_same_call(self, app: Crossfade) -> None:
        """Only one region in five is left once its name is read, and the usual share of it is too small."""
        answer = app.create_experiment(brief(audience={"regoin": "east"}, allocation=0.5))
        assert codes(answer) == ["audience.attributes_known"]
        assert answer.next.startswith(
            f'update_experiment(key="{KEY}", version=1, fixes=["{fixes(answer)[0]}"], changes={{'
        )

    def test_a_fault_that_only_a_person_can_mend_is_pointed_at(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(because="better", variants=MISSPELT))
        assert answer.next == (
            f'update_experiment(key="{KEY}", version=1, fixes=["{fixes(answer)[0]}"], changes={{...}}) '
            "at /hypothesis/because"
        )

    def test_a_variant_like_production_is_not_made_an_a_a_test_by_itself(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(variants={"bread": {"aisles": ["fresh", "bakery", "pantry"]}}))
        assert codes(answer) == ["payload.differs"]
        assert answer.next.endswith("changes={...}) at /variants/bread/parameters")

    def test_an_unknown_environment_does_not_hide_what_else_is_wrong(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        answer = app.update_experiment(KEY, 1, [], {"environment": "nowhere", "design": {"alpha": 0.2}})
        assert codes(answer) == ["environment.known", "design.policy"]

    def test_bounds_the_other_way_round_are_turned(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(audience={"orders_placed": {"gte": 40, "lt": 30}}))
        assert next(fix.effect for fix in answer.findings[0].fixes or []) == "ask for orders_placed gte 30, lt 40"

    def test_an_impossible_audience_is_not_widened_by_itself(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(audience={"orders_placed": {"gte": 40, "lt": 40}}))
        assert "audience.satisfiable" in codes(answer)
        assert "changes={...}) at /audience/orders_placed" in answer.next

    def test_a_launch_can_be_planned_before_its_day(self, app: Crossfade) -> None:
        app.beat("sweeper", 60)
        answer = app.create_experiment(brief(start="2026-10-19"))
        assert answer.ready
        assert answer.next == LAUNCH
        assert app.plan_change(KEY, "launch").ready


SLIPS: dict[str, dict[str, object]] = {
    "value": {"variants": MISSPELT},
    "part of a list": {"variants": {"bread": {"aisles": ["bakery"]}}},
    "parameter": {"variants": {"bread": {"tile_column": 5}}},
    "variant": {"variants": {"Bread First": {"reorder_first": "True"}}},
    "percent": {"allocation": 90},
    "effect as percent": {"success_metrics": {"items_added": 2}},
    "effect of a loss": {"success_metrics": {"basket_value": -0.03}},
    "metric": {"success_metrics": "item_added"},
    "deprecated metric": {"success_metrics": ["baskets"]},
    "attribute": {"audience": {"ragion": "south"}},
    "case of a value": {"audience": {"region": ["South", "WEST"]}},
    "too short": {"duration_days": 3},
    "unknown field": {"more": {"onwer": "bakers"}},
    "field of a metric": {"more": {"metrics": {"page_errors": {"marign": 0.1}}}},
    "past": {"start": "2026-10-01"},
}
"""What people get wrong in a brief, by the argument that it is in."""
MISTAKEN = [pair for pair in combinations(SLIPS, 2) if not SLIPS[pair[0]].keys() & SLIPS[pair[1]].keys()]


@pytest.mark.parametrize("slips", [*((slip,) for slip in SLIPS), *MISTAKEN], ids=" + ".join)
def test_slips_are_mended_by_the_one_call_that_the_reply_proposes(app: Crossfade, slips: tuple[str, ...]) -> None:
    answer = app.create_experiment(brief(**{name: value for slip in slips for name, value in SLIPS[slip].items()}))
    assert not answer.ready
    tool, call = pasted(answer.next)
    assert tool == "update_experiment"
    mended = app.update_experiment(call["key"], call["version"], call.get("fixes", []), call.get("changes", {}))
    assert codes(mended) == []
    assert mended.next.endswith(LAUNCH)


class TestFrom:
    """Iterating on an earlier experiment."""

    def earlier(self, app: Crossfade) -> None:
        more: JsonObject = {
            "design": {"alpha": 0.04, "days": 21},
            "metrics": {"late_deliveries": {"role": "guardrail", "margin": 0.09}},
            "tags": ["bakery"],
        }
        audience: JsonObject = {"region": ["north", "south", "west"]}
        app.create_experiment(brief(audience=audience, allocation=0.9, owner="bakers", more=more))

    def follow(self, app: Crossfade, **changes: object) -> Checked:
        variants: JsonObject = {"bread-last": {"aisles": ["fresh", "pantry", "bakery"]}}
        return app.create_experiment(brief(**{"key": "bread-last", "iterates": KEY, "variants": variants, **changes}))

    def test_audience_guardrails_and_design_are_taken_over(self, app: Crossfade) -> None:
        self.earlier(app)
        self.follow(app)
        one, other = kept(app).document, kept(app, "bread-last").document
        for part in ("audience", "metrics", "design", "allocation", "owner", "tags"):
            assert other[part] == one[part], part
        assert other["variants"] != one["variants"]
        assert other["iterates"] == KEY

    def test_it_has_to_name_an_experiment_however_it_is_said(self, app: Crossfade) -> None:
        self.earlier(app)
        patch: JsonObject = {"iterates": "bread-frist"}
        with pytest.raises(NotFound) as refused:
            self.follow(app, iterates=None, more=patch)
        assert refused.value.pointer == "/more/iterates"
        self.follow(app)
        with pytest.raises(NotFound) as refused:
            app.update_experiment("bread-last", 1, [], patch)
        assert refused.value.pointer == "/changes/iterates"
        assert kept(app, "bread-last").version == 1

    def test_what_is_taken_over_is_told(self, app: Crossfade) -> None:
        self.earlier(app)
        generated = self.follow(app).generated or {}
        assert {generated[f"/{part}"] for part in ("audience", "design", "allocation")} == {f"as in {KEY}"}

    def test_what_the_brief_says_wins(self, app: Crossfade) -> None:
        self.earlier(app)
        self.follow(app, audience={"region": "north"}, allocation=1.0, duration_days=28, owner="millers")
        document = kept(app, "bread-last").document
        assert document["audience"] == {"region": "north"}
        assert (document["allocation"], document["owner"]) == (1.0, "millers")
        assert document["design"] == {"kind": "fixed", "alpha": 0.04, "power": 0.8, "days": 28}

    def test_an_experiment_that_never_was_cannot_be_followed(self, app: Crossfade) -> None:
        with pytest.raises(NotFound):
            self.follow(app)


class TestGenerated:
    """Reasons of values that the server chose."""

    def reasons(self, app: Crossfade) -> dict[str, str]:
        return app.get_experiment(KEY, full=True).generated or {}

    def test_every_choice_has_a_reason_at_a_place_of_the_spec(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        reasons = self.reasons(app)
        assert {"/layer", "/owner", "/audience", "/allocation", "/design", "/metrics", "/variants"} <= set(reasons)
        assert all(reasons.values())

    @pytest.mark.parametrize(
        ("changes", "gone"),
        [
            ({"allocation": 0.9}, {"/allocation"}),
            ({"owner": "bakers"}, {"/owner"}),
            ({"audience": {"region": ["north", "south", "west"]}}, {"/audience"}),
            ({"design": {"days": 28}}, {"/design", "/design/days"}),
            ({"variants": {"control": {"weight": 0.4}, "bread": {"weight": 0.6}}}, {"/variants", "/variants/control"}),
            ({"metrics": {"items_added": {"mde": 0.03}}}, {"/metrics", "/metrics/items_added/mde"}),
            ({"tags": ["bakery"]}, set[str]()),
        ],
        ids=["allocation", "owner", "audience", "design", "weights", "effect", "tags"],
    )
    def test_a_place_that_somebody_set_keeps_no_reason(
        self, app: Crossfade, changes: JsonObject, gone: set[str]
    ) -> None:
        app.create_experiment(brief())
        before = self.reasons(app)
        app.update_experiment(KEY, 1, [], changes)
        after = self.reasons(app)
        assert set(before) - set(after) == gone
        assert after.items() <= before.items()

    def test_what_the_brief_says_is_not_called_generated(self, app: Crossfade) -> None:
        app.create_experiment(brief(allocation=0.9, owner="bakers", duration_days=21, audience={"region": "south"}))
        assert not {"/allocation", "/owner", "/design/days", "/audience"} & set(self.reasons(app))


UNREADABLE: JsonObject = {"regoin": "north"}


def offered(app: Crossfade, code: str) -> list[str]:
    """The first fix of a finding of the draft's first version."""
    with app.dependencies.store.read() as view:
        record = view.experiment(KEY, 1)
        assert record is not None
        _, findings = examine(app.dependencies, app.dependencies.catalogue.current(), view, KEY, record.document)
    return [next(finding.fixes[0].id for finding in findings if finding.code == code)]


class TestSizing:
    """What the server chose while a fault hid the size is chosen again once the fault is mended."""

    def test_a_mended_audience_gets_a_size_that_does(self, app: Crossfade) -> None:
        drafted = app.create_experiment(brief(audience=UNREADABLE, success_metrics={"items_added": 0.02}))
        assert drafted.size is None
        assert drafted.generated is not None
        assert drafted.generated["/allocation"] == "50 %: the surface's usual, until the audience can be read"
        mended = app.update_experiment(KEY, 1, offered(app, "audience.attributes_known"), {})
        assert mended.changed is not None
        assert {"/design/days", "/audience/region"} <= mended.changed.keys()
        assert mended.generated is not None
        assert mended.generated.keys() <= {"/design/days", "/allocation"}
        assert kept(app).generated["/design/days"] == mended.generated["/design/days"]

    def test_a_repeat_of_it_answers_the_same(self, app: Crossfade) -> None:
        app.create_experiment(brief(audience=UNREADABLE))
        first = app.update_experiment(KEY, 1, offered(app, "audience.attributes_known"), {})
        assert app.update_experiment(KEY, 1, offered(app, "audience.attributes_known"), {}) == first

    def test_the_proposed_call_leaves_nothing_that_the_server_could_have_chosen(self, app: Crossfade) -> None:
        app.create_experiment(brief(audience={"regoin": ["north", "south", "east"]}))
        mended = app.update_experiment(KEY, 1, offered(app, "audience.attributes_known"), {})
        assert mended.ready, mended.findings

    def test_what_the_caller_set_is_never_chosen_again(self, app: Crossfade) -> None:
        app.create_experiment(brief(audience=UNREADABLE, allocation=0.01, duration_days=14))
        mended = app.update_experiment(KEY, 1, offered(app, "audience.attributes_known"), {})
        assert mended.changed is not None
        assert mended.changed.keys() == {"/audience/region", "/audience/regoin"}
        assert mended.generated is None

    def test_a_fix_that_takes_back_what_the_caller_set_says_so(self, app: Crossfade) -> None:
        drafted = app.create_experiment(brief(allocation=0.01))
        [power] = [finding for finding in drafted.findings if finding.code == "power.sufficient"]
        effects = [fix.effect for fix in power.fixes or []]
        assert effects[0].startswith("enter ")
        assert " % of units instead of the 1 % you asked for: power " in effects[0]


MANY: JsonObject = {f"unknown_{number}": "x" for number in range(30)}


class TestFindings:
    def test_they_are_told_in_full_while_they_fit_and_all_are_counted(self, app: Crossfade) -> None:
        answer = app.create_experiment(brief(audience=MANY))
        assert answer.findings
        assert answer.total is not None
        assert answer.total >= 30
        assert size_of(answer) <= HALF

    def test_the_draft_tells_what_blocks_it_and_in_full_everything(self, app: Crossfade) -> None:
        app.create_experiment(brief(audience=MANY))
        shown = app.get_experiment(KEY)
        assert shown.findings
        assert all(finding.message and finding.severity == "block" for finding in shown.findings)
        every = app.get_experiment(KEY, full=True)
        assert every.findings is not None
        assert len(every.findings) == app.create_experiment(brief(audience=MANY)).total
        assert every.more_findings is None


class TestReviewers:
    def test_the_next_step_of_a_ready_draft_and_of_its_plan_names_them(self, app: Crossfade) -> None:
        asking = "; ask the reviewers first: storefront-team"
        drafted = app.create_experiment(brief())
        assert drafted.next == LAUNCH
        assert LAUNCH.endswith(asking)
        planned = app.plan_change(KEY, "launch")
        assert planned.next == f'apply_plan(digest="{planned.digest}"); a person will be asked{asking}'


class TestExplain:
    def test_every_attribute_that_is_missing_is_told(self, app: Crossfade) -> None:
        audience = {"region": ["north", "south", "east"], "is_member": False}
        drafted = app.create_experiment(brief(audience=audience, success_metrics={"items_added": 0.1}, allocation=1.0))
        assert drafted.ready, drafted.findings
        launch(app)
        assert app.explain(KEY, "h-1", {}).detail == "is_member, region are missing"
        assert app.explain(KEY, "h-1", {"is_member": False}).detail == "region is missing"
        told = app.explain(KEY, "h-1", {"is_member": True}).detail
        assert told == "is_member = True is outside the audience; region is missing"

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [("regoin", "north", "no such attribute"), ("is_member", "yes", "is_member holds true or false.")],
    )
    def test_an_attribute_that_cannot_be_is_refused(self, app: Crossfade, name: str, value: str, told: str) -> None:
        app.create_experiment(brief())
        with pytest.raises(Invalid, match=told):
            app.explain(KEY, "h-1", {name: value})


def test_what_blocks_has_room_before_what_was_chosen_and_says_that_new_units_have_no_past(tmp_path: Path) -> None:
    """Two long findings block this draft; with every choice told beside them, the second would only be named."""
    streaming = build(Settings(home=tmp_path), "tester", DecemberClock())
    said: dict[str, object] = {
        "surface": "home",
        "change": "Longer shelves",
        "because": "More to choose from in one place",
        "variants": {"treatment": {"shelf_length": 12}},
        "success_metrics": {"minutes_played": 0.01},
        "audience": "account_age_days < 7",
    }
    drafted = streaming.create_experiment(Brief.read(said))
    assert [finding.code for finding in drafted.findings][:2] == ["blackout.window", "power.sufficient"]
    assert "so CUPED takes 0 % off the variance of minutes_played." in drafted.findings[1].message
    assert drafted.generated is not None
    assert set(drafted.generated) >= {"/allocation", "/design/days"}
    assert size_of(drafted) <= HALF


class DecemberClock(MondayClock):
    """Before the year-end campaign, in which no experiment may run."""

    def now(self) -> datetime:
        return datetime(2026, 11, 28, 9, tzinfo=UTC)


class TestFixes:
    def test_of_several_faults_of_one_value_are_told_once(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        record = kept(app)
        goals: JsonObject = {"items_added": {"role": "success", "mde": 0.02}}
        answer = app.update_experiment(KEY, record.version, [], {"design": {"days": 1}, "metrics": goals})
        told = fixes(answer)
        assert [finding.code for finding in answer.findings].count("metrics.window") > 1
        assert len(told) == len(set(told))
