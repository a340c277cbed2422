"""Brings the database to the newest form of its tables."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from ...core.errors import StoreUnavailable
from .driver import Driver, beginning
from .lock import WriteLock

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Revisions that this code knows, oldest first: a constant, because importing Alembic costs a quarter of a second."""


def migrate(engine: Engine, driver: Driver, lock: WriteLock) -> None:
    """Make an empty file a store, or bring an older store up to date; all of it or nothing.

    Any number of processes may do so at once: the first one works, the others wait and find it done.

    Raises:
        StoreUnavailable: the database is another program's, or a newer Crossfade's.
    """
    if _is_current(engine, driver):
        return
    engine.dispose()  # a log can be given up only while nobody else has the file open
    with lock.held():
        _set_journal(engine, driver)
        with beginning(engine, "BEGIN IMMEDIATE").begin() as connection:
            if revision(connection) != REVISIONS[-1]:
                _upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The revision of the stored tables, None in an empty database.

    Raises:
        StoreUnavailable: the tables are not ours, or of a revision that this code does not know.
    """
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    if not tables:
        return None
    if "alembic_version" not in tables or "bucket_range" not in tables:
        raise StoreUnavailable(
            "The database holds the tables of another program.",
            next="Move the file away, or set CROSSFADE_HOME to another folder.",
        )
    found: str = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found not in REVISIONS:
        raise StoreUnavailable(
            "The database was written by a newer version of Crossfade.",
            next="Upgrade crossfade to the newest version, then start again.",
        )
    return found


def _is_current(engine: Engine, driver: Driver) -> bool:
    with engine.begin() as connection:
        if revision(connection) != REVISIONS[-1]:
            return False
        return driver.wal or _journal(connection) != "wal"


def _set_journal(engine: Engine, driver: Driver) -> None:
    """Only an empty database starts to keep a write-ahead log: one that was put back to a journal, because an unsound
    SQLite uses it, stays so, or two processes would turn it back and forth."""
    with beginning(engine, "").connect() as connection:
        if driver.wal and revision(connection) is None:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        elif not driver.wal and _journal(connection) == "wal":
            _give_log_up(connection)


def _give_log_up(connection: Connection) -> None:
    """Tried a few times: SQLite does not wait here for others to close the file, and those that only look soon do."""
    for pause in (0.01, 0.05, 0.25, 1.0):
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        except OperationalError:
            time.sleep(pause)
        else:
            return
    connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


def _journal(connection: Connection) -> str:
    return connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A per cent sign starts an interpolation in Alembic's options.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
