"""The app of a museum with a home of its own, and ways to reach the server that runs experiments on it."""

from __future__ import annotations

import ast
import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import mcp.types as types
import psycopg
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from psycopg.rows import dict_row
from pydantic import SecretStr

from crossfade.adapters.store.store import open_store
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Change
from crossfade.core.ports.clock import Clock
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from ..postgresql import URL

CATALOGUE = Path(__file__).with_name("museum_catalogue")
COMMAND = [sys.executable, "-m", "crossfade.server.cli.main"]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Museum:
    """A home folder; the catalogue is the bundled one unless the home has its own."""

    home: Path
    catalogue: Path = CATALOGUE
    lease: float = 15.0
    url: str | None = field(default_factory=lambda: os.environ.get(URL))
    """The store's database, when the tests run on PostgreSQL."""
    out: Path = field(init=False)

    def __post_init__(self) -> None:
        self.out = self.home / "out"

    @property
    def database(self) -> Path:
        return self.home / "crossfade.db"

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds in the store, read without any of our code; empty as long as there is no store."""
        if self.url is not None:
            with psycopg.connect(self.url) as there, there.cursor(row_factory=dict_row) as found:
                return found.execute(query.replace("?", "%s").encode(), values).fetchall()
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as here:
            here.row_factory = sqlite3.Row
            return [dict(row) for row in here.execute(query, values)]

    @property
    def flags(self) -> Path:
        return self.out / "flags/flags.json"

    @property
    def texts(self) -> Path:
        return self.out / "texts/gallery.json"

    @property
    def settings(self) -> Settings:
        url = SecretStr(self.url) if self.url is not None else None
        return Settings(home=self.home, database_url=url, catalogue=self.catalogue, lease_seconds=self.lease)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of its own needs to work on this home."""
        ours = {"HOME": self.home, "CATALOGUE": self.catalogue, "LEASE_SECONDS": self.lease}
        there = {} if self.url is None else {URL: self.url}
        return {**os.environ, **there, **{f"CROSSFADE_{name}": str(value) for name, value in ours.items()}}

    def app(self, clock: Clock | None = None) -> Crossfade:
        return build(self.settings, "test", clock)

    def own_catalogue(self) -> Path:
        """Give the home a catalogue that a test may change, and return its file."""
        self.catalogue = self.home / "catalogue"
        self.catalogue.mkdir(parents=True, exist_ok=True)
        file = self.catalogue / "catalogue.yaml"
        file.write_text((CATALOGUE / "catalogue.yaml").read_text())
        return file


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crossfade.db"
        open_store(path).close()
        return path.read_bytes()


def opened(home: Path) -> Museum:
    """A museum whose store exists already: to make one takes longer than most tests."""
    museum = Museum(home)
    if museum.url is None:
        museum.database.write_bytes(_empty_store())
    return museum


def swept(home: Path) -> Museum:
    """A museum in which a process said, on the first day, that it shows life every ten years."""
    museum = opened(home)
    museum.app(SetClock()).beat("sweeper", 3e8)
    return museum


def brief(key: str = "guide-first", **more: object) -> dict[str, Any]:
    """Arguments of create_experiment for a draft that is ready: two backends, 3,000 of 10,000 buckets."""
    return {
        "surface": "gallery",
        "change": "The audio guide comes first",
        "because": "Visitors do not find the guide",
        "variants": {"guide": {"guide_first": True}},
        "success_metrics": {"ticket_rate": None},
        "allocation": 0.3,
        "key": key,
        **more,
    }


def drafted(app: Crossfade, key: str = "guide-first", **more: object) -> str:
    """A draft that is ready to launch; gives back its key."""
    answer = app.create_experiment(Brief.read(brief(key, **more)))
    assert answer.ready, answer.findings
    return key


def agreed(app: Crossfade, key: str, change: Change) -> str:
    """A plan that a person has said yes to; gives back its digest."""
    plan = app.plan_change(key, change)
    assert plan.digest is not None, plan.findings
    app.approve(plan.digest, approved=True, assurance="terminal", by="curator")
    return plan.digest


def launched(app: Crossfade, key: str = "guide-first", **more: object) -> str:
    """An experiment that runs; gives back its key."""
    drafted(app, key, **more)
    assert app.apply_plan(agreed(app, key, "launch")).status == "applied"
    return key


@dataclass
class Reply:
    """What a tool answered: the structured half and the text."""

    failed: bool
    body: dict[str, Any]
    text: str

    def codes(self) -> list[str]:
        return [finding["code"] for finding in self.body["findings"] if finding["severity"].startswith("block")]

    def finding(self, code: str) -> dict[str, Any]:
        return next(finding for finding in self.body["findings"] if finding["code"] == code)


@dataclass
class Visitor:
    """A client that calls tools and keeps the questions that a person was asked."""

    client: Client
    questions: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None, /, **named: Any) -> Reply:
        result = await self.client.call_tool(tool, {**(arguments or {}), **named})
        assert isinstance(result, types.CallToolResult)
        text = "".join(part.text for part in result.content if isinstance(part, types.TextContent))
        return Reply(bool(result.is_error), result.structured_content or {}, text)

    async def paste(self, call: str) -> Reply:
        """Make the call that a reply's `next` offers, as it stands there."""
        parsed = ast.parse(call, mode="eval").body
        assert isinstance(parsed, ast.Call), call
        given = {word.arg: json.loads(ast.get_source_segment(call, word.value) or "") for word in parsed.keywords}
        return await self.call(ast.unparse(parsed.func), {name: value for name, value in given.items() if name})

    async def works(self) -> bool:
        """Whether the server still answers as it should."""
        return not (await self.call("find_experiments")).failed

    async def draft(self, key: str = "guide-first", **more: Any) -> Reply:
        reply = await self.call("create_experiment", brief(key, **more))
        assert not reply.failed, reply.text
        return reply

    async def planned(self, key: str = "guide-first", change: Change = "launch") -> str:
        reply = await self.call("plan_change", key=key, change=change)
        assert reply.body.get("ready"), reply.text
        return reply.body["digest"]

    async def changed(self, change: Change, key: str = "guide-first", **more: Any) -> dict[str, Any]:
        """What the apply of a change answers, after a person's yes; it has to be applied."""
        plan = await self.call("plan_change", key=key, change=change, **more)
        assert plan.body.get("ready"), plan.text
        applied = await self.call("apply_plan", digest=plan.body["digest"])
        assert applied.body["status"] == "applied", applied.text
        return applied.body

    async def launch(self, key: str = "guide-first", **more: object) -> Reply:
        await self.draft(key, **more)
        return await self.call("apply_plan", digest=await self.planned(key))


class Exchangeable(Services):
    """Services that lead to those of whoever visits now: a server costs more to make than most tests take."""

    def __init__(self) -> None:
        self.current: Services | None = None

    @property
    def app(self) -> Crossfade:
        assert self.current is not None
        return self.current.app


@cache
def _server() -> tuple[CrossfadeServer, Exchangeable]:
    services = Exchangeable()
    return CrossfadeServer(services), services


@asynccontextmanager
async def visiting(museum: Museum, clock: Clock | None = None, *, approve: bool = True) -> AsyncGenerator[Visitor]:
    """A client of a server in this process, whose person says yes (or no) to everything. One at a time."""
    server, services = _server()
    assert services.current is None
    services.current = Services(lambda: build(museum.settings, "mcp:test", clock))
    try:
        async with _connected(server, approve) as visitor:
            yield visitor
    finally:
        services.current = None


@asynccontextmanager
async def visiting_process(museum: Museum) -> AsyncGenerator[Visitor]:
    """A client of a `crossfade serve` process over stdio, whose person says yes."""
    server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "serve"], env=museum.environment)
    with (museum.home / "server.log").open("a") as log:
        async with _connected(stdio_client(server, errlog=log), True) as visitor:
            yield visitor


@asynccontextmanager
async def _connected(server: Any, approve: bool) -> AsyncGenerator[Visitor]:
    questions: list[str] = []

    async def answer(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        questions.append(params.message)
        return types.ElicitResult(action="accept", content={"approve": approve})

    async with Client(server, elicitation_callback=answer, read_timeout_seconds=30) as client:
        yield Visitor(client, questions)
