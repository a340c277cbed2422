"""Stores with many running experiments, filled through the store's own port."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import BucketRange
from crossfade.core.planning.buckets import layer_name
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

EACH = 25
"""Buckets that each experiment holds of a layer's 10,000."""


def seed(home: Path, live: int, surfaces: list[str] | None = None) -> Crossfade:
    """An application whose store holds `live` running experiments, spread evenly over the layers of the surfaces (all
    of them, if none are named)."""
    app = build(Settings(home=home), "bench")
    catalogue = app.dependencies.catalogue.current()
    layers = [
        (surface, layer) for surface in surfaces or catalogue.surfaces for layer in catalogue.surfaces[surface].layers
    ]
    patterns = [pattern(app, surface, layer) for surface, layer in layers]
    today = app.dependencies.clock.now()
    with app.dependencies.store.write() as tx:
        for number in range(live):
            found = patterns[number % len(patterns)]
            lo = number // len(patterns) * EACH
            document = {**found.document, "name": f"Experiment {number}"}
            record = found.model_copy(
                update={
                    "key": f"seeded-{number:05}",
                    "state": "running",
                    "document": document,
                    "launches": 1,
                    "started": today,
                    "updated": today - timedelta(minutes=number),
                }
            )
            place = layer_name(str(document["environment"]), record.surface, str(document["layer"]))
            until = date.fromordinal(today.date().toordinal() + 14)
            tx.insert_experiment(record)
            tx.hold(place, [BucketRange(lo=lo, hi=lo + EACH)], record.key, until, today)
    return app


def pattern(app: Crossfade, surface: str, layer: str) -> Record:
    """A draft of one parameter of a layer, in the shape that `create_experiment` gives it."""
    found = app.dependencies.catalogue.current().surfaces[surface]
    name, parameter = next((name, each) for name, each in found.parameters.items() if each.layer == layer)
    control: JsonObject = {"weight": 0.5, "control": True}
    varied: JsonObject = {"weight": 0.5, "parameters": {name: parameter.initial}}
    brief: dict[str, Any] = {
        "surface": surface,
        "change": f"Another {name}",
        "because": "Listeners find what they want with fewer steps",
        "variants": {"b": {name: parameter.initial}},
        "success_metrics": {found.suggested_metrics[0]: None},
        "key": f"pattern-{surface}-{layer}".replace("_", "-"),
    }
    key = app.create_experiment(Brief.read(brief)).key
    assert key is not None
    with app.dependencies.store.read() as view:
        record = view.experiment(key)
    assert record is not None
    document: JsonObject = {**record.document, "layer": layer, "variants": {"control": control, "b": varied}}
    return record.model_copy(update={"document": document})
