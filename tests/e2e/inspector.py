"""The MCP Inspector's command line, pinned, and the ways to reach a Crossfade server with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..servers.npm import CACHE, installed, node
from ..servers.starting import free_port

VERSION = "2.12.0"
CLIENT = Path("node_modules", "@modelcontextprotocol", "inspector", "clients", "cli", "build", "index.js")
CROSSFADE = Path(sys.executable).with_name("crossfade")
PATIENCE = 120
"""Seconds that one call may take on a busy machine."""
ATTEMPTS, PAUSE = 300, 0.1
"""How often a server that starts is looked for, and the seconds in between."""


T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """`exit` is 0 when all went well, 5 when a tool reported an error, 6 when `--strict` found one."""

    exit: int
    result: dict[str, Any]
    complaint: str


@dataclass(frozen=True)
class Inspector:
    """Starts one process a question; `target` says how the server is reached, `called` which tools were called."""

    client: Sequence[str]
    target: Sequence[str]
    era: str
    home: Path
    called: set[str] = field(default_factory=set[str])

    def ask(self, method: str, *options: str) -> Outcome:
        command = [*self.client, *self.target, "--method", method, *options]
        ran = subprocess.run(
            [*command, "--protocol-era", self.era, "--format", "json", "--quiet"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "MCP_INSPECTOR_SECRET_STORE": "memory", "NODE_COMPILE_CACHE": str(CACHE / "compiled")},
        )
        result: dict[str, Any] = json.loads(ran.stdout)["result"] if ran.stdout.strip() else {}
        return Outcome(ran.returncode, result, ran.stderr)

    def answer(self, method: str, *options: str) -> dict[str, Any]:
        """The result of a request that must go well."""
        outcome = self.ask(method, *options)
        assert outcome.exit == 0, f"{method} {' '.join(options)} ended with {outcome.exit}: {outcome.complaint}"
        return outcome.result

    def try_tool(self, name: str, **arguments: Any) -> Outcome:
        self.called.add(name)
        return self.ask("tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The structured half of a tool's answer."""
        outcome = self.try_tool(name, **arguments)
        assert outcome.exit == 0, f"{name} ended with {outcome.exit}: {outcome.result or outcome.complaint}"
        return outcome.result["structuredContent"]

    def approve(self, digest: str) -> str:
        """What a person does in a terminal beside the client."""
        ran = subprocess.run(
            [CROSSFADE, "approve", digest, "--yes"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "CROSSFADE_HOME": str(self.home)},
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def together(*questions: Callable[[], T]) -> list[T]:
    """The answers to questions that do not wait for each other, two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return [asked.result() for asked in [pool.submit(question) for question in questions]]


def install() -> list[str]:
    """The command that starts the Inspector, installed by the first call on a machine."""
    folder = installed("@modelcontextprotocol/inspector", VERSION, scripts=True)
    return [node(), str(folder / CLIENT)]


def over_stdio(home: Path) -> list[str]:
    """A server that the Inspector starts itself."""
    return [str(CROSSFADE), "serve", "-e", f"CROSSFADE_HOME={home}"]


@contextmanager
def over_http(home: Path) -> Generator[list[str]]:
    """A server that listens while the block runs."""
    port = free_port()
    process = subprocess.Popen(
        [CROSSFADE, "serve", "--http", "--port", str(port)],
        env={**os.environ, "CROSSFADE_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(process, port)
        yield ["--server-url", f"http://127.0.0.1:{port}/mcp", "--transport", "http"]
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(ATTEMPTS):
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(PAUSE)
        else:
            return
    raise AssertionError(f"no server on port {port} after {ATTEMPTS * PAUSE:.0f} s")
