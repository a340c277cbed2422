"""Test units of a layer, where the assigner lets them into one experiment of it and no other."""

from __future__ import annotations

from ..errors import NotAllowed
from ..ports.store import Reader
from . import calls
from .delivered import OPENING, delivered


def tested_beside(view: Reader, key: str, layer_seed: str, unit: str) -> str | None:
    """Another experiment of the layer of which a unit is a test unit, as it was delivered."""
    for other, previews in view.test_units().items():
        if other == key or not any(unit in units for units in previews.values()):
            continue
        if layer_seed == _layer_of(view, other):
            return other
    return None


def require_untested_beside(view: Reader, key: str, layer_seed: str, units: list[str]) -> None:
    """
    Raises:
        NotAllowed: a unit is a test unit of another experiment of the layer.
    """
    for unit in units:
        other = tested_beside(view, key, layer_seed, unit)
        if other is not None:
            raise NotAllowed(
                f"{unit} is a test unit of {other}, and the assigner lets it into one experiment of the layer alone.",
                next=calls.look_at(other),
                got=unit,
            )


def _layer_of(view: Reader, key: str) -> str | None:
    """Where an experiment has its test units now; a pause takes them out with all else."""
    record = view.experiment(key)
    if record is None or record.state == "paused":
        return None
    found = delivered(view, record, OPENING) or delivered(view, record, frozenset({"preview"}))
    return found.layer_seed if found is not None else None
