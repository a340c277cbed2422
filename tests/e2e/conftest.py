"""The store of these tests: a SQLite file in each home, or with --store=postgresql a database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..postgresql import postgresql_server


@pytest.fixture(scope="module", autouse=True)
def _store_of_the_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """For what all tests of a module share."""
    yield from _named(request)


@pytest.fixture(autouse=True)
def _store_of_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption("--store") != "sqlite" and request.node.get_closest_marker("file_store"):
        pytest.skip("is about the store's file")
    yield from _named(request)


def _named(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database in the environment, where every server that the tests start finds it."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    with postgresql_server().dropping() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSFADE_DATABASE_URL", server.database())
        yield
