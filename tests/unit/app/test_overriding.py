"""A person lets a finding stand: with a reason, for the very draft it was found in, and for no other."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.overriding import Verdict
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Invalid, NotAllowed, NotFound, Stale
from crossfade.core.model.plan import AuditEvent
from crossfade.server.cli.main import main
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .test_drafts import GROCERY, KEY, MISSPELT, MondayClock, app, brief, launch

__all__ = ["app"]

LAX: JsonObject = {"design": {"alpha": 0.08}}
AT = "/design/alpha"
CURE = f'update_experiment(key="{KEY}", version=2, fixes=["design.policy.'
"""How the call begins that mends the draft; the digest of the fix follows."""


class MovingClock(MondayClock):
    today = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.today


@pytest.fixture
def doubtful(app: Crossfade) -> Crossfade:
    """A draft with one fault, which a person may let stand."""
    app.create_experiment(brief())
    answer = app.update_experiment(KEY, 1, [], LAX)
    assert [(finding.code, finding.at) for finding in answer.findings] == [("design.policy", AT)]
    return app


def lift(app: Crossfade, code: str = "design.policy", at: str | None = None, reason: str = "A pilot of ours") -> None:
    app.override(KEY, code, at, reason=reason, assurance="terminal", by="ana")


def blocking(app: Crossfade) -> list[str]:
    return [f"{finding.code} {finding.at}" for finding in app.get_experiment(KEY).findings or []]


def audited(app: Crossfade, what: str) -> list[AuditEvent]:
    with app.dependencies.store.read() as view:
        return [event for event in view.audit_of(KEY, 100) if event.what == what]


class TestNext:
    def test_the_cure_comes_first_and_the_person_after_it(self, doubtful: Crossfade) -> None:
        following = doubtful.get_experiment(KEY).next
        ask = f'plan_change(key="{KEY}", change="launch", ask=["design.policy"])'
        assert following.startswith(CURE)
        assert following.endswith(f'"]); or, to keep it, a person decides: {ask}')

    def test_no_person_is_offered_while_something_blocks_that_nobody_can_lift(self, app: Crossfade) -> None:
        app.create_experiment(brief(variants=MISSPELT))
        assert "a person decides" not in app.update_experiment(KEY, 1, [], LAX).next

    def test_it_is_the_launch_once_the_finding_is_lifted(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        assert doubtful.get_experiment(KEY).next.startswith(f'plan_change(key="{KEY}", change="launch")')


class TestAnOverride:
    def test_keeps_the_finding_in_sight_and_out_of_the_way(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        shown = doubtful.get_experiment(KEY)
        assert (shown.ready, shown.findings) == (True, None)
        assert shown.overridden == {f"design.policy {AT}": "A pilot of ours (terminal, ana)"}
        plan = doubtful.plan_change(KEY, "launch")
        assert plan.ready
        assert [finding.overridden for finding in plan.findings] == ["A pilot of ours (terminal, ana)"]

    def test_is_shown_to_whoever_approves_the_plan(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        digest = doubtful.plan_change(KEY, "launch").digest
        assert digest is not None
        told = f"overridden: design.policy {AT}: A pilot of ours (terminal, ana)"
        assert told in doubtful.plan_summary(digest)
        doubtful.approve(digest, approved=True, assurance="terminal", by="ana")
        assert doubtful.apply_plan(digest).status == "applied"

    def test_is_audited_with_who_why_and_what(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        [event] = audited(doubtful, "finding_overridden")
        assert event.who == "ana"
        assert event.after is not None
        assert event.after | {"spec": ""} == {
            "spec": "",
            "code": "design.policy",
            "pointer": AT,
            "reason": "A pilot of ours",
            "assurance": "terminal",
        }
        assert len(str(event.after["spec"])) == 64

    def test_is_gone_with_any_change_and_does_not_come_back_with_the_draft_of_before(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        assert not doubtful.update_experiment(KEY, 2, [], {"iterates": KEY}).ready
        assert not doubtful.update_experiment(KEY, 3, [], {"iterates": None}).ready
        assert blocking(doubtful) == [f"design.policy {AT}"]
        lift(doubtful)
        assert doubtful.update_experiment(KEY, 3, [], {"iterates": None}).ready  # the call again changes nothing

    @pytest.mark.parametrize("words", [{"name": "A pilot"}, {"owner": "bo", "tags": ["new"]}, {"links": {"a": "b"}}])
    def test_outlives_a_change_of_words_and_ends_with_the_next_of_substance(
        self, doubtful: Crossfade, words: JsonObject
    ) -> None:
        lift(doubtful)
        assert doubtful.update_experiment(KEY, 2, [], words).ready
        assert blocking(doubtful) == []
        assert not doubtful.update_experiment(KEY, 3, [], {"hypothesis": {"because": "People said so"}}).ready

    def test_holds_while_the_finding_is_the_same_and_not_for_another_one_at_its_place(
        self, app: Crossfade, tmp_path: Path
    ) -> None:
        app.create_experiment(brief())
        closed = shutil.copytree(GROCERY, tmp_path / "closed")
        days = (("2026-10-08", "Stock taking"), ("2026-10-28", "Move of the depot"))
        listed = ", ".join(f"{{ start: {day}, end: {day}, why: {why} }}" for day, why in days)
        surfaces = closed / "surfaces/all.yml"
        surfaces.write_text(surfaces.read_text().replace("max_live: 3", f"max_live: 3\n    blackouts: [{listed}]"))
        clock = MovingClock()
        shut = build(Settings(home=tmp_path, catalogue=closed), "tester", clock)
        lift(shut, "blackout.window")
        clock.today += timedelta(days=1)
        assert blocking(shut) == []
        digest = shut.plan_change(KEY, "launch").digest
        assert digest is not None
        told = (
            "overridden: blackout.window /schedule: A pilot of ours (terminal, ana), though: the blackout 2026-10-08.."
        )
        assert told in shut.plan_summary(digest)
        clock.today += timedelta(days=20)
        assert blocking(shut) == ["blackout.window /schedule"]

    def test_of_one_finding_lifts_no_other_of_its_code(self, doubtful: Crossfade) -> None:
        doubtful.update_experiment(KEY, 2, [], {"design": {"power": 0.7}})
        lift(doubtful, at=AT)
        assert blocking(doubtful) == ["design.policy /design/power"]

    def test_that_is_withdrawn_blocks_again(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        doubtful.withdraw(KEY, "design.policy", None, by="bo")
        assert blocking(doubtful) == [f"design.policy {AT}"]
        [event] = audited(doubtful, "override_withdrawn")
        assert (event.who, (event.after or {})["code"]) == ("bo", "design.policy")

    def test_that_was_withdrawn_makes_the_plans_under_it_stale(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        digest = doubtful.plan_change(KEY, "launch").digest
        assert digest is not None
        doubtful.approve(digest, approved=True, assurance="terminal", by="ana")
        doubtful.withdraw(KEY, "design.policy", None, by="ana")
        with pytest.raises(Stale, match=f"changed: overrides design.policy {AT}"):
            doubtful.apply_plan(digest)

    def test_for_another_reason_makes_the_plans_under_the_first_stale(self, doubtful: Crossfade) -> None:
        lift(doubtful)
        digest = doubtful.plan_change(KEY, "launch").digest
        assert digest is not None
        doubtful.approve(digest, approved=True, assurance="terminal", by="ana")
        lift(doubtful, reason="Another one")
        with pytest.raises(Stale, match=f"changed: overrides design.policy {AT}"):
            doubtful.apply_plan(digest)

    def test_does_not_hold_once_the_catalogue_says_that_nobody_can_lift_it(
        self, doubtful: Crossfade, tmp_path: Path
    ) -> None:
        lift(doubtful)
        strict = shutil.copytree(GROCERY, tmp_path / "strict")
        (strict / "rules.yaml").write_text("checks: { design.policy: block }\n")
        stricter = build(Settings(home=tmp_path, catalogue=strict), "tester", MondayClock())
        assert blocking(stricter) == [f"design.policy {AT}"]
        with pytest.raises(NotAllowed, match="nobody can lift it"):
            lift(stricter)

    def test_of_a_duration_that_is_none_makes_no_draft_ready_that_has_no_size(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        app.update_experiment(KEY, 1, [], {"design": {"days": 0}})
        lift(app, "duration.minimum")
        [finding] = app.get_experiment(KEY).findings or []
        assert (finding.code, finding.severity) == ("power.sufficient", "block")
        assert not app.plan_change(KEY, "launch").ready


class TestResuming:
    def test_a_run_that_a_stricter_policy_caught_goes_on_once_a_person_says_so(
        self, app: Crossfade, tmp_path: Path
    ) -> None:
        app.create_experiment(brief())
        launch(app)
        paused = app.plan_change(KEY, "pause").digest
        assert paused is not None
        app.apply_plan(paused)
        strict = shutil.copytree(GROCERY, tmp_path / "strict")
        file = strict / "surfaces" / "all.yml"
        closed = "blackouts: [{ start: 2026-10-10, end: 2026-10-11, why: Stocktaking }]"
        file.write_text(file.read_text().replace("max_live: 3", f"max_live: 3\n    {closed}"))
        stricter = build(Settings(home=tmp_path, catalogue=strict), "tester", MondayClock())
        refused = stricter.plan_change(KEY, "resume")
        assert refused.next == f'a person decides: plan_change(key="{KEY}", change="resume", ask=["blackout.window"])'
        lift(stricter, "blackout.window")
        assert stricter.plan_change(KEY, "resume").ready

    def test_what_was_let_stand_at_the_launch_still_is_after_a_change_of_words(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        app.update_experiment(KEY, 1, [], {"schedule": {"end": "2026-10-30"}})
        lift(app, "schedule.sweeper_live")
        launch(app)
        app.update_experiment(KEY, 2, [], {"name": "Another name", "owner": "bo"})
        assert list(app.get_experiment(KEY).overridden or {}) == ["schedule.sweeper_live /schedule"]
        paused = app.plan_change(KEY, "pause").digest
        assert paused is not None
        app.apply_plan(paused)
        assert app.plan_change(KEY, "resume").ready


class TestRefused:
    def test_an_unknown_code_with_the_nearest(self, doubtful: Crossfade) -> None:
        with pytest.raises(NotFound) as refused:
            lift(doubtful, "design.polcy")
        assert refused.value.nearest[0] == "design.policy"
        assert refused.value.allowed == [f"design.policy {AT}"]

    def test_a_finding_that_is_not_there_with_those_that_are(self, doubtful: Crossfade) -> None:
        with pytest.raises(NotFound, match="has no such finding") as refused:
            lift(doubtful, "blackout.window")
        assert refused.value.allowed == [f"design.policy {AT}"]
        assert refused.value.next.startswith(CURE)

    def test_a_place_that_is_not_there(self, doubtful: Crossfade) -> None:
        with pytest.raises(NotFound) as refused:
            lift(doubtful, at="/design/power")
        assert refused.value.allowed == [AT]

    def test_two_places_without_a_choice(self, doubtful: Crossfade) -> None:
        doubtful.update_experiment(KEY, 2, [], {"design": {"power": 0.7}})
        with pytest.raises(Invalid) as refused:
            lift(doubtful)
        assert refused.value.allowed == [AT, "/design/power"]

    def test_a_block_that_nobody_can_lift(self, app: Crossfade) -> None:
        app.create_experiment(brief(variants=MISSPELT))
        with pytest.raises(NotAllowed, match=r"payload\.schema blocks and nobody can lift it") as refused:
            lift(app, "payload.schema")
        assert refused.value.code == "not_overridable"
        assert refused.value.next.startswith("update_experiment(")

    def test_a_warning(self, app: Crossfade) -> None:
        app.create_experiment(brief(duration_days=15))
        with pytest.raises(NotAllowed, match="blocks nothing"):
            lift(app, "duration.whole_weeks")

    @pytest.mark.parametrize("reason", ["", " \n ", "x" * 301], ids=["none", "blank", "long"])
    def test_a_reason_that_is_none(self, doubtful: Crossfade, reason: str) -> None:
        with pytest.raises(Invalid, match="needs a reason of 1 to 300 characters") as refused:
            lift(doubtful, reason=reason)
        assert f'override {KEY} design.policy --reason "' in refused.value.next
        assert not doubtful.get_experiment(KEY).ready

    def test_to_withdraw_what_nobody_overrode(self, doubtful: Crossfade) -> None:
        with pytest.raises(NotFound, match="Nobody has overridden"):
            doubtful.withdraw(KEY, "design.policy", None, by="ana")

    def test_a_yes_to_a_draft_that_was_changed_meanwhile(self, doubtful: Crossfade) -> None:
        asked = doubtful.doubt(KEY, "launch", ["design.policy"])
        doubtful.update_experiment(KEY, 2, [], {"allocation": 0.9})
        yes = Verdict(lifted=True, reason="Fine", assurance="host", by="ana")
        with pytest.raises(Stale, match="changed while the person decided"):
            doubtful.plan_change(KEY, "launch", asked=asked, verdict=yes)
        assert audited(doubtful, "finding_overridden") == []

    def test_to_ask_about_a_change_that_needs_no_override(self, doubtful: Crossfade) -> None:
        with pytest.raises(Invalid, match="needs no override"):
            doubtful.doubt(KEY, "stop", ["design.policy"])


class TestTerminal:
    @pytest.fixture(autouse=True)
    def home(self, doubtful: Crossfade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
        monkeypatch.setenv("CROSSFADE_CATALOGUE", str(GROCERY))

    def test_an_override_is_given_and_taken_back(self, app: Crossfade, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["override", KEY, "design.policy", "--reason", "A pilot", "--at", AT]) == 0
        assert f"overridden (terminal by {audited(app, 'finding_overridden')[0].who})" in capsys.readouterr().out
        assert app.get_experiment(KEY).ready
        assert main(["override", KEY, "design.policy", "--withdraw"]) == 0
        assert not app.get_experiment(KEY).ready

    def test_a_refusal_says_what_is_possible(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["override", KEY, "blackout.window", "--reason", "A pilot"]) == 1
        said = capsys.readouterr().err
        assert f"allowed: design.policy {AT}" in said
