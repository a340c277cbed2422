"""The server over stdio, seen as bytes: its stdout holds protocol messages and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

PATIENCE = 60.0
"""Seconds after which a server that does not answer is taken for dead."""
COMMAND = (sys.executable, "-m", "crossfade.server.cli.main", "serve")
NAME = {"name": "stdout-test", "version": "1"}
MODERN = {PROTOCOL_VERSION_META_KEY: "2026-07-28", CLIENT_INFO_META_KEY: NAME, CLIENT_CAPABILITIES_META_KEY: {}}
LEGACY = {"protocolVersion": "2025-11-25", "clientInfo": NAME, "capabilities": {}}

BRIEF: dict[str, Any] = {
    "surface": "home",
    "change": "One more shelf on Home",
    "because": "There is room for it",
    "variants": {"b": {"shelf_length": 99}},
    "success_metrics": {"minutes_played": None},
}
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("tools/list", {}),
    ("tools/call", {"name": "find_surfaces", "arguments": {"query": "home\nshelf\u2028order"}}),
    ("tools/call", {"name": "create_experiment", "arguments": BRIEF}),
    ("tools/call", {"name": "create_experiment", "arguments": {"surfce": "home"}}),
    ("tools/call", {"name": "no_such_tool", "arguments": {}}),
    ("tools/call", {"name": "plan_change", "arguments": {"key": "nobody", "change": "launch"}}),
    ("resources/read", {"uri": "surface://nowhere"}),
    ("prompts/get", {"name": "repair_findings", "arguments": {"key": "nobody"}}),
    ("no/such/method", {}),
]


@asynccontextmanager
async def served(home: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A server that logs all it can, ended with the block."""
    environment = {**os.environ, "CROSSFADE_HOME": str(home), "CROSSFADE_LOG_LEVEL": "debug"}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**24,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def lines_until(process: asyncio.subprocess.Process, answered: set[int]) -> list[bytes]:
    """What stdout held until every id had its answer."""
    assert process.stdout is not None
    lines: list[bytes] = []
    while answered:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert line, f"the server ended before it answered {answered}"
        lines.append(line)
        answered.discard(json.loads(line).get("id"))
    return lines


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_stdout_holds_nothing_but_messages(era: str, tmp_path: Path) -> None:
    async with served(tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def send(message: dict[str, Any]) -> None:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

        lines: list[bytes] = []
        if era == "legacy":
            send({"id": 0, "method": "initialize", "params": LEGACY})
            lines += await lines_until(process, {0})
            send({"method": "notifications/initialized"})
        for number, (method, params) in enumerate(REQUESTS, start=1):
            shared = {"_meta": MODERN} if era == "modern" else {}
            send({"id": number, "method": method, "params": {**params, **shared}})
        process.stdin.write(b'this is no JSON\n{"jsonrpc": "2.0", "id": 99, "method": 7}\n')
        lines += await lines_until(process, {*range(1, len(REQUESTS) + 1), 99})
        process.stdin.close()
        lines += (await asyncio.wait_for(process.stdout.read(), PATIENCE)).splitlines(keepends=True)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    for line in lines:
        assert line.endswith(b"\n")
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        assert {"result", "error", "method"} & set(message)
