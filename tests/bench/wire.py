"""A server process and bare JSON-RPC to it: a client of the SDK spends most of its time on checks of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

META = {
    PROTOCOL_VERSION_META_KEY: "2026-07-28",
    CLIENT_INFO_META_KEY: {"name": "bench", "version": "1"},
    CLIENT_CAPABILITIES_META_KEY: {},
}


class Wire:
    """A running server; leaving the block ends it."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "CROSSFADE_HOME": str(home)},
        )
        self._id = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, method: str, **params: Any) -> tuple[float, dict[str, Any]]:
        """(seconds from the request to its answer, result)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, "_meta": META}}
        line = json.dumps(request).encode() + b"\n"
        begun = time.perf_counter()
        self._process.stdin.write(line)
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        took = time.perf_counter() - begun
        reply: dict[str, Any] = json.loads(answer)
        assert reply.get("id") == self._id, f"{method} was not answered but: {answer[:200]!r}"
        assert "result" in reply, f"{method}: {answer[:500]!r}"
        return took, reply["result"]

    def call(self, tool: str, **arguments: Any) -> tuple[float, dict[str, Any]]:
        """(seconds, structured half) of a tool's answer, which must be no error."""
        took, result = self.ask("tools/call", name=tool, arguments=arguments)
        assert not result.get("isError"), f"{tool}: {result['content']}"
        return took, result["structuredContent"]

    @property
    def resident(self) -> float:
        """Megabytes of memory that the process holds now (Linux; elsewhere not a number)."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return float("nan")
        [kilobytes] = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
        return int(kilobytes) / 1024
