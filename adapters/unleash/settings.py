"""What the catalogue says to the adapter."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationError

from ...core.documents import JsonObject, pointer
from ...core.errors import BackendFailed
from ...core.model.strict import StrictModel
from ..http import secret_problem

_NAME = re.compile(r"[A-Za-z0-9~_-][A-Za-z0-9.~_-]{0,99}")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in url:
        raise ValueError
    return url.rstrip("/")


def _variable(name: str) -> str:
    if secret_problem(name) is not None:
        raise ValueError
    return name


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError
    return name


class UnleashSettings(StrictModel):
    url: Annotated[str, AfterValidator(_address)]
    """Of Unleash itself, without `/api`."""
    token_env: Annotated[str, AfterValidator(_variable)]
    """The environment variable that holds a token of the admin API."""
    environment: Annotated[str, AfterValidator(_name)]
    """Unleash's own name of it."""
    project: Annotated[str, AfterValidator(_name)] = "default"

    @property
    def location(self) -> str:
        parts = urlsplit(self.url)
        return f"unleash {parts.scheme}://{parts.netloc.lower()}{parts.path} {self.project} {self.environment}"


_WRONG = {
    "url": "`url` has to be the address of Unleash, http or https, without a name, a password or a query.",
    "environment": "`environment` has to be the name of one of Unleash's environments, `production` say.",
    "project": "`project` has to be the id of one of Unleash's projects.",
}


def problems_of(settings: JsonObject) -> list[tuple[str, str]]:
    """(pointer, message) of each setting that is wrong."""
    try:
        UnleashSettings.model_validate(settings)
    except ValidationError as error:
        return [(pointer(*each["loc"]), _message(str(each["loc"][0]), each["type"])) for each in error.errors()]
    return []


def settings_of(settings: JsonObject) -> UnleashSettings:
    """
    Raises:
        BackendFailed: the settings are wrong.
    """
    try:
        return UnleashSettings.model_validate(settings)
    except ValidationError:
        raise BackendFailed(
            "The settings of this backend do not lead to an environment of Unleash.",
            next="Correct the backend's settings in the catalogue.",
        ) from None  # its own text holds what was given, which may be a secret


def location_of(settings: JsonObject) -> str | None:
    try:
        return UnleashSettings.model_validate(settings).location
    except ValidationError:
        return None


def _message(name: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return "There is no such setting; there are `url`, `token_env`, `environment` and `project`."
    if name == "token_env":
        return "`token_env` has to be the name of the environment variable that holds a token of Unleash's admin API."
    return _WRONG[name]
