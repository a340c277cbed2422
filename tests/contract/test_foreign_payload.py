"""What others run in a payload, in our own words: everybody whom it can reach, and a line for all that has no word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed
from crossfade.core.ports.backend import Foreign, tells_foreign

from ..e2e.museum import SetClock

FEATURE = "gallery.guide_first"


def told(folder: Path, features: JsonValue, **more: JsonValue) -> list[Foreign]:
    path = folder / "flags.json"
    path.write_text(json.dumps({"features": features, **more}))
    backend = GrowthbookPayload(OneFile(), SetClock())
    assert tells_foreign(backend)
    return backend.foreign({"path": str(path)})


def one(folder: Path, **rule: JsonValue) -> Foreign:
    """What is told of a single rule of a feature."""
    [found] = told(folder, {FEATURE: {"rules": [rule]}})
    return found


def test_an_experiment_is_told_with_its_place_its_audience_and_its_share(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        key="winter",
        variations=[False, True],
        weights=[0.5, 0.5],
        coverage=0.5,
        hashAttribute="visitor_id",
        namespace=["shared", 0.2, 0.6],
        condition={"country": {"$in": ["NL", "BE"]}, "visits": {"$gte": 3}},
    )
    audience: JsonObject = {"country": ["NL", "BE"], "visits": {"gte": 3}}
    assert found == Foreign("winter", "gallery", ["guide_first"], audience, 0.2, None, [])


@pytest.mark.parametrize("key", [[], {}, None, 5, True, ["winter"]])
def test_a_rule_whose_key_is_no_text_is_told_like_any_other(key: JsonValue, tmp_path: Path) -> None:
    assert one(tmp_path, key=key, force=True).touched == ["guide_first"]


@pytest.mark.parametrize(
    ("rule", "share"),
    [
        ({}, 1.0),
        ({"coverage": 0.1}, 0.1),
        ({"filters": [{"seed": "layer", "ranges": [[0, 0.1], [0.5, 0.6]]}]}, 0.2),
        ({"filters": [{"seed": "a", "ranges": [[0, 0.5]]}, {"seed": "b", "ranges": [[0.05, 1]]}]}, 0.475),
        ({"filters": [{"seed": "layer"}]}, None),
        ({"coverage": "half"}, None),
        ({"namespace": "shared"}, None),
    ],
)
def test_a_forced_value_has_the_share_that_all_its_limits_leave(
    tmp_path: Path, rule: JsonObject, share: float | None
) -> None:
    found = one(tmp_path, force=True, **rule)
    assert found.key == f"{FEATURE}#1"
    assert found.share == share
    assert bool(found.unread) == (share is None)


def test_one_name_in_several_features_of_a_surface_is_one(tmp_path: Path) -> None:
    rule: JsonObject = {"id": "winter", "variations": [0, 1], "coverage": 0.5}
    features: JsonObject = {
        "gallery.works_per_page": {"rules": [rule]},
        FEATURE: {"rules": [{**rule, "condition": {"country": "NL"}}]},
        "desk.bundle": {"rules": [rule]},
    }
    desk, gallery = told(tmp_path, features)
    assert (desk.surface, desk.touched, desk.share) == ("desk", ["bundle"], 0.5)
    assert (gallery.surface, gallery.touched) == ("gallery", ["guide_first", "works_per_page"])
    assert (gallery.audience, gallery.share) == ({}, None)
    assert gallery.unread == ["its rules let different units in, so that its share cannot be told"]


def test_nothing_is_dropped_without_a_word(tmp_path: Path) -> None:
    features: JsonObject = {
        "checkout-v2": {"rules": [{"force": True}]},
        FEATURE: {"rules": ["no rule", {"force": True, "parentConditions": [], "condition": {"city": {"$size": 2}}}]},
    }
    checkout, first, second = told(tmp_path, features)
    assert (checkout.surface, checkout.unread) == (None, ["checkout-v2: the name is no <surface>.<parameter>"])
    assert first.unread == [f"{FEATURE}: rule 1 is no object"]
    assert second.unread == [
        f'{FEATURE}: the condition {{"city":{{"$size":2}}}} has no word here; everybody counts as meeting it',
        f"{FEATURE}: its share cannot be told from its coverage, namespace and filters",
        f"{FEATURE}: parentConditions of its rule has no word here",
    ]


def test_what_is_ours_or_switched_off_is_nobody_elses(tmp_path: Path) -> None:
    rules: list[JsonValue] = [
        {"id": "ours", "key": "ours", "variations": [0, 1]},
        {"id": "ours:preview:guide", "force": True},
        {"id": "left-over", "key": "left-over", "filters": [], "variations": [0, 1]},
        {"id": "fr_1", "active": False, "force": True},
    ]
    assert told(tmp_path, {FEATURE: {"rules": rules}}, crossfade={"entries": {"ours": {}}}) == []


def test_a_place_that_holds_no_payload_yet_has_nobody_in_it(tmp_path: Path) -> None:
    backend = GrowthbookPayload(OneFile(), SetClock())
    assert backend.foreign({"path": str(tmp_path / "flags.json")}) == []


def test_a_payload_that_is_none_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BackendFailed):
        told(tmp_path, [])
