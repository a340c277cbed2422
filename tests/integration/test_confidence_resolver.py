"""What the real resolver of Confidence makes of what we deliver: shares, exclusion and audiences."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.confidence import Confidence
from crossfade.core.audience import kept_out_by, parse
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Invalid
from crossfade.core.model.delivery import Assignment

from ..assignments import of_three
from ..servers.confidence import ConfidenceServer, settings_for
from ..servers.confidence_product import Product
from ..unit.core.audience_words import ATTRIBUTES, random_audience
from .test_audiences_agree import PLAUSIBLE

pytestmark = pytest.mark.backends

SAMPLE = [f"user-{number}" for number in range(20_000)]


def assignment(experiment: str, lo: int, hi: int, **more: Any) -> Assignment:
    """Without null, which Confidence has not."""
    parameters = {"title": ["For you", "Yours", "New"], "rows": [3, 4, 5]}
    usual: dict[str, Any] = {"parameters": parameters, "production": {"title": "For you", "rows": 3}}
    return of_three(experiment, (lo, hi), **{**usual, **more})


def deliver(server: ConfidenceServer, before: Assignment | None, after: Assignment | None, name: str) -> None:
    backend = Confidence()
    entries = [None if each is None else backend.compile_assignment(each) for each in (before, after)]
    settings = settings_for(server.url)
    backend.write(settings, "flags", name, before=entries[0], after=entries[1], fence=1)


def met(server: ConfidenceServer, experiment: str, units: list[str] = SAMPLE) -> dict[str, str]:
    product = Product(server.state())
    found = {unit: product.variant(experiment, {"user_id": unit}) for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def near(count: int, share: float, of: int) -> bool:
    """Within three standard errors of a share."""
    return abs(count - of * share) < 3 * (of * share * (1 - share)) ** 0.5


def test_experiments_of_a_layer_share_no_unit_split_by_their_weights_and_ramp_without_moving_anybody(
    confidence: ConfidenceServer,
) -> None:
    first, second = assignment("first", 0, 3_000), assignment("second", 3_000, 10_000, coverage=0.2)
    deliver(confidence, None, first, "first")
    deliver(confidence, None, second, "second")
    in_first, in_second = met(confidence, "first"), met(confidence, "second")
    assert not in_first.keys() & in_second.keys()
    assert near(len(in_first), 0.3, len(SAMPLE))
    assert near(len(in_second), 0.7 * 0.2, len(SAMPLE))
    counts = Counter(in_first.values())
    assert all(
        near(counts[name], weight, len(in_first)) for name, weight in zip(first.variants, first.weights, strict=True)
    )
    deliver(confidence, second, second.model_copy(update={"coverage": 0.6}), "second")
    later = met(confidence, "second")
    assert near(len(later), 0.7 * 0.6, len(SAMPLE))
    assert in_second.items() <= later.items()
    assert met(confidence, "first", SAMPLE[:2_000]) == {
        unit: in_first[unit] for unit in SAMPLE[:2_000] if unit in in_first
    }


def test_layers_do_not_exclude_each_other(confidence: ConfidenceServer) -> None:
    deliver(confidence, None, assignment("first", 0, 8_000), "first")
    deliver(confidence, None, assignment("second", 0, 8_000, layer_seed="production/home/low"), "second")
    both = met(confidence, "first", SAMPLE[:4_000]).keys() & met(confidence, "second", SAMPLE[:4_000]).keys()
    assert near(len(both), 0.64, 4_000)


def test_test_units_get_their_variant_and_all_variants_carry_their_values(confidence: ConfidenceServer) -> None:
    audience = parse({"country": "SE"}, ATTRIBUTES)[0]
    tests = {"newer": SAMPLE[:40], "control": SAMPLE[40:60]}
    deliver(confidence, None, assignment("first", 0, 500, previews=tests, audience=audience, coverage=0.01), "first")
    assert met(confidence, "first", SAMPLE[:1_000]) == {unit: name for name, units in tests.items() for unit in units}
    product = Product(confidence.state())
    assert product.values("first", {"user_id": SAMPLE[0]}) == {"title": "New", "rows": 5}
    assert product.values("first", {"user_id": SAMPLE[50]}) == {"title": "For you", "rows": 3}
    assert product.variant("first", {}) is None


ODD: list[JsonValue] = ["", "null", "5", "x", 5, 0, 0.5, True, False, None, [], "true"]


def questions() -> list[tuple[JsonValue, Any]]:
    """Audiences that Confidence can express."""
    chance, found = random.Random(20_261_128), list[Any]()
    while len(found) < 60:
        raw = random_audience(chance)
        audience, problems = parse(raw, ATTRIBUTES)
        assert not problems
        try:
            Confidence().compile_assignment(assignment("asked", 0, 1, audience=audience))
        except Invalid:
            continue
        found.append((raw, audience))
    return found


def test_the_core_and_the_resolver_agree_on_who_is_in(confidence: ConfidenceServer) -> None:
    chance = random.Random(5)
    inside = asked = 0
    for raw, audience in questions():
        after = assignment("asked", 0, 10_000, audience=audience)
        deliver(confidence, None, after, "asked")
        product = Product(confidence.state())
        for _ in range(80):
            unit: JsonObject = {
                name: chance.choice([*values, *ODD]) if chance.random() < 0.3 else chance.choice(values)
                for name, values in PLAUSIBLE.items()
                if chance.random() < 0.7
            }
            expected = kept_out_by(audience, unit) is None
            found = product.variant("asked", {**unit, "user_id": "somebody"}) is not None
            assert found == expected, (raw, unit)
            inside, asked = inside + expected, asked + 1
        deliver(confidence, after, None, "asked")
    assert 0.1 < inside / asked < 0.9
