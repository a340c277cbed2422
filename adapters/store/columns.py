"""Column types: what a value looks like in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, JsonValue
from pydantic_core import from_json
from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, Boolean, Dialect, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """A moment in UTC with microseconds. SQLite has no type for it: there it is ISO 8601 text of one width, so that
    texts sort as the moments do."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if _native(dialect) else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment if _native(dialect) else moment.isoformat(timespec="microseconds")

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        # The server tells a moment in the time zone of the session.
        return datetime.fromisoformat(value) if isinstance(value, str) else value and value.astimezone(UTC)


class Wide(TypeDecorator[int]):
    """An integer of 64 bits, as each is in SQLite."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if _native(dialect) else Integer())


def _native(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


class JsonText(TypeDecorator[JsonValue]):
    """A JSON document as text. Our models in it are written with all their fields, also those kept from callers.

    Text in PostgreSQL too: jsonb refuses NUL in strings, and forgets the order of names.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> JsonValue:
        return None if value is None else from_json(value)


class Texts(TypeDecorator[list[str]]):
    """Texts as one parameter, however many there are: an array, or in SQLite, which has none, JSON text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if _native(dialect) else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> list[str] | str | None:
        return value if value is None or _native(dialect) else json_text(value)


class OneOf(FunctionElement[bool]):
    """Whether a column is one of the texts of a parameter of the type Texts."""

    name = "one_of"
    inherit_cache = True
    type = Boolean()


@compiles(OneOf)
def _in_json(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - both are compiled, none is a value


@compiles(OneOf, "postgresql")
def _in_array(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({texts})"


def json_text(value: object) -> str:
    """The value as JSON.

    orjson refuses integers of more than 64 bits, which a draft may hold; and it would read them back as floats, which
    is why pydantic's parser, as quick as orjson's, does the reading.
    """
    try:
        return orjson.dumps(value, default=_fields).decode()
    except TypeError:
        return json.dumps(value, default=_fields, ensure_ascii=False, allow_nan=False)


def _fields(value: object) -> dict[str, object]:
    """A model's fields, excluded ones too: `Fix.patch` is kept from callers, not from the store."""
    if isinstance(value, BaseModel):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form in the store")
