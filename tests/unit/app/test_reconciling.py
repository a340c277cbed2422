"""A reconciliation brings what is delivered back to what was delivered, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import BackendFailed, NotAllowed, Stale
from crossfade.core.model.experiment import Change

from ...e2e.ledger import Ledger
from ...e2e.museum import Museum, SetClock, agreed, drafted, launched
from .test_drift import FEATURE, KEY, app, conditions, edit, halve, museum

__all__ = ["app", "museum"]


def content(file: Path) -> Any:
    """A document without what each write changes: when, and under which fence."""
    document = json.loads(file.read_text())
    for section in (document, document.get("crossfade", {})):
        section.pop("fences", None)
    document.pop("dateUpdated", None)
    return document


def damage_rule(museum: Museum) -> None:
    edit(museum.flags, halve)


def lose_payload(museum: Museum) -> None:
    museum.flags.unlink()


def lose_default(museum: Museum) -> None:
    edit(museum.flags, lambda payload: payload["features"][FEATURE].pop("defaultValue"))


def change_texts(museum: Museum) -> None:
    edit(museum.texts, lambda texts: texts["experiments"][KEY]["variants"]["guide"].update(guide_first=False))


def lose_texts(museum: Museum) -> None:
    museum.texts.unlink()


def give_the_key_away(museum: Museum) -> None:
    """A rule of somebody else's under our tracking key."""
    edit(museum.flags, lambda payload: payload["features"].update({"other": {"rules": [{"key": KEY, "force": 1}]}}))


DAMAGES = [damage_rule, lose_payload, lose_default, change_texts, lose_texts, give_the_key_away]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_mended_after_a_persons_yes(app: Crossfade, museum: Museum, damage: Any) -> None:
    sound = content(museum.flags), content(museum.texts)
    damage(museum)
    plan = app.plan_change(KEY, "reconcile")
    assert plan.digest is not None
    assert "a person will be asked" in plan.next
    assert app.apply_plan(plan.digest).status == "awaiting_approval"
    applied = app.apply_plan(agreed(app, KEY, "reconcile"))
    assert (applied.status, applied.state) == ("applied", "running")
    assert (content(museum.flags), content(museum.texts)) == sound
    assert set(conditions(app).values()) == {"as delivered"}
    assert Ledger(museum).faults() == []


def test_what_is_as_delivered_gets_an_answer_and_no_plan(app: Crossfade) -> None:
    answer = app.plan_change(KEY, "reconcile")
    assert (answer.ready, answer.digest, answer.steps) == (True, None, [])
    assert answer.next.startswith(f'get_experiment(key="{KEY}"); nothing is to be put back')


def test_a_paused_experiment_whose_rules_came_back_is_taken_out_without_a_question(
    app: Crossfade, museum: Museum
) -> None:
    held = museum.flags.read_bytes()
    app.apply_plan(agreed(app, KEY, "pause"))
    museum.flags.write_bytes(held)
    plan = app.plan_change(KEY, "reconcile")
    assert [(step.action, step.target) for step in plan.steps] == [("remove", "flags/payload")]
    assert plan.next == f'apply_plan(digest="{plan.digest}")'
    assert plan.digest is not None
    assert app.question(plan.digest) is None
    applied = app.apply_plan(plan.digest)
    assert (applied.status, applied.state, applied.approval) == ("applied", "paused", "not needed")
    assert Ledger(museum).faults() == []
    assert app.apply_plan(agreed(app, KEY, "resume")).status == "applied"


def test_the_person_is_shown_every_place_that_is_put_back(app: Crossfade, museum: Museum) -> None:
    damage_rule(museum)
    change_texts(museum)
    digest = app.plan_change(KEY, "reconcile").digest
    assert digest is not None
    question = app.question(digest)
    assert question is not None
    assert f"rules.{FEATURE}.{KEY}.coverage 0.5 -> 1" in question
    assert "variants.guide.guide_first false -> true" in question
    assert "all or nothing" not in question


def test_the_person_is_shown_what_users_meet_again_when_all_rules_are_gone(app: Crossfade, museum: Museum) -> None:
    lose_payload(museum)
    digest = app.plan_change(KEY, "reconcile").digest
    assert digest is not None
    question = app.question(digest)
    assert question is not None
    assert "guide 50 %: guide_first false -> true" in question
    assert "buckets 0-2999" in question


def test_nothing_of_todays_catalogue_or_production_goes_live(museum: Museum) -> None:
    file, app = museum.own_catalogue(), museum.app(SetClock())
    launched(app)
    sound = content(museum.flags)
    edit(museum.texts, lambda texts: texts["parameters"].update(guide_first=True))
    file.write_text("units: {")
    lose_payload(museum)
    app = museum.app(SetClock())
    assert app.apply_plan(agreed(app, KEY, "reconcile")).status == "applied"
    assert content(museum.flags) == sound


def test_a_plan_is_stale_once_the_document_has_changed_again(app: Crossfade, museum: Museum) -> None:
    damage_rule(museum)
    digest = agreed(app, KEY, "reconcile")
    lose_default(museum)
    with pytest.raises(Stale, match="steps"):
        app.apply_plan(digest)


def test_a_plan_that_somebody_has_made_needless_says_so(app: Crossfade, museum: Museum) -> None:
    sound = museum.flags.read_bytes()
    damage_rule(museum)
    digest = agreed(app, KEY, "reconcile")
    museum.flags.write_bytes(sound)
    with pytest.raises(Stale, match="has what was delivered of guide-first again"):
        app.apply_plan(digest)


def test_what_can_be_read_is_mended_beside_what_cannot(app: Crossfade, museum: Museum) -> None:
    museum.texts.write_text("no JSON")
    with pytest.raises(BackendFailed, match="texts/gallery cannot be read"):
        app.plan_change(KEY, "reconcile")
    damage_rule(museum)
    assert app.apply_plan(agreed(app, KEY, "reconcile")).status == "applied"
    assert conditions(app) == {"flags/payload": "as delivered", "texts/gallery": "unreadable"}


@pytest.mark.parametrize("change", ["launch", "stop"])
def test_a_draft_and_what_is_stopped_are_not_reconciled(museum: Museum, change: Change) -> None:
    app = museum.app(SetClock())
    drafted(app)
    if change == "stop":
        app.apply_plan(agreed(app, KEY, "launch"))
        app.apply_plan(agreed(app, KEY, "stop"))
    with pytest.raises(NotAllowed, match="so it cannot reconcile"):
        app.plan_change(KEY, "reconcile")


def test_what_is_stuck_is_continued_and_not_reconciled(app: Crossfade, museum: Museum) -> None:
    museum.texts.write_text("no JSON")
    stuck = app.apply_plan(agreed(app, KEY, "stop"))
    assert stuck.status == "needs_attention"
    with pytest.raises(NotAllowed, match="The stop of guide-first is stuck"):
        app.plan_change(KEY, "reconcile")


def test_a_reconciliation_that_fails_half_way_is_not_undone_and_a_repeat_ends_it(
    app: Crossfade, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_rule(museum)
    lose_texts(museum)
    flags = app.dependencies.backends["growthbook_file"]
    write = flags.write

    def refuse(*_: object, **__: object) -> None:
        raise BackendFailed("It takes nothing.")

    monkeypatch.setattr(flags, "write", refuse)
    digest = agreed(app, KEY, "reconcile")
    assert app.apply_plan(digest).status == "needs_attention"
    assert conditions(app) == {"flags/payload": "changed", "texts/gallery": "as delivered"}
    monkeypatch.setattr(flags, "write", write)
    assert app.apply_plan(digest).status == "applied"
    assert Ledger(museum).faults() == []
    assert set(conditions(app).values()) == {"as delivered"}


def test_test_units_are_refused_on_what_somebody_else_has_changed(app: Crossfade, museum: Museum) -> None:
    damage_rule(museum)
    with pytest.raises(NotAllowed, match="not as it was delivered") as refused:
        app.preview(KEY, "guide", ["visitor-7"], "curator")
    assert refused.value.next == f'plan_change(key="{KEY}", change="reconcile")'
    app.apply_plan(agreed(app, KEY, "reconcile"))
    assert app.preview(KEY, "guide", ["visitor-7"], "curator").status == "applied"
    assert set(conditions(app).values()) == {"as delivered"}


def test_units_are_not_let_in_again_beside_a_rule_that_no_store_knows(app: Crossfade, museum: Museum) -> None:
    def come_back(payload: Any) -> None:
        """The rule of another experiment, which a backup brought back, on the layer of ours, whose rule is gone."""
        rules = payload["features"][FEATURE]["rules"]
        payload["features"][FEATURE]["rules"] = json.loads(json.dumps(rules).replace(KEY, "guide-lost"))

    edit(museum.flags, come_back)
    plan = app.plan_change(KEY, "reconcile")
    assert (plan.ready, [finding.code for finding in plan.findings]) == (False, ["delivery.orphans"])
    assert "stop guide-lost" in plan.findings[0].message
    app.stop("guide-lost")
    assert app.plan_change(KEY, "reconcile").ready
