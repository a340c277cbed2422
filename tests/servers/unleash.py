"""An Unleash server for the tests: the npm package, installed once a machine, on the tests' PostgreSQL."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx
import psycopg
from pydantic import JsonValue

from crossfade.core.documents import JsonObject

from ..postgresql import postgresql_server
from .npm import installed, node
from .starting import await_answer, free_port

VERSION = "8.2.0"
PROGRAM = Path("node_modules", "unleash-server", "dist", "server.js")
READY_WITHIN = 60.0
"""Seconds after which a start has failed."""
ADMIN_TOKEN, SDK_TOKEN = "*:*.made-up-for-administration", "*:development.made-up-for-products"
TOKEN_ENV = "UNLEASH_TOKEN_OF_THE_TESTS"
FLAGS = "/api/admin/projects/default/features"
ENVIRONMENT = "development"


class UnleashServer:
    """A server on a free port of this machine; `url` leads to it."""

    def __init__(self, node: str, program: Path, database: str) -> None:
        self._database = database
        self._folder = Path(tempfile.mkdtemp(prefix="crossfade-unleash-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "DATABASE_URL": database,
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.port),
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "error",
            "CLIENT_FEATURE_CACHING_ENABLED": "false",  # what an SDK reads is what was written before
            "INIT_ADMIN_API_TOKENS": ADMIN_TOKEN,
            "INIT_BACKEND_API_TOKENS": SDK_TOKEN,
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [node, str(program)],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, **settings},
            )
        atexit.register(self.stop)
        await_answer(self._answers, self._folder / "log", READY_WITHIN)
        with psycopg.connect(database, autocommit=True) as there:
            # It notes the life of a flag some time after the call, and would end if `clear` had taken the flag out.
            there.execute("ALTER TABLE feature_lifecycles DROP CONSTRAINT feature_lifecycles_feature_fkey")

    def admin(self, method: str, path: str, body: JsonValue = None) -> httpx.Response:
        """What somebody else does in Unleash by hand."""
        headers = {"authorization": ADMIN_TOKEN}
        return httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=20)

    def flag(self, name: str) -> JsonObject:
        return self.admin("GET", f"{FLAGS}/{name}").json()

    def strategies(self, name: str) -> list[JsonObject]:
        return self.admin("GET", f"{FLAGS}/{name}/environments/{ENVIRONMENT}/strategies").json()

    def state(self) -> JsonObject:
        """What an SDK downloads."""
        return httpx.get(f"{self.url}/api/client/features", headers={"authorization": SDK_TOKEN}).json()

    def clear(self) -> None:
        """Take out every flag, the archived ones too, which no call of Unleash lists."""
        ended = self._process.poll()
        assert ended is None, f"Unleash ended with {ended}: {(self._folder / 'log').read_text()[-4_000:]}"
        with psycopg.connect(self._database, autocommit=True) as there:
            there.execute("DELETE FROM dependent_features")
            there.execute("DELETE FROM features")
            there.execute("DELETE FROM feature_lifecycles")

    @contextmanager
    def in_another_project(self, name: str) -> Generator[None]:
        """With a flag moved, which only the paid edition lets one do by a call."""
        with psycopg.connect(self._database, autocommit=True) as there:
            there.execute("INSERT INTO projects (id, name) VALUES ('other', 'Other') ON CONFLICT DO NOTHING")
            there.execute("UPDATE features SET project = 'other' WHERE name = %s", (name,))
            yield
            there.execute("UPDATE features SET project = 'default' WHERE name = %s", (name,))

    def stop(self) -> None:
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()[-4_000:]
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False


@cache
def unleash_server() -> UnleashServer:
    """The server of this run of the tests. Without Node.js or npm the test is skipped, or fails where CI is set."""
    folder = installed("unleash-server", VERSION)
    return UnleashServer(node(), folder / PROGRAM, postgresql_server().lasting_database("unleash"))


def stop_unleash_server() -> None:
    """Stop the server, if this run has started it."""
    if unleash_server.cache_info().currsize:
        unleash_server().stop()
        unleash_server.cache_clear()
