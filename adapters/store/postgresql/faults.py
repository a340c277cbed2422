"""The one place where PostgreSQL's faults become ours."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ....core.errors import StoreUnavailable
from .address import Address

_REPEAT = "Repeat the call."
_GRANT = "Let the database's owner grant it, or name another user in CROSSFADE_DATABASE_URL; then repeat the call."
_LOST = (
    "cannot be reached",
    "Check that it runs, and CROSSFADE_DATABASE_URL: host, name, user, password; then repeat the call.",
    True,
)
_STANDBY = ("is read-only", "Name the primary server in CROSSFADE_DATABASE_URL, not a standby.", False)

# SQLSTATE, or its class -> what holds of the database, what to do next, whether the same call can succeed later.
# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_FAULTS: dict[str, tuple[str, str, bool]] = {
    # Writers take turns, so these come of programs that are not ours. The transaction cannot be run again from here,
    # since what it does depends on what it read; nothing of it was written, so whoever called may repeat the call.
    "40001": ("was changed by another program at the same time", _REPEAT, True),
    "40P01": ("was changed by another program at the same time", _REPEAT, True),
    "55P03": ("has been locked by another writer for too long", f"{_REPEAT} If it stays so, end that process.", True),
    "57014": ("took too long to answer", _REPEAT, True),
    "53100": ("has no space left on its disk", "Free space on its disk, then repeat the call.", True),
    "53": ("has no memory or connections left", "Repeat the call later, or raise its limits.", True),
    "25006": _STANDBY,
    "0A000": _STANDBY,  # what a standby says to BEGIN READ WRITE
    "42501": ("does not let this user do that", _GRANT, False),
    "XX001": ("is damaged", "Restore it from a backup.", False),
    "XX002": ("is damaged", "Restore it from a backup.", False),
    # The server went away, was stopped, or ended a transaction that did nothing for too long.
    "08": _LOST,
    "25P03": _LOST,
    "57P": _LOST,
}


@contextmanager
def database_faults(address: Address) -> Generator[None]:
    """Turns what PostgreSQL says of the database into StoreUnavailable; every other error passes as it is."""
    try:
        yield
    except PoolTimeout as error:
        raise _unavailable(address, ("has no free connection", _REPEAT, True)) from error
    except DBAPIError as error:
        fault = _fault_of(error)
        if fault is None:
            raise
        raise _unavailable(address, fault, _said(address, error)) from error


def _fault_of(error: DBAPIError) -> tuple[str, str, bool] | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None and (fault := _FAULTS.get(state) or _FAULTS.get(state[:3]) or _FAULTS.get(state[:2])):
        return fault
    # No connection came about, and the driver has no SQLSTATE for why.
    lost = error.connection_invalidated or (state is None and type(error.orig).__name__ == "OperationalError")
    return _LOST if lost else None


def _said(address: Address, error: DBAPIError) -> str | None:
    """Why no connection came about, in the driver's words: wrong password, unknown host, no such database."""
    if getattr(error.orig, "sqlstate", None) is not None:
        return None
    return address.without_password(str(error.orig).strip())[:300]


def _unavailable(address: Address, fault: tuple[str, str, bool], got: str | None = None) -> StoreUnavailable:
    state, next_, retryable = fault
    return StoreUnavailable(f"The database {address.name} {state}.", next=next_, got=got, retryable=retryable)
