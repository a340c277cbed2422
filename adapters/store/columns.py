"""Column types: what a value looks like as text in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel, JsonValue
from pydantic_core import from_json
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator


class UtcText(TypeDecorator[datetime]):
    """A moment as ISO 8601 text in UTC with microseconds: of one width, so that texts sort as the moments do."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class JsonText(TypeDecorator[JsonValue]):
    """A JSON document as text. Our models in it are written with all their fields, also those kept from callers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> JsonValue:
        return None if value is None else from_json(value)


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
