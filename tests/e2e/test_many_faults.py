"""A draft with many faults: one reply tells all of them, and one call mends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .museum import Museum, Reply, SetClock, visiting

STREAMING = Path(__file__).resolve().parents[2] / "examples" / "streaming"
BRIEF: dict[str, Any] = {
    "key": "longer-shelves",
    "surface": "home",
    "change": "Shelves on Home are longer",
    "because": "Listeners scroll past the first items",
    "variants": {"longer": {"shelf_length": 14}},
    "success_metrics": {"minutes_played": None},
}
FAULTS: dict[str, dict[str, Any]] = {
    "spec.unknown_field": {"alerst": ["home-experience"], "alerts": None},
    "weights.sum_to_one": {"variants": {"control": {"weight": 0.9}, "longer": {"weight": 0.9}}},
    "payload.schema": {"variants": {"longer": {"parameters": {"shelf_length": 40}}}},
    "audience.attributes_known": {"audience": {"is_premum": True}},
    "audience.values_known": {"audience": {"platform": "iOS"}},
    "unit.surface": {"unit": "session"},
    "metrics.required_present": {"metrics": {"retention_d7": None}},
    "metrics.effect_improves": {"metrics": {"minutes_played": {"mde": -0.01}}},
}


def merged(patches: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for patch in patches:
        for name, value in patch.items():
            both = isinstance(value, dict) and isinstance(whole.get(name), dict)
            whole[name] = merged([whole[name], value]) if both else value
    return whole


def bytes_of(reply: Reply) -> int:
    return len(reply.text.encode()) + len(json.dumps(reply.body, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    """A home of the bundled example."""
    home = Museum(tmp_path)
    home.catalogue = STREAMING
    return home


async def test_eight_faults_are_told_in_one_reply_and_mended_by_the_call_that_it_proposes(museum: Museum) -> None:
    clock = SetClock()
    clock.at = datetime(2026, 10, 5, 9, tzinfo=UTC)
    async with visiting(museum, clock) as visitor:
        assert (await visitor.call("create_experiment", BRIEF)).body["ready"]
        broken = await visitor.call(
            "update_experiment", key="longer-shelves", version=1, changes=merged(list(FAULTS.values()))
        )
        told = [finding["code"] for finding in broken.body["findings"]]
        told += [place.split()[0] for place in broken.body.get("more_findings", [])]
        assert set(told) >= set(FAULTS)
        assert bytes_of(broken) <= 4_096, broken.text
        mended = await visitor.paste(broken.body["next"])
        assert mended.body["ready"], mended.text
        planned = await visitor.call("plan_change", key="longer-shelves", change="launch")
        assert planned.body["ready"], planned.text


@pytest.mark.parametrize("code", FAULTS)
async def test_each_of_them_alone_is_mended_by_the_call_that_its_reply_proposes(museum: Museum, code: str) -> None:
    clock = SetClock()
    clock.at = datetime(2026, 10, 5, 9, tzinfo=UTC)
    async with visiting(museum, clock) as visitor:
        await visitor.call("create_experiment", BRIEF)
        broken = await visitor.call("update_experiment", key="longer-shelves", version=1, changes=FAULTS[code])
        assert code in [finding["code"] for finding in broken.body["findings"]], broken.text
        mended = await visitor.paste(broken.body["next"])
        assert mended.body["ready"], mended.text
