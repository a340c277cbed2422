"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from .postgresql import PostgresqlServer, postgresql_server, stop_postgresql_server

# A deadline would judge a test by how busy the machine is.
settings.register_profile("unhurried")
settings.load_profile("unhurried")


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    """The server of this run; the databases that a test makes are dropped after it."""
    server = postgresql_server()
    yield server
    server.drop_databases()


def pytest_sessionfinish() -> None:
    stop_postgresql_server()
