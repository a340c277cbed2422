"""A product that uses GrowthBook: its Python SDK, with what the server has now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from growthbook import GrowthBook


def met(
    payload: Mapping[str, Any], feature: str, unit: str, units: Iterable[str], more: Mapping[str, Any] | None = None
) -> dict[str, tuple[str, str]]:
    """Unit -> (experiment, variant) of each unit that is in one."""
    sdk = GrowthBook()
    sdk.set_payload(dict(payload))
    inside: dict[str, tuple[str, str]] = {}
    if feature not in payload["features"]:
        return inside
    for each in units:
        sdk.set_attributes({**(more or {}), unit: each})
        found: Any = sdk.eval_feature(feature)
        if found.experimentResult is not None:
            inside[each] = (found.experiment.key, found.experimentResult.key)
    return inside


def value(payload: Mapping[str, Any], feature: str, attributes: Mapping[str, Any]) -> Any:
    """What a unit sees; None of a feature that the SDK does not get."""
    sdk = GrowthBook()
    sdk.set_payload(dict(payload))
    sdk.set_attributes(dict(attributes))
    return sdk.eval_feature(feature).value if feature in payload["features"] else None
