"""An Unleash server for the tests: the npm package, installed once a machine, on the tests' PostgreSQL."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Literal

import httpx
import psycopg
import pytest
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
Role = Literal["editor", "viewer"]
ROLES: dict[Role, int] = {"editor": 2, "viewer": 3}
"""Unleash's ids of them."""
_USERS = count(1)
CLEARED = """
DELETE FROM dependent_features; DELETE FROM features; DELETE FROM feature_lifecycles; DELETE FROM segments
"""
HELD = """
SELECT jsonb_agg(jsonb_build_array(
  f.name, f.type, f.description, f.impression_data, f.archived_at IS NULL,
  (SELECT jsonb_agg(to_jsonb(e) - 'last_seen_at' ORDER BY e.environment)
    FROM feature_environments e WHERE e.feature_name = f.name),
  (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.id) FROM feature_strategies s WHERE s.feature_name = f.name),
  (SELECT jsonb_agg(to_jsonb(d)) FROM dependent_features d WHERE d.child = f.name)
) ORDER BY f.name) FROM features f
"""


class UnleashServer:
    """A server on a free port of this machine; `url` leads to it."""

    def __init__(self, node: str, program: Path, database: str) -> None:
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
        # One for all calls: to make one takes as long as five of them.
        self._http = httpx.Client(base_url=self.url, timeout=20, trust_env=False)
        await_answer(self._answers, self._folder / "log", READY_WITHIN)
        self.settings: JsonObject = {"url": self.url, "token_env": TOKEN_ENV, "environment": ENVIRONMENT}
        """As a catalogue says them."""
        self._there = psycopg.connect(database, autocommit=True)
        # It notes the life of a flag some time after the call, and would end if `clear` had taken the flag out.
        self._there.execute("ALTER TABLE feature_lifecycles DROP CONSTRAINT feature_lifecycles_feature_fkey")

    def admin(self, method: str, path: str, body: JsonValue = None, token: str = ADMIN_TOKEN) -> httpx.Response:
        """What somebody else does in Unleash by hand."""
        return self._http.request(method, path, json=body, headers={"authorization": token})

    def user_token(self, role: Role) -> str:
        """The personal token of a user who has this role, as people make it."""
        name, password = f"{role}-{next(_USERS)}", "Made-up-f0r-the-tests"
        body: JsonValue = {"username": name, "rootRole": ROLES[role], "password": password, "sendEmail": False}
        assert self.admin("POST", "/api/admin/user-admin", body).status_code == 201
        with httpx.Client(base_url=self.url, trust_env=False) as person:
            assert person.post("/auth/simple/login", json={"username": name, "password": password}).status_code == 200
            wanted = {"description": "crossfade", "expiresAt": "2099-01-01T00:00:00.000Z"}
            return str(person.post("/api/admin/user/tokens", json=wanted).json()["secret"])

    def flag(self, name: str) -> JsonObject:
        return self.admin("GET", f"{FLAGS}/{name}").json()

    def strategies(self, name: str) -> list[JsonObject]:
        return self.admin("GET", f"{FLAGS}/{name}/environments/{ENVIRONMENT}/strategies").json()

    def state(self) -> JsonObject:
        """What an SDK downloads."""
        return self.admin("GET", "/api/client/features", token=SDK_TOKEN).json()

    def clear(self) -> None:
        """Take out every flag, the archived ones too, which no call of Unleash lists."""
        ended = self._process.poll()
        assert ended is None, f"Unleash ended with {ended}: {(self._folder / 'log').read_text()[-4_000:]}"
        self._there.execute(CLEARED)

    def held(self) -> bytes | None:
        """All that it keeps of flags, the archived ones too, as JSON; None where there is none."""
        (found,) = self._there.execute(HELD).fetchone() or (None,)
        return None if found is None else json.dumps(found).encode()

    @contextmanager
    def in_another_project(self, name: str) -> Generator[None]:
        """With a flag moved, which only the paid edition lets one do by a call."""
        there = self._there
        there.execute("INSERT INTO projects (id, name) VALUES ('other', 'Other') ON CONFLICT DO NOTHING")
        there.execute("UPDATE features SET project = 'other' WHERE name = %s", (name,))
        yield
        there.execute("UPDATE features SET project = 'default' WHERE name = %s", (name,))

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._there.close()
        self._http.close()
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
            return self._http.get("/health").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def unleash_token() -> Generator[None]:
    """For the block the token is in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_ENV, ADMIN_TOKEN)
        yield


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
