"""Which SQLite is used, and how its connections are set up."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from ....core.errors import StoreUnavailable

Version = tuple[int, ...]


@dataclass(frozen=True)
class Driver:
    """A module that speaks to SQLite; `wal` tells whether its SQLite may keep a write-ahead log."""

    module: ModuleType
    version: Version
    wal: bool


def wal_is_sound(version: Version) -> bool:
    """False for a SQLite that has no WAL or can corrupt the database when it resets the log.

    Source: https://sqlite.org/wal.html#walresetbug (3.7.0 to 3.51.2; fixed in 3.51.3, and in 3.50.7 and 3.44.6 for
    those two lines).
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


@cache
def find_driver() -> Driver:
    return choose_driver(("pysqlite3.dbapi2", "sqlite3.dbapi2"))


def choose_driver(names: Iterable[str]) -> Driver:
    """The first module with a sound SQLite; else the last one there is, without a write-ahead log.

    Raises:
        StoreUnavailable: no SQLite here can index text; a store that one program writes without its index would
            find less from then on, and nobody would know.
    """
    drivers = [driver for name in names if (driver := _load(name))]
    if not drivers:
        raise StoreUnavailable(
            "The SQLite of this Python was built without a full-text index (FTS5).",
            next="Install pysqlite3 0.6.1 or newer, or a Python whose SQLite has FTS5; then start again.",
        )
    for driver in drivers:
        if driver.wal:
            return driver
    # Without WAL readers wait while a commit is written: slower, and safe on every version.
    _warn_of(drivers[-1].version)
    return drivers[-1]


def _warn_of(version: Version) -> None:
    import structlog  # late, because it delays every start and most machines have nothing to warn of

    # Unless told otherwise structlog writes to stdout, which belongs to MCP.
    configured = structlog.is_configured()
    logger = structlog.get_logger() if configured else structlog.wrap_logger(structlog.PrintLogger(sys.stderr))
    cure = "install pysqlite3 0.6.1 or newer"
    logger.warning("sqlite_without_wal", version=".".join(map(str, version)), cure=cure)


def _load(name: str) -> Driver | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    if not searches_text(module):
        return None
    version: Version = module.sqlite_version_info
    return Driver(module, version, wal_is_sound(version))


def searches_text(module: ModuleType) -> bool:
    """Whether the module's SQLite was built with FTS5, the full-text index."""
    with closing(module.connect(":memory:")) as connection:
        return connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone() == (1,)


def file_engine(path: Path, driver: Driver, wait: float) -> Engine:
    """An engine on the file; a statement waits up to `wait` seconds for a lock."""
    url = URL.create("sqlite", database=str(path))
    # Threads beyond the pool's size get a connection of their own rather than wait for one.
    engine = create_engine(
        url, module=driver.module, pool_size=8, max_overflow=-1, connect_args={"timeout": wait, "isolation_level": None}
    )
    return _prepared(engine)


def frozen_engine(path: Path, driver: Driver) -> Engine:
    """An engine that only reads a file which nobody can write: SQLite then needs no log and no lock beside it."""
    query = {"uri": "true", "mode": "ro", "immutable": "1"}
    url = URL.create("sqlite", database=path.as_uri(), query=query)
    # No pool: a connection believes for its whole life that the file stays as it is.
    engine = create_engine(url, module=driver.module, poolclass=NullPool, connect_args={"isolation_level": None})
    return _prepared(engine)


def beginning(engine: Engine, statement: str) -> Engine:
    """The same engine and pool, whose transactions start with `statement`; "" starts none."""
    return engine.execution_options(begin=statement)


def _prepared(engine: Engine) -> Engine:
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # In WAL mode NORMAL, the usual choice, loses acknowledged commits when the power fails.
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # The module's own BEGIN, which comes only before the first write, is off (isolation_level None): a transaction
    # that reads and then writes would fail as soon as another writer came between.
    statement: str = connection.get_execution_options().get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
