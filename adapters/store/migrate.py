"""Which revision a store's tables have, and how they are brought to the newest one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection

from ...core.errors import StoreUnavailable

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Revisions that this code knows, oldest first: a constant, because importing Alembic costs a quarter of a second."""


def revision(connection: Connection, tables: Collection[str], elsewhere: str) -> str | None:
    """The revision of the stored tables, None in an empty database.

    Args:
        elsewhere: what to do when the tables are another program's.

    Raises:
        StoreUnavailable: the tables are not ours, or of a revision that this code does not know.
    """
    if not tables:
        return None
    if "alembic_version" not in tables or "bucket_range" not in tables:
        raise StoreUnavailable("The database holds the tables of another program.", next=elsewhere)
    found: str = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found not in REVISIONS:
        raise StoreUnavailable(
            "The database was written by a newer version of Crossfade.",
            next="Upgrade crossfade to the newest version, then start again.",
        )
    return found


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision, within the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A per cent sign starts an interpolation in Alembic's options.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
