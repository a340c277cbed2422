"""What holds for every test: where its store is, and how much time it may take."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .postgresql import URL, PostgresqlServer, database_in_use, postgresql_server, stop_postgresql_server
from .servers.confidence import ConfidenceServer, api_client, confidence_server
from .servers.growthbook import GrowthbookServer, growthbook_in_use
from .servers.unleash import UnleashServer, stop_unleash_server, unleash_server, unleash_token

# A deadline would judge a test by how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    """The server of this run; the databases that a test makes are dropped after it."""
    with postgresql_server().dropping() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def _store_of_the_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """For what all tests of a module share."""
    yield from _named(request)


@pytest.fixture(autouse=True)
def _store_of_the_test(request: pytest.FixtureRequest, _store_of_the_module: None) -> Iterator[None]:
    yield from _named(request)


def _named(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    with database_in_use():
        yield


@pytest.fixture
def unleash() -> Iterator[UnleashServer]:
    """The Unleash server of this run, without a flag, and the token for it in the environment."""
    with unleash_token():
        server = unleash_server()
        server.clear()
        yield server


@pytest.fixture
def growthbook() -> Iterator[GrowthbookServer]:
    """The stand-in for GrowthBook, with nothing in it, and the key for it in the environment."""
    with growthbook_in_use() as server:
        yield server


@pytest.fixture
def confidence() -> Iterator[ConfidenceServer]:
    """The fake of Confidence of this run, with nothing in it, and an API client of it in the environment."""
    server = confidence_server()
    server.clear()
    with api_client():
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    stores = ["sqlite", "postgresql"]
    parser.addoption("--store", choices=stores, default=stores[0], help="the store of the tests (default: sqlite)")


def pytest_configure() -> None:
    os.environ.pop(URL, None)  # no test writes to a database that somebody uses


def pytest_runtest_setup(item: pytest.Item) -> None:
    about_files = item.get_closest_marker("file_store")
    if about_files is not None and item.config.getoption("--store") != "sqlite":
        pytest.skip(f"is about SQLite: {about_files.args[0]}")


def pytest_sessionfinish() -> None:
    stop_unleash_server()
    stop_postgresql_server()
