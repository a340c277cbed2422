"""Two servers on one store carry many launches, which two real clients ask of them at the same time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult, ElicitResult

from .processes import CATALOGUE
from .races import OFFER
from .stage import Run, Stage, staged
from .table import Row
from .verifier import read_store, verify

COMMAND = [sys.executable, "-m", "crossfade.server.cli.main", "serve"]
BOUNDED, LONG = 60, 200
BRIEF = {**OFFER, "allocation": 0.1, "success_metrics": {"ticket_rate": None}}
AT_ONCE = 2
"""Launches that each client has under way."""


@dataclass
class Traffic:
    """What the clients were told."""

    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failures: list[str] = field(default_factory=list[str])
    stale: int = 0


def two_servers(run: Run, store: str, url: str | None, *, http: bool = False) -> Row:
    """Each experiment is drafted, launched and stopped; a plan that another launch made stale is made anew."""
    row = Row(f"launches over two {'HTTP' if http else 'stdio'} servers", store)
    launches = LONG if run.long else BOUNDED
    with staged(run, row.proof, url) as stage:
        traffic = Traffic()
        with ExitStack() as stack:
            targets = [stack.enter_context(_listening(stage)) if http else None for _ in range(2)]
            anyio.run(_carry, stage, traffic, launches, targets)
        row.faults.lost += traffic.failures
        row.faults.add(verify(stage.place, traffic.answers))
        done = read_store(stage.place).operations
        row.operations = len(done)
        applied = Counter(each["change"] for each in done if each["status"] == "applied")
        if applied["launch"] != launches:
            row.faults.lost.append(f"{applied['launch']} of {launches} launches were applied")
        row.told = f"{launches} launches, {traffic.stale} plans made anew"
    return row


async def _carry(stage: Stage, traffic: Traffic, launches: int, targets: list[str | None]) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(stage, each)) for each in targets]
        numbers = iter(range(launches))
        async with anyio.create_task_group() as group:
            for client in clients * AT_ONCE:
                group.start_soon(_one_after_another, client, numbers, traffic)


async def _one_after_another(client: Client, numbers: Any, traffic: Traffic) -> None:
    for number in numbers:
        key = f"served-{number}"
        try:
            await _call(client, "create_experiment", key=key, **BRIEF)
            for change in ("launch", "stop"):
                traffic.answers.append(await _change(client, key, change, traffic))
        except AssertionError as error:
            traffic.failures.append(f"{key}: {error}")


async def _change(client: Client, key: str, change: str, traffic: Traffic) -> dict[str, Any]:
    while True:
        plan = await _call(client, "plan_change", key=key, change=change)
        assert "digest" in plan, plan
        result = await client.call_tool("apply_plan", {"digest": plan["digest"]})
        assert isinstance(result, CallToolResult)
        body: dict[str, Any] = result.structured_content or {}
        if not result.is_error:
            assert body["status"] == "applied", body
            return body
        assert body.get("code") == "stale_plan", body
        traffic.stale += 1


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    assert not result.is_error, result.structured_content
    return result.structured_content or {}


async def _yes(context: object, params: object) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


@asynccontextmanager
async def _client(stage: Stage, target: str | None) -> AsyncGenerator[Client]:
    """A client, whose person says yes, of a server of its own: over HTTP where it listens already."""
    with (stage.place.home / "server.log").open("a") as log:
        parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=_environment(stage))
        server = target or stdio_client(parameters, errlog=log)
        async with Client(server, elicitation_callback=_yes, read_timeout_seconds=60) as client:
            yield client


def _environment(stage: Stage) -> dict[str, str]:
    named = {"HOME": stage.place.home, "CATALOGUE": CATALOGUE, "DATABASE_URL": stage.place.url}
    return {**os.environ, **{f"CROSSFADE_{name}": str(value) for name, value in named.items() if value is not None}}


@contextmanager
def _listening(stage: Stage) -> Generator[str]:
    """Where a server over HTTP answers while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [*COMMAND, "--http", "--port", str(port)]
    process = subprocess.Popen(command, env=_environment(stage), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the server ended with {process.wait(0.05)}")
    raise AssertionError("the server does not listen")
