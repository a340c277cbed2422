"""A `crossfade serve` process spoken to in raw lines."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import IO, Any

from .museum import COMMAND, Museum

PATIENCE = 20.0
"""Seconds after which a server that has not answered counts as silent."""


class RawServer:
    """Sends bytes as they are, and reads replies as JSON; no wait is without an end."""

    def __init__(self, museum: Museum) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [*COMMAND, "serve"], stdin=pipe, stdout=pipe, stderr=pipe, env=museum.environment
        )
        self._replies: queue.Queue[bytes] = queue.Queue()
        self._log: queue.Queue[bytes] = queue.Queue()
        self._readers = [
            threading.Thread(target=_drain, args=streams, daemon=True)
            for streams in ((self._process.stdout, self._replies), (self._process.stderr, self._log))
        ]
        for reader in self._readers:
            reader.start()
        self._asked = 0

    def send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def reply(self) -> dict[str, Any]:
        return json.loads(self._replies.get(timeout=PATIENCE))

    def logged(self, event: str) -> dict[str, Any]:
        """The next entry of the log about an event, once it is there."""
        while True:
            entry = json.loads(self._log.get(timeout=PATIENCE))
            if entry["event"] == event:
                return entry

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and give back its reply, which must be the next one."""
        self._asked += 1
        number = 1_000_000 + self._asked
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        self.send(json.dumps(request).encode())
        reply = self.reply()
        assert reply.get("id") == number, reply
        return reply

    def greet(self) -> None:
        """Shake hands as a client does."""
        who = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
        assert "result" in self.ask("initialize", who)
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    def close(self) -> int:
        """End the input, and give back the exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=PATIENCE)
        return code


def _drain(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
