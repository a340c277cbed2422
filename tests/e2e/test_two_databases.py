"""Nobody can tell from a reply which database the store is in: the same random calls get the same replies."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ..postgresql import PostgresqlServer
from .museum import Museum, SetClock, Visitor, brief, visiting

SEEDS, CALLS = int(os.environ.get("SEEDS", "6")), 60
_DRAWN = re.compile(r"\b[0-9a-f]{32}\b|\bo-[0-9a-f]{12}\b|\bp-[0-9a-f]{10}\b")
"""Ids that are drawn, and handles of plans, which cover who owns what was delivered."""
KEYS = ["guide-first", "guide-two", "a-guide", "guide-10", "guide-9", "z1", "a1"]
TEXTS = [
    "Zürich first, ZURICH last",
    "straße STRASSE Straße",
    "The audio guide comes first",
    "guided guides: a guide's guide",
    "ガイドを先に 音声ガイド",
    "e\u0301cole École ecole",
    "İstanbul \u0131ss\u0131z",
    "no\u00adbreak wo\u200brd",
    "a/b C:\\path it's \"quoted\" %s :name ' OR 1=1 --",
    "👩‍🎨 painters ☕",
    "ﬁgure ½ x² №5",
    "คู่มือ เสียง",
    "nul\0inside",
    "สวัสดี hello_world hello-world",
    "123 1.5 10e3",
    "ὈΔΥΣΣΕΎΣ ὀδυσσεύς",
    "दिल्ली हिन्दी",
    "שָׁלוֹם عربى مُحَمَّد",
]
OWNERS = ["curators", "Curators", "ärzte", "zoo", "Zoo", "a\0b"]
NUMBERS: list[Any] = [0, -0.0, 1e-320, 0.1, 1e300, 2**53 + 1, 2**63, 10**30, True, None, "0.10", 1.0, 100]


def _text(chance: random.Random) -> str:
    text = chance.choice(TEXTS)
    return " ".join([text] * chance.choice([1, 1, 1, 2, 30]))


def _words(chance: random.Random) -> str:
    words = chance.choice(TEXTS).split()
    return " ".join(chance.sample(words, chance.randint(1, min(2, len(words)))))


class Caller:
    """Draws calls, from what was told before and no other state: as long as the replies are the same, so are these."""

    def __init__(self, visitor: Visitor, clock: SetClock, seed: int) -> None:
        self._visitor, self._clock, self._chance = visitor, clock, random.Random(seed)
        self._cursor: tuple[dict[str, Any], str] | None = None
        self.told: list[str] = []

    async def go_on(self) -> None:
        kinds = [self._draft, self._draft, self._change, self._search, self._search, self._page, self._read, self._live]
        await self._chance.choice(kinds)()
        self._clock.sleep(self._chance.choice([0, 0.000_001, 1, 90_000]))

    async def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        reply = await self._visitor.call(tool, arguments)
        body, text = reply.body, reply.text
        if "query" in arguments and "experiments" in body:
            # Each database ranks by a formula of its own. What is found is the same, and all of it fits here.
            found: list[dict[str, Any]] = body["experiments"]
            body, text = {**body, "experiments": sorted(found, key=lambda each: each["key"]), "next": ""}, ""
        self.told.append(f"{tool} {arguments!r}\n{text}\n{body!r}")
        return reply.body

    async def _draft(self) -> None:
        chance = self._chance
        more: dict[str, Any] = {"owner": chance.choice(OWNERS), "tags": [_text(chance)]}
        if chance.random() < 0.3:
            more["name"] = _text(chance)
        told: dict[str, Any] = {"more": more} if chance.random() < 0.7 else {}
        if chance.random() < 0.6:
            told["change"] = _text(chance)
        if chance.random() < 0.5:  # else most drafts have so much that nothing can be launched
            told = {}
        await self._call("create_experiment", brief(chance.choice(KEYS), **told))

    async def _change(self) -> None:
        chance, key = self._chance, self._chance.choice(KEYS)
        shown = await self._call("get_experiment", {"key": key})
        field = chance.choice(["allocation", "owner", "name", "tags", "audience", "unknown"])
        value: Any = chance.choice([chance.choice(NUMBERS), _text(chance), [_text(chance)], {"visits": {"gt": 3}}])
        fixes = [each["fix"]["id"] for each in shown.get("findings", []) if isinstance(each.get("fix"), dict)]
        asked = {"key": key, "version": shown.get("version", 1), "changes": {field: value}, "fixes": fixes[:1]}
        await self._call("update_experiment", asked)

    async def _search(self) -> None:
        chance = self._chance
        asked: dict[str, Any] = {"limit": chance.choice([1, 2, 50])}
        if chance.random() < 0.7:
            asked = {"query": _words(chance), "limit": 50}
        for name, values in (("owner", OWNERS), ("state", ["draft", "running"]), ("surface", ["gallery", "Gallery"])):
            if chance.random() < 0.2:
                asked[name] = chance.choice(values)
        found = await self._call("find_experiments", asked)
        self._cursor = (asked, found["cursor"]) if "cursor" in found else None

    async def _page(self) -> None:
        if self._cursor is not None:
            asked, cursor = self._cursor
            found = await self._call("find_experiments", {**asked, "cursor": cursor})
            self._cursor = (asked, found["cursor"]) if "cursor" in found else None

    async def _read(self) -> None:
        key = self._chance.choice([*KEYS, "nul\0", "GUIDE-FIRST"])
        version = self._chance.choice([1, 2, 2**31, 2**63, 10**30])
        await self._call(
            "get_experiment", {"key": key, "full": True, **self._chance.choice([{}, {"version": version}])}
        )

    async def _live(self) -> None:
        key = self._chance.choice(KEYS)
        change = self._chance.choice(["launch", "launch", "pause", "resume", "stop"])
        plan = await self._call("plan_change", {"key": key, "change": change})
        if plan.get("ready"):
            await self._call("apply_plan", {"digest": plan["digest"]})


def _empty(home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    return home


async def _told(home: Path, url: str | None, seed: int) -> list[str]:
    clock = SetClock()
    async with visiting(Museum(home, url=url), clock) as visitor:
        caller = Caller(visitor, clock, seed)
        for _ in range(CALLS):
            await caller.go_on()
    return [_DRAWN.sub("...", text) for text in caller.told]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_the_same_calls_get_the_same_replies(seed: int, tmp_path: Path, postgresql: PostgresqlServer) -> None:
    home = tmp_path / "home"  # the same for both: replies have paths
    in_file = await _told(_empty(home), None, seed)
    in_database = await _told(_empty(home), postgresql.database(), seed)
    for one, other in zip(in_file, in_database, strict=True):
        assert one == other
