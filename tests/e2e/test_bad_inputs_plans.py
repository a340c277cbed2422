"""Digests that are wrong, old, spent or overtaken: the reply says what has changed, and nothing is applied."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue

from .killing import Nursery
from .ledger import Ledger
from .museum import NOON, Museum, Reply, SetClock, Visitor, agreed, drafted, opened, visiting


@pytest.fixture
def museum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Museum:
    """A museum whose catalogue is looked at for each call."""
    defaults = YamlCatalogue.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "recheck", 0.0)
    return opened(tmp_path)


def require_refused(museum: Museum, reply: Reply, code: str, *words: str) -> None:
    """The reply refuses with these words and offers a new plan; the experiment is the draft that it was."""
    assert reply.failed, reply.text
    assert reply.body["code"] == code, reply.text
    assert all(word in reply.body["message"] for word in words), reply.text
    assert reply.body["next"].startswith("plan_change(")
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert (ledger.state, ledger.held, ledger.operations) == ("draft", [], [])


async def apply(visitor: Visitor, digest: str) -> Reply:
    return await visitor.call("apply_plan", digest=digest)


@pytest.mark.parametrize("digest", ["p-0123456789", "p-", "", "launch", "../p-0123456789"])
async def test_a_digest_that_no_plan_has_is_refused(museum: Museum, digest: str) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        await visitor.planned()
        reply = await apply(visitor, digest)
        require_refused(museum, reply, "not_found", "cannot be made up")
        assert reply.body["pointer"] == "/digest"
        assert visitor.questions == []


async def test_a_digest_applied_twice_gets_the_same_answer_and_asks_once(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        first, second = await apply(visitor, digest), await apply(visitor, digest)
        assert first.body == second.body
        assert first.body["status"] == "applied"
        assert len(visitor.questions) == 1
    assert Ledger(museum).faults() == []
    assert len(Ledger(museum).operations) == 1


async def test_a_digest_that_was_declined_stays_declined(museum: Museum) -> None:
    async with visiting(museum, SetClock(), approve=False) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        for _ in range(2):
            reply = await apply(visitor, digest)
            assert (reply.body["status"], reply.body["state"]) == ("declined", "draft")
        assert len(visitor.questions) == 1
    assert Ledger(museum).operations == []
    async with visiting(museum, SetClock()) as visitor:
        assert (await apply(visitor, digest)).body["status"] == "declined"


async def test_a_plan_of_a_draft_that_was_changed_is_stale(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        await visitor.call("update_experiment", key="guide-first", version=1, changes={"allocation": 0.4})
        require_refused(museum, await apply(visitor, digest), "stale_plan", "version")
        assert visitor.questions == []
        assert (await apply(visitor, await visitor.planned())).body["status"] == "applied"


async def test_a_plan_is_stale_when_the_catalogue_it_rests_on_has_changed(museum: Museum) -> None:
    file = museum.own_catalogue()
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        file.write_text(file.read_text().replace("Whether the guide is sold", "Whether the audio guide is sold"))
        other_surface = await visitor.call("apply_plan", digest="p-0000000000")
        assert other_surface.failed
        file.write_text(file.read_text().replace("baseline: { mean: 0.3 }", "baseline: { mean: 0.31 }"))
        require_refused(museum, await apply(visitor, digest), "stale_plan", "catalogue metric ")


async def test_a_plan_survives_a_change_of_the_catalogue_that_it_does_not_rest_on(museum: Museum) -> None:
    file = museum.own_catalogue()
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        file.write_text(file.read_text().replace("Whether the guide is sold", "Whether the audio guide is sold"))
        assert (await apply(visitor, digest)).body["status"] == "applied"


async def test_a_plan_is_stale_when_a_value_in_production_that_it_varies_has_changed(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft(variants={"guide": {"room_order": ["maps", "coins"]}})
        digest = await visitor.planned()
        museum.texts.parent.mkdir(parents=True)
        museum.texts.write_text(json.dumps({"surface": "gallery", "parameters": {"room_order": ["coins", "modern"]}}))
        require_refused(museum, await apply(visitor, digest), "stale_plan", "steps")
        assert museum.flags.exists() is False


async def test_a_plan_survives_a_change_of_a_value_in_production_that_it_does_not_vary(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        museum.texts.parent.mkdir(parents=True)
        museum.texts.write_text(json.dumps({"surface": "gallery", "parameters": {"works_per_page": 20}}))
        assert (await apply(visitor, digest)).body["status"] == "applied"


async def test_a_plan_is_stale_when_a_check_blocks_now(museum: Museum) -> None:
    file = museum.own_catalogue()
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        file.write_text(file.read_text().replace("guide_first:", "guide_before:"))
        require_refused(museum, await apply(visitor, digest), "stale_plan", "payload.known_parameters")


async def test_a_plan_expires_after_a_day(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        clock.at += timedelta(hours=24, seconds=1)
        require_refused(museum, await apply(visitor, digest), "expired_plan", "2026-03-03 12:00 UTC")
        assert visitor.questions == []
        assert (await apply(visitor, await visitor.planned())).body["status"] == "applied"


async def test_a_plan_whose_buckets_were_taken_is_stale_and_the_next_one_takes_others(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft("guide-first")
        await visitor.draft("guide-other", duration_days=28)
        await visitor.draft("guide-third", allocation=0.6)  # so that no plan finds room beside the other two
        late, _ = await visitor.planned("guide-first"), await visitor.planned("guide-third")
        early = await visitor.planned("guide-other")
        assert (await apply(visitor, early)).body["status"] == "applied"
        reply = await apply(visitor, late)
        require_refused(museum, reply, "stale_plan", "buckets 0-2999", "guide-other")
        assert (await apply(visitor, await visitor.planned())).body["status"] == "applied"
    assert Ledger(museum).held == [(3_000, 6_000)]
    assert Ledger(museum, "guide-other").held == [(0, 3_000)]


async def test_a_plan_that_no_longer_fits_the_layer_says_that_nothing_is_free(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft("guide-first", allocation=0.6)
        await visitor.draft("guide-other", allocation=0.6)
        late, early = await visitor.planned("guide-first"), await visitor.planned("guide-other")
        assert (await apply(visitor, early)).body["status"] == "applied"
        require_refused(museum, await apply(visitor, late), "stale_plan", "buckets 0-5999", "guide-other")
        again = await visitor.call("plan_change", key="guide-first", change="launch")
        assert "allocation.available" in [finding["code"] for finding in again.body["findings"]]


@pytest.mark.parametrize("document", ["flags", "texts"])
async def test_a_delivery_file_that_is_no_json_stops_both_plan_and_apply(museum: Museum, document: str) -> None:
    file = museum.flags if document == "flags" else museum.texts
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        file.parent.mkdir(parents=True)
        file.write_text('{"features": ')
        replies = await apply(visitor, digest), await visitor.call("plan_change", key="guide-first", change="launch")
        for reply in replies:
            assert reply.body["code"] == "backend_failed", reply.text
            assert reply.body["got"]["path"] == str(file)
            assert reply.body["next"].startswith("Repair it")
        assert file.read_text() == '{"features": '
        assert (await visitor.call("get_experiment", key="guide-first")).body["state"] == "draft"
        file.unlink()
        assert Ledger(museum).faults() == []
        assert (await apply(visitor, digest)).body["status"] == "applied"
    assert Ledger(museum).faults() == []


async def test_an_interrupted_apply_is_shown_and_continued_by_the_same_call(museum: Museum) -> None:
    digest = agreed(museum.app(SetClock()), drafted(museum.app(SetClock())), "launch")
    nursery = Nursery()
    life = nursery.live("apply", museum.home, museum.catalogue, NOON, digest=digest, die_at=5)
    nursery.close()
    assert life.killed
    async with visiting(museum, SetClock(NOON + timedelta(minutes=1))) as visitor:
        shown = await visitor.call("get_experiment", key="guide-first")
        assert (shown.body["state"], shown.body["operation"]["status"]) == ("scheduled", "running")
        assert shown.body["next"].startswith(f'apply_plan(digest="{digest}")')
        for change in ("launch", "pause", "stop"):
            blocked = await visitor.call("plan_change", key="guide-first", change=change)
            assert (blocked.body["code"], blocked.body["retryable"]) == ("not_allowed", True)
            assert digest in blocked.body["next"]
        edited = await visitor.call("update_experiment", key="guide-first", version=1, changes={"allocation": 0.2})
        assert edited.body["code"] == "not_allowed"
        reply = await apply(visitor, digest)
        assert (reply.body["status"], reply.body["state"]) == ("applied", "running")
        assert visitor.questions == []
    assert Ledger(museum).faults() == []


async def test_a_change_that_the_state_does_not_allow_names_those_that_it_does(museum: Museum) -> None:
    allowed: dict[str, list[Any]] = {"draft": ["launch"], "running": ["pause", "stop"], "paused": ["resume", "stop"]}
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        for state, wanted in (("draft", "launch"), ("running", "pause"), ("paused", "stop")):
            refused = [
                await visitor.call("plan_change", key="guide-first", change=change)
                for change in ("launch", "pause", "resume", "stop")
                if change not in allowed[state]
            ]
            assert [reply.body["code"] for reply in refused] == ["not_allowed"] * len(refused)
            assert all(reply.body["allowed"] == allowed[state] for reply in refused)
            reply = await apply(
                visitor, (await visitor.call("plan_change", key="guide-first", change=wanted)).body["digest"]
            )
            assert reply.body["status"] == "applied", reply.text
        last = await visitor.call("plan_change", key="guide-first", change="launch")
        assert last.body["code"] == "not_allowed"
        assert last.body["next"].startswith('create_experiment(from="guide-first", surface=')


async def test_a_pause_repeated_after_a_resume_is_a_change_of_its_own(museum: Museum) -> None:
    """All at one instant, so that nothing but the past tells the two plans apart."""
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        for change, state in (("pause", "paused"), ("resume", "running"), ("pause", "paused"), ("resume", "running")):
            digest = (await visitor.call("plan_change", key="guide-first", change=change)).body["digest"]
            reply = await apply(visitor, digest)
            assert (reply.body["status"], reply.body["state"]) == ("applied", state), reply.text
            assert Ledger(museum).faults() == []
