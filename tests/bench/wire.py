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
        begun = self._send(method, params, META)
        return self._answer(begun)

    def heard(self, tool: str, **arguments: Any) -> tuple[float, float, dict[str, Any]]:
        """(seconds to the first notification of progress, seconds to the answer, structured half) of a tool that tells
        of its progress."""
        begun = self._send("tools/call", {"name": tool, "arguments": arguments}, {**META, "progressToken": tool})
        first, told = self._line(begun)
        assert told.get("method") == "notifications/progress", told
        assert told["params"]["message"].startswith("accepted: o-"), told
        took, result = self._answer(begun)
        assert not result.get("isError"), f"{tool}: {result['content']}"
        return first, took, result["structuredContent"]

    def _send(self, method: str, params: dict[str, Any], meta: dict[str, Any]) -> float:
        """When the request went out."""
        assert self._process.stdin is not None
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, "_meta": meta}}
        line = json.dumps(request).encode() + b"\n"
        begun = time.perf_counter()
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return begun

    def _line(self, begun: float) -> tuple[float, dict[str, Any]]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return time.perf_counter() - begun, json.loads(line)

    def _answer(self, begun: float) -> tuple[float, dict[str, Any]]:
        """(seconds since then, result) of the answer to the last request."""
        took, reply = self._line(begun)
        while "method" in reply:  # a notification
            took, reply = self._line(begun)
        assert reply.get("id") == self._id, f"not answered but: {str(reply)[:200]}"
        assert "result" in reply, str(reply)[:500]
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
