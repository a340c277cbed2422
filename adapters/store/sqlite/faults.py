"""The one place where the database's faults become ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ....core.errors import StoreUnavailable

_ELSEWHERE = "Restore the file from a backup, or set CROSSFADE_HOME to another folder."

NOT_READABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
"""What SQLite says to a reader when it may not make the files that it needs beside a log."""

# SQLite's primary result code -> what holds of the file, what to do next, and whether the same call can succeed later.
_FAULTS: dict[int, tuple[str, str, bool]] = {
    sqlite3.SQLITE_FULL: ("is full, or its disk is", "Free space on the disk, then repeat the call.", True),
    sqlite3.SQLITE_BUSY: ("is locked by another process", "Repeat the call; if it stays so, end that process.", True),
    sqlite3.SQLITE_LOCKED: ("is locked by another connection", "Repeat the call.", True),
    sqlite3.SQLITE_READONLY: ("is read-only", "Make the file and its directory writable, then repeat the call.", False),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Check that it and its directory exist, readable and writable.",
        False,
    ),
    sqlite3.SQLITE_PERM: ("cannot be opened", "Check that it and its directory exist, readable and writable.", False),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check the disk: its health, its space, its quota.", False),
    sqlite3.SQLITE_NOTADB: ("is not a SQLite database", _ELSEWHERE, False),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _ELSEWHERE, False),
}


@contextmanager
def store_faults(path: Path) -> Generator[None]:
    """Turns what SQLite says of the file at `path` into StoreUnavailable; every other error passes as it is."""
    try:
        yield
    except DBAPIError as error:
        fault = _FAULTS.get(primary_code(error))
        if fault is None:
            raise
        state, next_, retryable = fault
        raise StoreUnavailable(f"The database {path} {state}.", next=next_, retryable=retryable) from error


def primary_code(error: DBAPIError) -> int:
    """SQLite's primary result code, or 0 when the error is not SQLite's."""
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
