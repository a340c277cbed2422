"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .postgresql import PostgresqlServer, postgresql_server, stop_postgresql_server
from .servers.unleash import ADMIN_TOKEN, TOKEN_ENV, UnleashServer, stop_unleash_server, unleash_server

# A deadline would judge a test by how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    """The server of this run; the databases that a test makes are dropped after it."""
    with postgresql_server().dropping() as server:
        yield server


@pytest.fixture
def unleash(monkeypatch: pytest.MonkeyPatch) -> UnleashServer:
    """The Unleash server of this run, without a flag, and the token for it in the environment."""
    monkeypatch.setenv(TOKEN_ENV, ADMIN_TOKEN)
    server = unleash_server()
    server.clear()
    return server


def pytest_addoption(parser: pytest.Parser) -> None:
    stores = ["sqlite", "postgresql"]
    parser.addoption("--store", choices=stores, default=stores[0], help="the store under tests/e2e (default: sqlite)")


def pytest_configure() -> None:
    os.environ.pop("CROSSFADE_DATABASE_URL", None)  # no test writes to a database that somebody uses


def pytest_sessionfinish() -> None:
    stop_unleash_server()
    stop_postgresql_server()
