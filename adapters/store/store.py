"""The store in a database: a SQLite file, or PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, select

from .reader import SqlReader
from .tables import META
from .writer import SqlWriter

WAIT = 30.0
"""Longest wait for other writers, in seconds."""


class SqlStore(ABC):
    """Implements the port `Store`. Its engine is open to tests, not to the core."""

    engine: Engine

    @abstractmethod
    def read(self) -> AbstractContextManager[SqlReader]: ...

    @abstractmethod
    def write(self) -> AbstractContextManager[SqlWriter]:
        """Not to be nested: a thread that already writes would wait for itself until the wait is over."""

    @abstractmethod
    def _faults(self) -> AbstractContextManager[None]:
        """Turns what the database says of itself into StoreUnavailable."""

    @cached_property
    def store_id(self) -> str:
        """Which store this is, whatever its path or address."""
        with self._faults(), self.engine.begin() as connection:
            return connection.execute(select(META.c.store_id)).scalar_one()

    def close(self) -> None:
        """Closes the connections that are not in use; the store may be used again."""
        self.engine.dispose()


def open_store(where: Path | str, *, wait: float = WAIT) -> SqlStore:
    """The store in the file at a path, or in the database of a PostgreSQL URL, made if it is not there and brought up
    to date.

    Args:
        wait: seconds that a writer waits for others.

    Raises:
        StoreUnavailable: it cannot be opened, is no store, or is a newer Crossfade's.
    """
    if isinstance(where, Path):
        from .sqlite.store import open_file

        return open_file(where, wait=wait)
    from .postgresql.store import open_database

    return open_database(where, wait=wait)
