"""What the catalogue says to an adapter, held against a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from ..core.documents import JsonObject, pointer
from ..core.errors import BackendFailed
from ..core.model.strict import StrictModel
from ..core.ports.backend import Location

_ADDRESS = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


_PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 500
"""Characters."""


class LocatedSettings(StrictModel):
    """Settings that lead to one place."""

    words: ClassVar[Mapping[str, str]]
    """Setting -> what it has to be."""

    @property
    def location(self) -> str:
        """As in `Backend`."""
        raise NotImplementedError

    @property
    def locations(self) -> list[Location]:
        """As in `Spread`."""
        return [Location(self.location)]


Settings = TypeVar("Settings", bound=LocatedSettings)


def address(text: str) -> str:
    """An HTTP address of a host, in one spelling; for models. One with a user in it would show a password.

    Raises:
        ValueError: it is none.
    """
    plain = address_with_path(text)
    if not _ADDRESS.fullmatch(plain):
        raise ValueError
    return plain


def address_with_path(text: str) -> str:
    """The same of a host or of something below it.

    Raises:
        ValueError: it is none.
    """
    if len(text) > LONGEST_ADDRESS or not text.isprintable() or re.search(r"[\s\\@?#]", text):
        raise ValueError
    parts = urlsplit(text)
    host, port, path = parts.hostname, parts.port, parts.path.rstrip("/")
    if parts.scheme not in _PORTS or not host or port == 0 or re.search(r"//|/\.\.?(/|$)", path):
        raise ValueError
    name = f"[{ip_address(host)}]" if ":" in host else host.removesuffix(".")
    return f"{parts.scheme}://{name}{'' if port in (None, _PORTS[parts.scheme]) else f':{port}'}{path}"


def location_in(model: type[LocatedSettings], settings: JsonObject) -> str | None:
    """As in `Backend`."""
    try:
        return model.model_validate(settings).location
    except ValidationError:
        return None


def locations_in(model: type[LocatedSettings], settings: JsonObject) -> list[Location]:
    """As in `Spread`."""
    try:
        return model.model_validate(settings).locations
    except ValidationError:
        return []


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
