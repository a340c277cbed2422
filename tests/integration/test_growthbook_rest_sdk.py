"""What a GrowthBook server gives its SDKs of our experiments, evaluated by its own Python SDK for 20,000 units.

The server is a stand-in that compiles features as the published source does; the SDK is the real one."""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import JsonValue

from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.growthbook_rest import GrowthbookRest
from crossfade.core.assignment import decide
from crossfade.core.audience import parse
from crossfade.core.model.delivery import Assignment, Exclusion
from crossfade.core.planning.dry_run import UNITS as TRIED
from crossfade.core.planning.dry_run import dry_run

from ..assignments import of_three
from ..contract.backends import StoppedClock
from ..servers.growthbook import CLIENT_KEY, GrowthbookServer
from ..servers.growthbook_sdk import met, value
from ..unit.core.audience_words import ATTRIBUTES
from .javascript_sdk import install, run
from .test_growthbook_sdk_javascript import FEATURES, SCRIPT, a_crowd, by_python, launched

COUNT = 20_000
UNITS = [f"user-{number}" for number in range(COUNT)]


assignment = partial(of_three, layer_seed="home.top")


def deliver(server: GrowthbookServer, before: Assignment | None, after: Assignment | None) -> None:
    backend, named = GrowthbookRest(StoppedClock()), after or before
    assert named is not None
    entries = [None if each is None else backend.compile_assignment(each) for each in (before, after)]
    settings = server.settings()
    backend.write(settings, "features", named.experiment, before=entries[0], after=entries[1], fence=1)


def downloaded(server: GrowthbookServer) -> dict[str, Any]:
    """As a product gets it."""
    return httpx.get(f"{server.url}/api/features/{CLIENT_KEY}", trust_env=False).json()


def inside(server: GrowthbookServer, units: list[str] = UNITS, **more: Any) -> dict[str, dict[str, str]]:
    """Experiment -> its units and their variants."""
    found: dict[str, dict[str, str]] = {}
    for unit, (key, variant) in met(downloaded(server), "home.title", "user_id", units, more).items():
        found.setdefault(key, {})[unit] = variant
    return found


def by_our_rule(made: Assignment, units: list[str] = UNITS) -> dict[str, str]:
    found = {unit: decide(made, {"user_id": unit}).variant for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def require_share(count: int, total: int, share: float) -> None:
    """A count within three standard errors of its share."""
    assert abs(count / total - share) <= 3 * math.sqrt(share * (1 - share) / total), (count, total, share)


def test_experiments_of_a_layer_share_no_unit_split_by_their_weights_and_ramp_without_moving_anybody(
    growthbook: GrowthbookServer,
) -> None:
    first = assignment("first", (0, 2_000), (9_000, 9_500))
    second = assignment("second", (2_000, 6_000), coverage=0.2)
    deliver(growthbook, None, first)
    alone = inside(growthbook)["first"]
    deliver(growthbook, None, second)
    both = inside(growthbook)
    assert both == {"first": by_our_rule(first), "second": by_our_rule(second)}
    assert both["first"] == alone
    assert not both["first"].keys() & both["second"].keys()
    require_share(len(both["first"]), COUNT, 0.25)
    require_share(len(both["second"]), COUNT, 0.4 * 0.2)
    counts = Counter(both["first"].values())
    for name, weight in zip(first.variants, first.weights, strict=True):
        require_share(counts[name], len(both["first"]), weight)
    wider = second.model_copy(update={"coverage": 0.6})
    deliver(growthbook, second, wider)
    later = inside(growthbook)
    require_share(len(later["second"]), COUNT, 0.4 * 0.6)
    assert both["second"].items() <= later["second"].items()
    assert later["first"] == alone
    deliver(growthbook, first, None)
    assert inside(growthbook) == {"second": later["second"]}  # none of those of the other was waiting for it


def test_the_units_of_holdouts_are_kept_out_of_every_experiment(growthbook: GrowthbookServer) -> None:
    holdouts = [
        Exclusion(holdout="quiet", salt="quiet.1", share=0.1),
        Exclusion(holdout="slow", salt="slow.1", share=0.3),
    ]
    made = assignment("first", (0, 10_000), exclusions=holdouts)
    deliver(growthbook, None, made)
    found = inside(growthbook)["first"]
    assert found == by_our_rule(made)
    require_share(len(found), COUNT, 0.9 * 0.7)


def test_the_trial_of_a_launch_counts_what_the_sdk_says(growthbook: GrowthbookServer) -> None:
    made = assignment("first", (1_000, 9_000), coverage=0.4)
    deliver(growthbook, None, made)
    trial = dry_run(made, [], {}, GrowthbookRest(StoppedClock()).hashing)
    assert trial.entered == Counter(inside(growthbook, [*TRIED])["first"].values())


@pytest.mark.parametrize("country", ["SE", "NO", None])
def test_an_audience_keeps_everybody_else_out(growthbook: GrowthbookServer, country: str | None) -> None:
    audience = parse({"country": "SE"}, ATTRIBUTES)[0]
    made = assignment("first", (0, 10_000), audience=audience, previews={"new": ["user-1"]})
    deliver(growthbook, None, made)
    more = {} if country is None else {"country": country}
    units = UNITS[:2_000]
    assert len(inside(growthbook, units, **more).get("first", {})) == (len(units) - 1 if country == "SE" else 0)
    shown = downloaded(growthbook)
    assert value(shown, "home.title", {"user_id": "user-1", **more}) == "Yours"  # a test unit, not counted
    assert value(shown, "home.title", {**more}) == "For you"


def both_ways(server: GrowthbookServer, folder: Path) -> list[dict[str, Any]]:
    """What the SDKs download of four experiments: the document that we write, and what the server makes of them."""
    ours, place = GrowthbookPayload(OneFile(), StoppedClock()), folder / "payload.json"
    for each in launched():
        entry = ours.compile_assignment(each)
        ours.write({"path": str(place)}, "payload", each.experiment, before=None, after=entry, fence=1)
        deliver(server, None, each)
    return [json.loads(place.read_bytes()), downloaded(server)]


def without_rules(found: list[JsonValue]) -> list[JsonValue]:
    """Value and variant of each feature, and what was tracked: the server gives rules no ids in a payload."""
    evaluated: Any = json.loads(json.dumps(found))
    return [[[[value, variant] for value, _, _, variant in results], tracked] for results, tracked in evaluated]


def test_the_server_and_our_own_document_give_every_unit_the_same(growthbook: GrowthbookServer, tmp_path: Path) -> None:
    units = a_crowd()
    document, server = (without_rules(by_python(each, units)) for each in both_ways(growthbook, tmp_path))
    assert [pair for pair in zip(units, document, server, strict=True) if pair[1] != pair[2]] == []
    assert sum(bool(tracked) for _, tracked in _pairs(server)) > 1_000


@pytest.mark.clients
def test_so_they_do_in_the_javascript_sdk(growthbook: GrowthbookServer, tmp_path: Path) -> None:
    installed, units = install(), a_crowd()
    document, server = (
        without_rules(run(installed, SCRIPT, {"payload": each, "features": FEATURES, "units": units}))
        for each in both_ways(growthbook, tmp_path)
    )
    assert [pair for pair in zip(units, document, server, strict=True) if pair[1] != pair[2]] == []


def _pairs(found: list[JsonValue]) -> list[tuple[Any, Any]]:
    return [(each[0], each[1]) for each in found if isinstance(each, list)]
