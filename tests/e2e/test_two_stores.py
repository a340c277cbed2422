"""Two stores that share a backend and nothing else: the second may look, and is told how to share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import BackendOwned, Stale

from ..postgresql import another_store
from .ledger import Ledger
from .museum import Museum, SetClock, agreed, drafted, launched, opened, visiting

KEY = "guide-first"


@dataclass
class Laptops:
    """Two homes whose catalogues name the same files."""

    first: Museum
    second: Museum

    @property
    def one(self) -> Crossfade:
        return self.first.app(SetClock())

    @property
    def other(self) -> Crossfade:
        return self.second.app(SetClock())


@pytest.fixture
def laptops(tmp_path: Path) -> Iterator[Laptops]:
    (tmp_path / "first").mkdir()
    first = opened(tmp_path / "first")
    with another_store():
        laptops = Laptops(first, Museum(tmp_path / "second"))
        for museum in (laptops.first, laptops.second):
            file = museum.own_catalogue()
            file.write_text(file.read_text().replace("path: out/", f"path: {tmp_path}/out/"))
            museum.out = tmp_path / "out"
        yield laptops


def test_a_plan_of_the_second_store_is_blocked_with_the_way_to_share_and_nothing_else_is_said_of_the_first(
    laptops: Laptops,
) -> None:
    launched(laptops.one)
    held = laptops.first.flags.read_bytes()
    other = laptops.other
    drafted(other, "guide-second")
    plan = other.plan_change("guide-second", "launch")
    assert [(each.code, each.severity) for each in plan.findings] == [("delivery.owned", "block")] * 2
    assert "CROSSFADE_DATABASE_URL" in plan.findings[0].message
    assert plan.next.endswith('then plan_change(key="guide-second", change="launch")')
    assert laptops.first.flags.read_bytes() == held


async def test_the_block_is_told_through_a_client(laptops: Laptops) -> None:
    launched(laptops.one)
    async with visiting(laptops.second, SetClock()) as visitor:
        await visitor.draft("guide-second")
        reply = await visitor.call("plan_change", key="guide-second", change="launch")
        assert reply.codes() == ["delivery.owned", "delivery.owned"]
        assert reply.body["next"] in reply.text


def test_a_plan_that_was_made_before_the_first_store_wrote_is_stale(laptops: Laptops) -> None:
    other = laptops.other
    drafted(other, "guide-second")
    digest = agreed(other, "guide-second", "launch")
    launched(laptops.one)
    held = laptops.first.flags.read_bytes()
    with pytest.raises(Stale, match=r"delivery\.owned"):
        other.apply_plan(digest)
    assert laptops.first.flags.read_bytes() == held
    assert other.get_experiment("guide-second").state == "draft"


def test_the_kill_switch_of_the_owner_works_and_a_strangers_says_whose_it_is(laptops: Laptops) -> None:
    launched(laptops.one)
    with pytest.raises(BackendOwned, match="belongs to the store"):
        laptops.other.stop(KEY)
    assert laptops.one.stop(KEY).status == "applied"
    assert Ledger(laptops.first).faults() == []


def test_who_adopts_writes_from_then_on_and_the_first_store_is_told_whose_it_is_now(laptops: Laptops) -> None:
    one, other = laptops.one, laptops.other
    launched(one)
    other.adopt(other.foreign(), by="curator")
    assert other.foreign() == []
    stuck = one.apply_plan(agreed(one, KEY, "pause"))
    assert stuck.status == "needs_attention"
    assert "belongs to the store" in (stuck.reason or "")
    assert [each.key for each in other.leftovers()] == [KEY, KEY]
    assert other.stop(KEY).status == "applied"
    assert other.leftovers() == []
    with other.dependencies.store.read() as view:
        assert [each.who for each in view.audit_of("flags/payload", 5)] == ["curator"]


def test_a_reconciliation_in_what_another_store_has_adopted_is_blocked(laptops: Laptops) -> None:
    one, other = laptops.one, laptops.other
    launched(one)
    other.adopt(other.foreign(), by="curator")
    other.stop(KEY)
    assert [each.code for each in one.get_experiment(KEY).findings or []] == ["delivery.drifted"] * 2
    plan = one.plan_change(KEY, "reconcile")
    assert (plan.ready, [each.code for each in plan.findings]) == (False, ["delivery.owned"] * 2)
