"""How connections to PostgreSQL are made and set up."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, create_engine

from ....core.errors import StoreUnavailable
from .address import Address

OLDEST = 14
"""The oldest server version that is tested; its makers maintain none that is older."""


class _WithoutNul(StrDumper):
    """PostgreSQL has no NUL in texts. What is stored has none either, so a text with one is just not found."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


def database_engine(address: Address, wait: float) -> Engine:
    """An engine on the database; whoever finds all its connections in use waits up to `wait` seconds."""

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(address.string)
        connection.adapters.register_dumper(str, _WithoutNul)
        return connection

    # Made by a function, so that the engine never sees the password. A connection that the server has closed is
    # noticed before it is used.
    return create_engine(
        "postgresql+psycopg://", creator=connect, pool_pre_ping=True, pool_size=8, max_overflow=8, pool_timeout=wait
    )


def require_server(connection: Connection) -> None:
    """
    Raises:
        StoreUnavailable: the server is too old, or the database does not keep texts in UTF-8.
    """
    version = [part for part in connection.dialect.server_version_info or () if isinstance(part, int)]
    if version < [OLDEST]:
        raise StoreUnavailable(
            f"The server is PostgreSQL {'.'.join(map(str, version))}, which is too old.",
            next=f"Use PostgreSQL {OLDEST} or newer.",
        )
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"The database keeps texts in {encoding}, which lacks characters.",
            next="Use a database that was made with ENCODING 'UTF8'.",
        )
