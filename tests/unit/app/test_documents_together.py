"""Several experiments in the same documents: whatever is done to them in whatever order, each document is what is
delivered of the live ones put together, beside what others have there."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.documents import JsonObject, same
from crossfade.core.model.experiment import TRANSITIONS, Change

from ...e2e.ledger import Ledger
from ...e2e.museum import Museum, SetClock, agreed, drafted, opened
from ...postgresql import another_store

FEATURE = "gallery.guide_first"
KEYS = ("guide-one", "guide-two", "guide-six")
FOREIGN_RULE: JsonObject = {"id": "winter", "condition": {"country": "FI"}, "force": True}
PAYLOAD: JsonObject = {
    "status": 200,
    "features": {
        FEATURE: {"rules": [FOREIGN_RULE]},
        "shop.banner": {"defaultValue": {"b": 1, "a": [2.5, None]}, "rules": [{"id": "sale", "force": 0}]},
    },
    "savedGroups": {"friends": ["1"]},
}
TEXTS: JsonObject = {"surface": "gallery", "parameters": {"works_per_page": 20}, "note": "by hand"}


class Together:
    """Three experiments on one feature, and the order in which their rules came into it."""

    def __init__(self, home: Path) -> None:
        self.museum: Museum = opened(home)
        for file, document in ((self.museum.flags, PAYLOAD), (self.museum.texts, TEXTS)):
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(document))
        self.app = self.museum.app(SetClock())
        for key in KEYS:
            drafted(self.app, key)
        self.order: list[str] = []

    def change(self, key: str, change: Change) -> None:
        with self.app.dependencies.store.read() as view:
            record = view.experiment(key)
        assert record is not None
        if (record.state, change) not in TRANSITIONS or (record.state, change) == ("stopped", "stop"):
            return
        damaged = change == "reconcile" and self.damage(key)
        if change == "reconcile" and not damaged:
            assert self.app.plan_change(key, change).digest is None
            return
        assert self.app.apply_plan(agreed(self.app, key, change)).status == "applied"
        if change in ("pause", "stop", "launch", "resume"):
            self.order = [each for each in self.order if each != key]
        if change in ("launch", "resume"):
            self.order.append(key)

    def damage(self, key: str) -> bool:
        """Halve what the rule of a running experiment lets in, and lose what its variants show."""
        texts = json.loads(self.museum.texts.read_text())
        lost = texts["experiments"].pop(key, None)
        self.museum.texts.write_text(json.dumps(texts))
        payload = json.loads(self.museum.flags.read_text())
        rules = [rule for rule in payload["features"][FEATURE]["rules"] if rule.get("id") == key]
        for rule in rules:
            rule["coverage"] = 0.5
        self.museum.flags.write_text(json.dumps(payload))
        return bool(rules) or lost is not None

    def entries(self, backend: str) -> dict[str, Any]:
        """Experiment -> what the journal says of its entry in a backend."""
        with self.app.dependencies.store.read() as view:
            placed = {key: view.placements(key) for key in KEYS}
        return {key: each.entry for key, found in placed.items() for each in found if each.place.backend == backend}

    def expected_features(self) -> JsonObject:
        entries = self.entries("flags")
        assert sorted(entries) == sorted(self.order)
        rules = [FOREIGN_RULE, *(rule for key in self.order for rule in entries[key]["rules"][FEATURE])]
        feature: JsonObject = {"rules": rules, **({"defaultValue": False} if self.order else {})}
        features = PAYLOAD["features"]
        assert isinstance(features, dict)
        return {**features, FEATURE: feature}

    def check(self) -> None:
        payload = json.loads(self.museum.flags.read_text())
        assert same(payload["features"], self.expected_features())
        assert same(payload["savedGroups"], PAYLOAD["savedGroups"])
        texts = json.loads(self.museum.texts.read_text())
        assert same(texts.get("experiments", {}), self.entries("texts"))
        assert {name: texts[name] for name in TEXTS} == TEXTS
        for key in KEYS:
            assert Ledger(self.museum, key).faults() == []
            # The rule of somebody else comes first, as it did before.
            codes = [each.code for each in self.app.get_experiment(key).findings or []]
            assert codes == (["delivery.shadowed"] if key in self.order else [])


STOP: Change = "stop"
EACH: tuple[Change, ...] = ("launch", "pause", "resume", "reconcile", STOP)
LIVES = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(EACH)), min_size=4, max_size=8)


@settings(max_examples=6)
@given(LIVES)
def test_documents_are_what_is_live_put_together_and_in_the_end_as_before(lives: list[tuple[str, Change]]) -> None:
    with tempfile.TemporaryDirectory() as home, another_store():
        together = Together(Path(home))
        stops: list[tuple[str, Change]] = [(key, STOP) for key in KEYS]
        first: list[tuple[str, Change]] = [(KEYS[0], "launch")]  # so that something is left to be compared
        for key, change in [*first, *lives, *stops]:
            together.change(key, change)
            together.check()
        payload = json.loads(together.museum.flags.read_text())
        section = payload.pop("crossfade")
        assert payload.pop("dateUpdated")
        assert (same(payload, PAYLOAD), section.keys(), section["entries"]) == (
            True,
            {"entries", "fences", "owner"},
            {},
        )
        texts = json.loads(together.museum.texts.read_text())
        assert (texts.pop("experiments"), set(texts.pop("fences")) <= set(KEYS)) == ({}, True)
        assert texts.pop("owner") == section["owner"]
        assert texts == TEXTS
