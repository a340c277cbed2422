"""The store in one PostgreSQL database, which any number of processes may share."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert

from ....core.errors import StoreUnavailable
from ...turns import Turns
from ..migrate import REVISIONS, revision, upgrade
from ..reader import SqlReader
from ..statements import Statements
from ..store import WAIT, SqlStore
from ..writer import SqlWriter
from .address import Address, address_of
from .driver import database_engine, require_server
from .faults import database_faults
from .full_text import TSVECTOR

_STATEMENTS = Statements(insert)
IDLE = 30.0
"""Longest pause of a writer between two statements, in seconds; then its turn ends, and nothing of it was written."""
_WRITER = 0x63726F737366  # "crossf": the advisory lock of whoever writes or migrates


class PostgresqlStore(SqlStore):
    def __init__(self, address: Address, engine: Engine, wait: float) -> None:
        self.engine = engine
        self._address = address
        self._wait = wait
        self._threads = Turns()
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writing = _writing(engine)
        weakref.finalize(self, engine.dispose)  # a server has few connections: a store that is gone keeps none

    @contextmanager
    def read(self) -> Generator[SqlReader]:
        with self._faults(), self._reading.begin() as connection:
            yield SqlReader(connection, TSVECTOR)

    @contextmanager
    def write(self) -> Generator[SqlWriter]:
        # Of a process's threads one waits in the database, so that the others leave connections to those who read.
        if not self._threads.acquire(timeout=self._wait):
            raise StoreUnavailable(
                f"Another writer has kept the database locked for {self._wait:g} seconds.",
                next="Repeat the call; if it stays so, end the process that holds the lock.",
                retryable=True,
            )
        try:
            with self._faults(), self._writing.begin() as connection:
                take_turn(connection, self._wait)
                yield SqlWriter(connection, TSVECTOR, _STATEMENTS)
        finally:
            self._threads.release()

    def _faults(self) -> AbstractContextManager[None]:
        return database_faults(self._address)


def take_turn(connection: Connection, wait: float) -> None:
    """Wait until no other transaction writes; the turn ends with the transaction.

    So what was read cannot change before the write, and neither deadlocks nor serialization failures come up. The
    price is one transaction at a time, some hundreds a second; a launch takes about ten.
    """
    limits = {"lock_timeout": wait, "idle_in_transaction_session_timeout": IDLE}
    set_limits = "".join(f"SET LOCAL {name} = {round(seconds * 1_000)}; " for name, seconds in limits.items())
    connection.exec_driver_sql(f"{set_limits}SELECT pg_advisory_xact_lock({_WRITER})")  # in one round trip


def open_database(url: str, *, wait: float = WAIT) -> PostgresqlStore:
    """The store in the database of a URL, whose tables are made if there are none, and brought up to date.

    Raises:
        StoreUnavailable: psycopg is missing, the URL is wrong, the server cannot be reached or is too old, or the
            database is another program's or a newer Crossfade's.
    """
    address = address_of(url)
    engine = database_engine(address, wait)
    try:
        with database_faults(address):
            _migrate(engine, wait)
        store = PostgresqlStore(address, engine, wait)
        # It is asked for inside of a transaction. Many of these at once would hold every connection of the pool, and
        # wait for one more.
        _ = store.store_id
    except BaseException:
        engine.dispose()
        raise
    return store


def _writing(engine: Engine) -> Engine:
    # A snapshot of the whole transaction would be taken before the wait for the turn, and not show who wrote meanwhile.
    return engine.execution_options(isolation_level="READ COMMITTED")


def _migrate(engine: Engine, wait: float) -> None:
    """All of it or nothing. Of processes that start at once the first one works, the others find it done."""
    with engine.begin() as connection:
        require_server(connection)
        if _stored_revision(connection) == REVISIONS[-1]:
            return
    with _writing(engine).begin() as connection:
        take_turn(connection, wait)
        if _stored_revision(connection) != REVISIONS[-1]:
            upgrade(connection)


def _stored_revision(connection: Connection) -> str | None:
    tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    elsewhere = "Name an empty database in CROSSFADE_DATABASE_URL, made with CREATE DATABASE."
    return revision(connection, tables.scalars().all(), elsewhere)
