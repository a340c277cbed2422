"""Documents in etcd: one under a key, or one under each key of a prefix."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from ...core.documents import JsonObject
from ...core.ports.backend import Location
from ...core.ports.capabilities import Promises
from ..entries import is_name, require_name
from ..http import Certificate, secret_problem
from ..settings import LocatedSettings, address
from .document import RemotePlace
from .etcd_gateway import Gateway
from .optimistic import VersionedDocument

WORDS = {
    "endpoints": "a list of one to nine addresses of etcd's members, such as http://10.0.0.1:2379, without a user",
    "user": "the name of a user of etcd, together with `password_env`",
    "password_env": "the name of an environment variable (capitals, digits, `_`) that holds the password of `user`",
    "certificate": "the path of a client's certificate, in PEM, where etcd asks for one; with `certificate_key`",
    "certificate_key": "the path of the key of `certificate`, in PEM and without a passphrase",
}
KEY = "the key of the document, as text without blanks that does not end in /"
PREFIX = "what the keys of the documents begin with, as text without blanks that ends in /"


class _Settings(LocatedSettings):
    endpoints: Annotated[list[Annotated[str, AfterValidator(address)]], Field(min_length=1, max_length=9)]
    user: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    password_env: Annotated[str | None, Field(validate_default=True)] = None
    certificate: Annotated[str, StringConstraints(min_length=1)] | None = None
    certificate_key: Annotated[str | None, Field(validate_default=True, min_length=1)] = None

    @field_validator("password_env")
    @classmethod
    def _belongs_to_a_user(cls, name: str | None, others: ValidationInfo) -> str | None:
        if (name is None) != (others.data.get("user") is None) or (name is not None and secret_problem(name)):
            raise ValueError
        return name

    @field_validator("certificate_key")
    @classmethod
    def _belongs_to_a_certificate(cls, key: str | None, others: ValidationInfo) -> str | None:
        if (key is None) != (others.data.get("certificate") is None):
            raise ValueError
        return key

    def gateway(self) -> Gateway:
        shown = (
            Certificate(self.certificate, self.certificate_key) if self.certificate and self.certificate_key else None
        )
        return _gateway(tuple(self.endpoints), self.user, self.password_env, shown)

    def at(self, key: str) -> VersionedDocument:
        return VersionedDocument(_Key(self.gateway(), key), {"place": self.place(), "key": key})

    def place(self) -> str:
        return "etcd " + ",".join(sorted({*self.endpoints}))


class KeySettings(_Settings):
    words: ClassVar[Mapping[str, str]] = {"key": KEY, **WORDS}
    key: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,499}[!-.0-~]$")]

    @property
    def location(self) -> str:
        return f"{self.place()} {self.key}"

    @property
    def locations(self) -> list[Location]:
        return [Location(f"etcd {each} {self.key}") for each in self.endpoints]


class PrefixSettings(_Settings):
    words: ClassVar[Mapping[str, str]] = {"prefix": PREFIX, **WORDS}
    prefix: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,499}/$")]

    @property
    def location(self) -> str:
        return f"{self.place()} {self.prefix}"

    @property
    def locations(self) -> list[Location]:
        return [Location(f"etcd {each} {self.prefix}", "") for each in self.endpoints]


@lru_cache(maxsize=32)
def _gateway(
    endpoints: tuple[str, ...], user: str | None, password_env: str | None, certificate: Certificate | None
) -> Gateway:
    """One for all that have these settings: it keeps connections and the session of the user."""
    return Gateway(endpoints, user, password_env, certificate)


PROMISES = Promises(compare_and_swap=True, atomic=True, versions=True)


class _Key:
    """One key of a cluster."""

    def __init__(self, gateway: Gateway, key: str) -> None:
        self._gateway = gateway
        self._key = key

    def get(self) -> tuple[bytes, str] | None:
        return self._gateway.get(self._key)

    def put(self, value: bytes, version: str | None) -> bool:
        return self._gateway.put(self._key, value, version)


AnySettings = TypeVar("AnySettings", KeySettings, PrefixSettings)


class _InEtcd(RemotePlace[AnySettings]):
    kind: str = "etcd"
    local_paths: tuple[str, ...] = ("certificate", "certificate_key")
    promises: Promises = PROMISES

    def version(self, settings: JsonObject) -> str | None:
        return self.chosen(settings).gateway().version()


class OneKey(_InEtcd[KeySettings]):
    """A place of one document, under `key`."""

    model = KeySettings

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = self.chosen(settings)
        return chosen.at(chosen.key)


class KeyPrefix(_InEtcd[PrefixSettings]):
    """A key a document: `prefix`, then the document's name."""

    model = PrefixSettings

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = self.chosen(settings)
        return chosen.at(chosen.prefix + require_name(name, "document"))

    def names(self, settings: JsonObject) -> list[str]:
        chosen = self.chosen(settings)
        found = (key.removeprefix(chosen.prefix) for key in chosen.gateway().keys(chosen.prefix))
        return [name for name in found if is_name(name)]
