"""The application on a catalogue whose backends are of a test's choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from crossfade.adapters.owners import Owner
from crossfade.adapters.store.store import open_store
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.dependencies import Dependencies
from crossfade.core.documents import JsonObject
from crossfade.core.ports.backend import Backend
from crossfade.core.ports.clock import Clock
from crossfade.server.wiring import catalogue_source

MUSEUM = Path(__file__).parents[1] / "e2e/museum_catalogue/catalogue.yaml"


def application(
    home: Path,
    clock: Clock,
    backends: Callable[[Clock, Owner], Mapping[str, Backend]],
    delivery: Mapping[str, JsonObject],
) -> Crossfade:
    """The museum's experiments, delivered by other backends.

    Args:
        backends: the adapters by kind, from the clock and whom they write for.
        delivery: `flags`, which assigns, and `texts`, which holds content: kind and settings as in a catalogue.
    """
    catalogue = yaml.safe_load(MUSEUM.read_text(encoding="utf-8"))
    catalogue["environments"]["open"]["backends"] = dict(delivery)
    folder = home / "catalogue"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.yaml").write_text(json.dumps(catalogue, default=str), encoding="utf-8")  # JSON is YAML
    store = open_store(home / "crossfade.db")
    adapters = backends(clock, lambda: store.store_id)
    return Crossfade(
        Dependencies(
            catalogue=catalogue_source(folder, home, adapters),
            store=store,
            backends=adapters,
            clock=clock,
            runner="tests",
            actor="tests",
        )
    )
