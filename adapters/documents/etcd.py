"""Documents in etcd: one under a key, or one under each key of a prefix."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, ValidationInfo, field_validator

from ...core.documents import JsonObject
from ...core.model.strict import StrictModel
from ...core.ports.capabilities import Promises
from ..http import secret_problem
from .etcd_gateway import Gateway
from .optimistic import VersionedDocument
from .paths import is_name, require_name
from .settings import address, checked_settings, setting_problems

WORDS = {
    "endpoints": "a list of one to nine addresses of etcd's members, such as http://10.0.0.1:2379, without a user",
    "user": "the name of a user of etcd, together with `password_env`",
    "password_env": "the name of an environment variable (capitals, digits, `_`) that holds the password of `user`",
}
KEY = "the key of the document, as text without blanks that does not end in /"
PREFIX = "what the keys of the documents begin with, as text without blanks that ends in /"


class _Settings(StrictModel):
    endpoints: Annotated[list[Annotated[str, AfterValidator(address)]], Field(min_length=1, max_length=9)]
    user: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    password_env: Annotated[str | None, Field(validate_default=True)] = None

    @field_validator("password_env")
    @classmethod
    def _belongs_to_a_user(cls, name: str | None, others: ValidationInfo) -> str | None:
        if (name is None) != (others.data.get("user") is None) or (name is not None and secret_problem(name)):
            raise ValueError
        return name

    def gateway(self) -> Gateway:
        return _gateway(tuple(self.endpoints), self.user, self.password_env)

    def place(self) -> str:
        return "etcd " + ",".join(sorted(self.endpoints))


class KeySettings(_Settings):
    key: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,499}[!-.0-~]$")]


class PrefixSettings(_Settings):
    prefix: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,499}/$")]


@lru_cache(maxsize=32)
def _gateway(endpoints: tuple[str, ...], user: str | None, password_env: str | None) -> Gateway:
    """One for all that have these settings: it keeps connections and the session of the user."""
    return Gateway(endpoints, user, password_env)


PROMISES = Promises(compare_and_swap=True, atomic=True)


class _Key:
    """One key of a cluster."""

    def __init__(self, gateway: Gateway, key: str) -> None:
        self._gateway = gateway
        self._key = key

    def get(self) -> tuple[bytes, str] | None:
        return self._gateway.get(self._key)

    def put(self, value: bytes, version: str | None) -> bool:
        return self._gateway.put(self._key, value, version)


def _document(settings: _Settings, key: str) -> VersionedDocument:
    return VersionedDocument(_Key(settings.gateway(), key), {"place": settings.place(), "key": key})


class OneKey:
    """A place of one document, under `key`."""

    kind: str = "etcd"
    local_paths: tuple[str, ...] = ()
    promises: Promises = PROMISES

    def location(self, settings: JsonObject) -> str | None:
        try:
            chosen = KeySettings.model_validate(settings)
        except ValidationError:
            return None
        return f"{chosen.place()} {chosen.key}"

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return setting_problems(KeySettings, settings, {"key": KEY, **WORDS})

    def version(self, settings: JsonObject) -> str | None:
        return checked_settings(KeySettings, settings).gateway().version()

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = checked_settings(KeySettings, settings)
        return _document(chosen, chosen.key)


class KeyPrefix:
    """A key a document: `prefix`, then the document's name."""

    kind: str = "etcd"
    local_paths: tuple[str, ...] = ()
    promises: Promises = PROMISES

    def location(self, settings: JsonObject) -> str | None:
        try:
            chosen = PrefixSettings.model_validate(settings)
        except ValidationError:
            return None
        return f"{chosen.place()} {chosen.prefix}"

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return setting_problems(PrefixSettings, settings, {"prefix": PREFIX, **WORDS})

    def version(self, settings: JsonObject) -> str | None:
        return checked_settings(PrefixSettings, settings).gateway().version()

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = checked_settings(PrefixSettings, settings)
        return _document(chosen, chosen.prefix + require_name(name, "document"))

    def names(self, settings: JsonObject) -> list[str]:
        chosen = checked_settings(PrefixSettings, settings)
        found = (key.removeprefix(chosen.prefix) for key in chosen.gateway().keys(chosen.prefix))
        return [name for name in found if is_name(name)]
