"""A surface that another assigner serves by now: what hashes otherwise does not meet what still holds buckets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.adapters.unleash.hashing import UnleashHashing
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.model.experiment import Change

from ...e2e.killing import Around
from ...e2e.museum import Museum, SetClock, agreed, drafted, launched, opened

OTHER = {"change": "Rooms in another order", "variants": {"rooms": {"room_order": ["maps", "coins"]}}}


class Elsewhere(Around):
    """A payload of which the SDKs hash as Unleash's do."""

    kind: str = "elsewhere"

    def __init__(self, inner: Around) -> None:
        super().__init__(inner)
        self.kind = "elsewhere"
        self.hashing = UnleashHashing()


class Giving(Around):
    """A payload that keeps to itself who is in."""

    hashing = None


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    museum = opened(tmp_path)
    museum.own_catalogue()
    return museum


def app_of(museum: Museum, assigner: str = "flags", kind: str = "growthbook_file", *, gives: bool = False) -> Crossfade:
    file = museum.catalogue / "catalogue.yaml"
    text = file.read_text()
    moved = "moved: { kind: growthbook_file, settings: { path: out/moved.json } }"
    if moved not in text:
        text = text.replace("      texts:", f"      {moved}\n      texts:")
    file.write_text(text)
    dependencies = museum.app(SetClock()).dependencies
    catalogue = dependencies.catalogue.current()
    environment = catalogue.environments["open"]
    backends = {**environment.backends, "moved": environment.backends["moved"].model_copy(update={"kind": kind})}
    route = environment.default.model_copy(update={"assigner": assigner})
    served = catalogue.model_copy(
        update={
            "environments": {"open": environment.model_copy(update={"backends": backends, "default": route})},
        }
    )

    class Source:
        def current(self) -> object:
            return served

    inner = dependencies.backends["growthbook_file"]
    inner = Giving(inner) if gives else inner
    adapters = {**dependencies.backends, "growthbook_file": inner, "elsewhere": Elsewhere(inner)}  # pyright: ignore[reportArgumentType]
    return Crossfade(replace(dependencies, backends=adapters, catalogue=Source()))  # pyright: ignore[reportArgumentType]


def blocking(app: Crossfade, key: str, change: Change) -> list[str]:
    return [each.code for each in app.plan_change(key, change).findings if each.severity == "block"]


def test_nothing_is_launched_beside_what_another_hash_keeps_apart(museum: Museum) -> None:
    launched(app_of(museum))
    app = app_of(museum, "moved", "elsewhere")
    drafted(app, "other", **OTHER)
    assert blocking(app, "other", "launch") == ["layer.one_hash"]
    assert app.apply_plan(agreed(app, "guide-first", "stop")).status == "applied"
    assert blocking(app, "other", "launch") == []


def test_a_paused_experiment_does_not_go_on_under_another_hash(museum: Museum) -> None:
    app = app_of(museum)
    launched(app)
    app.apply_plan(agreed(app, "guide-first", "pause"))
    assert blocking(app_of(museum, "moved", "elsewhere"), "guide-first", "resume") == ["layer.one_hash"]
    assert blocking(app_of(museum), "guide-first", "resume") == []


def test_of_two_places_that_give_out_units_themselves_each_knows_its_own_alone(museum: Museum) -> None:
    launched(app_of(museum))
    drafted(app_of(museum), "other", **OTHER)
    assert blocking(app_of(museum, gives=True), "other", "launch") == []
    assert blocking(app_of(museum, "moved", gives=True), "other", "launch") == ["layer.one_hash"]


def test_another_place_of_the_same_hash_does_no_harm(museum: Museum) -> None:
    launched(app_of(museum))
    app = app_of(museum, "moved")
    drafted(app, "other", **OTHER)
    assert blocking(app, "other", "launch") == []
