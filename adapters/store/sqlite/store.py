"""The store in one SQLite file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from ....core.errors import StoreUnavailable
from ...folders import make_folder
from ..reader import SqlReader
from ..statements import Statements
from ..store import WAIT, SqlStore
from ..writer import SqlWriter
from .driver import Driver, beginning, file_engine, find_driver, frozen_engine
from .faults import NOT_READABLE, primary_code, store_faults
from .full_text import FTS5
from .lock import WriteLock
from .migrate import migrate, stored_revision

_STATEMENTS = Statements(insert)


class SqliteStore(SqlStore):
    def __init__(self, path: Path, engine: Engine, driver: Driver, lock: WriteLock) -> None:
        self.path = path
        self.engine = engine
        self.driver = driver
        self._writing = beginning(engine, "BEGIN IMMEDIATE")
        self._lock = lock
        self._file = _identity(path)

    @contextmanager
    def read(self) -> Generator[SqlReader]:
        self._require_the_file()
        with self._faults(), self.engine.begin() as connection:
            yield SqlReader(connection, FTS5)

    @contextmanager
    def write(self) -> Generator[SqlWriter]:
        with self._faults(), self._lock.held():
            self._require_the_file()
            with self._writing.begin() as connection:
                yield SqlWriter(connection, FTS5, _STATEMENTS)

    def _faults(self) -> AbstractContextManager[None]:
        return store_faults(self.path)

    def _require_the_file(self) -> None:
        """A file that was removed can still be read and written by whoever has it open, and all of it is lost."""
        if _identity(self.path) != self._file:
            raise StoreUnavailable(
                f"The database {self.path} was removed or replaced while this process had it open.",
                next="Put it back, or stop what is delivered by its keys; then start this process again.",
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def open_file(path: Path, *, wait: float = WAIT, driver: Driver | None = None) -> SqliteStore:
    """The store in the file at `path`, which is made if it is not there, and brought up to date.

    Raises:
        StoreUnavailable: the file cannot be opened, is no store, or is a newer Crossfade's.
    """
    path = path.resolve()
    driver = driver or find_driver()
    lock = WriteLock(path.with_name(path.name + ".lock"), wait)
    with store_faults(path):
        if not path.exists():
            _make_directory(path.parent)
        engine = _engine(path, driver, wait)
        with _closing_on_error(engine):
            migrate(engine, driver, lock)
    return SqliteStore(path, engine, driver, lock)


def _make_directory(directory: Path) -> None:
    try:
        make_folder(directory)
    except OSError as error:
        raise StoreUnavailable(
            f"The directory {directory} of the database cannot be made.",
            next="Make it by hand, or set CROSSFADE_HOME to another folder.",
        ) from error


def _engine(path: Path, driver: Driver, wait: float) -> Engine:
    """An engine that can read. SQLite cannot open a file that keeps a log in a directory where it may not write; while
    no log lies there, nobody is writing, and the file can be read as it is."""
    engine = file_engine(path, driver, wait)
    try:
        with _closing_on_error(engine), engine.begin() as connection:
            stored_revision(connection)
    except DBAPIError as error:
        log = path.with_name(path.name + "-wal")
        if primary_code(error) not in NOT_READABLE or log.exists() or not path.is_file():
            raise
        return frozen_engine(path, driver)
    return engine


@contextmanager
def _closing_on_error(engine: Engine) -> Generator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise
