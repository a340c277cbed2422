"""What the backends hold is held against what the journal says was delivered, whatever the catalogue says today."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade

from ...e2e.museum import Museum, SetClock, agreed, drafted, launched, opened

KEY = "guide-first"
FEATURE = "gallery.guide_first"


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


@pytest.fixture
def app(museum: Museum) -> Crossfade:
    app = museum.app(SetClock())
    launched(app)
    return app


def edit(file: Path, change: Callable[[Any], None]) -> None:
    """Change a document by hand."""
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def halve(payload: Any) -> None:
    payload["features"][FEATURE]["rules"][0]["coverage"] = 0.5


def documents(app: Crossfade, key: str = KEY) -> dict[str, Any]:
    """Target -> what is told of it."""
    told: Any = app.drift_document(key)["documents"]
    return {each["target"]: each for each in told}


def conditions(app: Crossfade, key: str = KEY) -> dict[str, str]:
    return {target: each["is"] for target, each in documents(app, key).items()}


def test_what_nobody_touched_is_as_delivered(app: Crossfade) -> None:
    assert conditions(app) == {"flags/payload": "as delivered", "texts/gallery": "as delivered"}
    told = documents(app)["flags/payload"]
    assert told["desired"] == told["actual"]


def test_what_was_changed_by_hand_is_told_leaf_by_leaf(app: Crossfade, museum: Museum) -> None:
    edit(museum.flags, halve)
    told = documents(app)["flags/payload"]
    assert (told["is"], told["differs"]) == ("changed", [f"rules.{FEATURE}.{KEY}.coverage 1 -> 0.5"])
    assert conditions(app)["texts/gallery"] == "as delivered"


def test_a_default_of_ours_that_vanished_is_told(app: Crossfade, museum: Museum) -> None:
    edit(museum.flags, lambda payload: payload["features"][FEATURE].pop("defaultValue"))
    assert documents(app)["flags/payload"]["differs"] == [f"defaults.{FEATURE} false -> absent"]


def test_an_entry_that_is_gone_is_told(app: Crossfade, museum: Museum) -> None:
    museum.flags.unlink()
    edit(museum.texts, lambda texts: texts["experiments"].clear())
    assert conditions(app) == {"flags/payload": "gone", "texts/gallery": "gone"}


def test_a_document_that_cannot_be_read_is_told_with_its_reason_and_has_not_drifted(
    app: Crossfade, museum: Museum
) -> None:
    museum.flags.write_text("no JSON")
    told = documents(app)["flags/payload"]
    assert told["is"] == "unreadable"
    assert "does not hold a JSON object" in told["reason"]
    assert app.drift_document(KEY)["next"] == f'get_experiment(key="{KEY}")'


def test_an_entry_that_came_back_after_a_pause_or_a_stop_is_told(app: Crossfade, museum: Museum) -> None:
    held = museum.flags.read_bytes()
    for change in ("pause", "stop"):
        app.apply_plan(agreed(app, KEY, change))
        assert conditions(app)["flags/payload"] == "as delivered"
        museum.flags.write_bytes(held)
        assert conditions(app)["flags/payload"] == "back"


def test_a_rule_of_somebody_else_that_comes_first_is_told(app: Crossfade, museum: Museum) -> None:
    def put_first(payload: Any) -> None:
        payload["features"][FEATURE]["rules"].insert(0, {"id": "winter", "force": True})

    edit(museum.flags, put_first)
    told = documents(app)["flags/payload"]
    assert (told["is"], told["rules_before"]) == ("as delivered", [f"{FEATURE}: winter"])


def test_a_neighbour_that_shares_a_feature_is_no_drift_even_when_production_has_changed(
    app: Crossfade, museum: Museum
) -> None:
    """The second launch moves the default that both share; the first is delivered as it was for all that."""
    edit(museum.texts, lambda texts: texts["parameters"].update({"guide_first": True}))
    launched(app, "guide-second", variants={"guide": {"guide_first": False}})
    assert json.loads(museum.flags.read_text())["features"][FEATURE]["defaultValue"] is True
    for key in (KEY, "guide-second"):
        assert set(conditions(app, key).values()) == {"as delivered"}
    app.apply_plan(agreed(app, "guide-second", "stop"))
    assert set(conditions(app).values()) == {"as delivered"}


def test_a_catalogue_that_was_changed_or_broken_is_no_drift(museum: Museum) -> None:
    file = museum.own_catalogue()
    app = museum.app(SetClock())
    launched(app)
    file.write_text(file.read_text().replace("out/flags/flags.json", "out/flags/others.json"))
    assert set(conditions(museum.app(SetClock())).values()) == {"as delivered"}
    file.write_text("units: {")
    assert set(conditions(museum.app(SetClock())).values()) == {"as delivered"}


RECONCILE = f'plan_change(key="{KEY}", change="reconcile")'


def told(app: Crossfade, *, full: bool = False) -> list[tuple[str, str]]:
    """(code, severity) of each finding that get_experiment tells."""
    return [(each.code, each.severity) for each in app.get_experiment(KEY, full=full).findings or []]


def test_a_look_at_what_is_as_delivered_tells_no_finding(app: Crossfade) -> None:
    for full in (False, True):
        assert app.get_experiment(KEY, full=full).findings is None


def test_a_look_at_what_has_drifted_tells_where_and_how_to_mend_it(app: Crossfade, museum: Museum) -> None:
    edit(museum.flags, halve)
    museum.texts.unlink()
    shown = app.get_experiment(KEY)
    assert [each.message for each in shown.findings or []] == [
        "flags/payload is not as it was delivered: 1 place differs.",
        "Our entry is gone from texts/gallery: what its variants show is missing there.",
    ]
    assert (shown.findings or [])[0].got == f"rules.{FEATURE}.{KEY}.coverage 1 -> 0.5"
    assert shown.next == RECONCILE
    assert told(app, full=True) == [("delivery.drifted", "warn")] * 2


def test_a_look_at_what_cannot_be_read_tells_it_and_does_not_fail(app: Crossfade, museum: Museum) -> None:
    museum.flags.write_text("no JSON")
    assert told(app) == [("delivery.unreadable", "warn")]
    assert app.get_experiment(KEY).next != RECONCILE


def test_a_look_at_what_a_rule_of_others_precedes_tells_it(app: Crossfade, museum: Museum) -> None:
    edit(museum.flags, lambda payload: payload["features"][FEATURE]["rules"].insert(0, {"force": True}))
    assert told(app) == [("delivery.shadowed", "warn")]


@pytest.mark.parametrize("change", ["pause", "stop"])
def test_a_look_at_what_came_back_offers_the_plan_that_takes_it_out(
    app: Crossfade, museum: Museum, change: Any
) -> None:
    held = museum.flags.read_bytes()
    app.apply_plan(agreed(app, KEY, change))
    assert told(app) == []
    museum.flags.write_bytes(held)
    assert told(app) == [("delivery.drifted", "warn")]
    following = app.get_experiment(KEY).next
    assert following == (RECONCILE if change == "pause" else f'plan_change(key="{KEY}", change="stop")')
    assert app.apply_plan(agreed(app, KEY, "reconcile" if change == "pause" else "stop")).status == "applied"
    assert told(app) == []


def test_an_earlier_version_a_draft_and_a_stuck_change_are_not_held_against_the_backends(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    app.update_experiment(KEY, 1, [], {"tags": ["guide"]})
    app.preview(KEY, "guide", ["visitor-7"], "curator")
    museum.flags.unlink()
    assert told(app) == []
    app.apply_plan(agreed(app, KEY, "launch"))
    museum.flags.unlink()
    assert app.get_experiment(KEY, version=1).findings is None
    assert told(app) == [("delivery.drifted", "warn")]
    museum.texts.write_text("no JSON")
    assert app.apply_plan(agreed(app, KEY, "stop")).status == "needs_attention"
    assert told(app) == []


def test_a_catalogue_can_raise_what_drift_is_called_and_a_broken_one_hides_none(museum: Museum) -> None:
    file = museum.own_catalogue()
    launched(museum.app(SetClock()))
    edit(museum.flags, halve)
    file.write_text(file.read_text() + "checks: { delivery.drifted: block }\n")
    assert told(museum.app(SetClock())) == [("delivery.drifted", "block")]
    file.write_text("units: {")
    assert told(museum.app(SetClock())) == [("delivery.drifted", "warn")]
