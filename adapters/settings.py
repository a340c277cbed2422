"""What the catalogue says to an adapter, held against a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from pydantic import ValidationError

from ..core.documents import JsonObject, pointer
from ..core.errors import BackendFailed
from ..core.model.strict import StrictModel

_ADDRESS = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class LocatedSettings(StrictModel):
    """Settings that lead to one place."""

    words: ClassVar[Mapping[str, str]]
    """Setting -> what it has to be."""

    @property
    def location(self) -> str:
        """As in `Backend`."""
        raise NotImplementedError


Settings = TypeVar("Settings", bound=LocatedSettings)


def address(text: str) -> str:
    """An HTTP address of a host, in one spelling; for models. One with a user in it would show a password.

    Raises:
        ValueError: it is none.
    """
    plain = text.lower().rstrip("/")
    if not _ADDRESS.fullmatch(plain):
        raise ValueError
    return plain


def location_in(model: type[LocatedSettings], settings: JsonObject) -> str | None:
    """As in `Backend`."""
    try:
        return model.model_validate(settings).location
    except ValidationError:
        return None


def setting_problems(model: type[LocatedSettings], settings: JsonObject) -> list[tuple[str, str]]:
    """(pointer, message) of each setting that is wrong. No value is told: one may be a secret that was put into the
    wrong place."""
    words = model.words
    try:
        model.model_validate(settings)
    except ValidationError as error:
        found: dict[str, str] = {}
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else ""
            if each["type"] == "extra_forbidden":
                found[pointer(name)] = f"There is no such setting; there are {', '.join(f'`{one}`' for one in words)}."
            else:
                found[pointer(name)] = f"`{name}` has to be {words[name]}."
        return list(found.items())
    return []


def checked_settings(model: type[Settings], settings: JsonObject) -> Settings:
    """
    Raises:
        BackendFailed: one of them is wrong.
    """
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) if each["loc"] else "" for each in error.errors()})
        raise BackendFailed(
            "The settings of this backend are wrong.",
            next="Correct the backend's settings in the catalogue; `crossfade check` says what is wrong with them.",
            got=", ".join(wrong)[:200],
        ) from None
