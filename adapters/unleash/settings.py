"""What the catalogue says to the adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, StringConstraints

from ..http import SecretName
from ..settings import LocatedSettings, address_with_path

_NAME = re.compile(r"[A-Za-z0-9~_-][A-Za-z0-9.~_-]{0,99}")


def _address(url: str) -> str:
    plain = address_with_path(url)
    if re.search(r"/api(/admin)?$", plain):
        raise ValueError
    return plain


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError
    return name


class UnleashSettings(LocatedSettings):
    words: ClassVar[Mapping[str, str]] = {
        "url": "the address of Unleash, http or https, without a name, a password, a query and /api",
        "token_env": "the name of the environment variable that holds a token of Unleash's admin API",
        "environment": "the name of one of Unleash's environments, `production` say",
        "project": "the id of one of Unleash's projects",
    }

    url: Annotated[str, AfterValidator(_address)]
    """Of Unleash itself, without `/api`."""
    token_env: SecretName
    """The environment variable that holds a token of the admin API."""
    environment: Annotated[str, StringConstraints(max_length=84), AfterValidator(_name)]
    """Unleash's own name of it, which ends the name of the owner's flag."""
    project: Annotated[str, AfterValidator(_name)] = "default"

    @property
    def location(self) -> str:
        return f"unleash {self.url} {self.project} {self.environment}"
