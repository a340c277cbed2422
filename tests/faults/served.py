"""What users are served of an experiment, by the SDK of the system that assigns them, against what Crossfade says."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Generator, Mapping
from typing import Any

from growthbook import GrowthBook

from crossfade.core.app.crossfade import Crossfade

from ..servers.confidence import confidence_server
from ..servers.confidence_product import Product as ConfidenceProduct
from ..servers.unleash import unleash_server
from ..servers.unleash_sdk import Product

UNIT, FEATURE = "visitor_id", "gallery.guide_first"
UNITS = [f"visitor-{number}" for number in range(2_000)]
EXPLAINED = 40
"""Units of whom Crossfade is asked by itself, which costs a call each."""
ERRORS = 5
"""Standard errors within which a share has to lie: a false alarm comes once in two million cells."""


def by_growthbook(payload: bytes | None, key: str) -> Mapping[str, str]:
    """Unit -> variant, of those that are in the experiment."""
    held: dict[str, Any] = json.loads(payload) if payload is not None else {}
    if FEATURE not in held.get("features", {}):
        return {}
    sdk = GrowthBook()
    sdk.set_payload(held)
    found: dict[str, str] = {}
    for unit in UNITS:
        sdk.set_attributes({UNIT: unit})
        got = sdk.eval_feature(FEATURE)
        if got.experiment is not None and got.experimentResult is not None and got.experiment.key == key:
            found[unit] = got.experimentResult.key
    return found


def by_unleash(key: str) -> Mapping[str, str]:
    """The same."""
    product = Product(unleash_server().state())
    found = {unit: product.variant(key, {UNIT: unit}) for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def by_confidence(key: str) -> Mapping[str, str]:
    """The same."""
    product = ConfidenceProduct(confidence_server().state())
    found = {unit: product.variant(key, {UNIT: unit}) for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def wrongly_served(app: Crossfade, key: str, served: Mapping[str, str], share: float) -> Generator[str]:
    """Where users get something else than the state of the experiment, and `explain`, say.

    Args:
        share: of all units, that a running experiment lets in.
    """
    with app.dependencies.store.read() as view:
        record = view.experiment(key)
    running = record is not None and record.state == "running"
    if not running:
        if served:
            yield f"{len(served)} users are served what does not run"
        return
    error = math.sqrt(share * (1 - share) / len(UNITS))
    if abs(len(served) / len(UNITS) - share) > ERRORS * error:
        yield f"{len(served)} of {len(UNITS)} users are in, where {share:.0%} should be"
    counts = Counter(served.values())
    if abs(counts["guide"] / max(1, len(served)) - 0.5) > ERRORS * 0.5 / math.sqrt(max(1, len(served))):
        yield f"the split is {dict(counts)}"
    for unit in UNITS[:EXPLAINED]:
        explained = app.explain(key, unit, {})
        if explained.because == "assigner":
            break  # which alone knows
        said = explained.variant
        if said != served.get(unit):
            yield f"{unit} is served {served.get(unit)}, and explained as {said}"
