"""Documents in S3: one object, or an object a document below a prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, StringConstraints

from ...core.documents import JsonObject
from ...core.ports.backend import Location
from ...core.ports.capabilities import Promises
from ..entries import is_name, require_name
from ..settings import LocatedSettings, address
from .document import RemotePlace, untold
from .optimistic import VersionedDocument
from .s3_objects import Bucket

SUFFIX = ".json"
WORDS = {
    "bucket": "the name of a bucket",
    "region": "the name of a region, such as eu-north-1",
    "endpoint": "the address of a system like S3, such as https://s3.example.com, without a user and a path",
    "cache_control": "a Cache-Control header for those who read, such as max-age=30",
}
KEY = "the key of the document: parts of letters, digits and _ . ' ( ) ! * - between single /"
PREFIX = "what the keys of the documents begin with: parts as in the name of a file, each with a / after it"
_AWS = re.compile(r"https?://s3[a-z0-9.-]*\.amazonaws\.com(\.cn)?")
"""Addresses of AWS itself, in which a bucket has one name for all."""
_PART = r"(?:(?!\.\.?(?:/|$))[A-Za-z0-9_.'()!*-]+)"  # neither . nor .., which clients shorten


def _key(text: str) -> str:
    if len(text) > 500 or not re.fullmatch(rf"{_PART}(/{_PART})*", text):
        raise ValueError
    return text


def _prefix(text: str) -> str:
    return _key(text[:-1]) + "/" if text.endswith("/") else _key("")


class _Settings(LocatedSettings):
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] | None = None
    endpoint: Annotated[str, AfterValidator(address)] | None = None
    cache_control: Annotated[str, StringConstraints(pattern=r"^[ -~]{1,200}$")] | None = None

    def called(self) -> Bucket:
        return Bucket(self.bucket, self.region, self.endpoint)

    def at(self, key: str) -> VersionedDocument:
        where: JsonObject = {"place": self.place(), "key": key}
        return VersionedDocument(_Object(self.called(), key, self.cache_control), where)

    def place(self) -> str:
        elsewhere = self.endpoint if self.endpoint and not _AWS.fullmatch(self.endpoint) else ""
        return f"s3 {elsewhere}/{self.bucket}"


class KeySettings(_Settings):
    words: ClassVar[Mapping[str, str]] = {"key": KEY, **WORDS}
    key: Annotated[str, AfterValidator(_key)]

    @property
    def location(self) -> str:
        return f"{self.place()}/{self.key}"


class PrefixSettings(_Settings):
    words: ClassVar[Mapping[str, str]] = {"prefix": PREFIX, **WORDS}
    prefix: Annotated[str, AfterValidator(_prefix)]

    @property
    def location(self) -> str:
        return f"{self.place()}/{self.prefix}"

    @property
    def locations(self) -> list[Location]:
        return [Location(self.location, SUFFIX)]


PROMISES = Promises(compare_and_swap=True, atomic=True, proof="contract")


class _Object:
    """One object of a bucket."""

    def __init__(self, bucket: Bucket, key: str, cache_control: str | None) -> None:
        self._bucket = bucket
        self._key = key
        self._cache_control = cache_control

    def get(self) -> tuple[bytes, str] | None:
        return self._bucket.get(self._key)

    def put(self, value: bytes, version: str | None) -> bool:
        return self._bucket.put(self._key, value, version, self._cache_control)


AnySettings = TypeVar("AnySettings", KeySettings, PrefixSettings)


class _InS3(RemotePlace[AnySettings]):
    kind: str = "s3"
    promises: Promises = PROMISES
    version = untold


class OneObject(_InS3[KeySettings]):
    """A place of one document, under `key` in `bucket`."""

    model = KeySettings

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = self.chosen(settings)
        return chosen.at(chosen.key)


class ObjectPrefix(_InS3[PrefixSettings]):
    """An object a document: `prefix`, the document's name, then .json."""

    model = PrefixSettings

    def document(self, settings: JsonObject, name: str) -> VersionedDocument:
        chosen = self.chosen(settings)
        return chosen.at(chosen.prefix + require_name(name, "document") + SUFFIX)

    def names(self, settings: JsonObject) -> list[str]:
        chosen = self.chosen(settings)
        keys = (key.removeprefix(chosen.prefix) for key in chosen.called().keys(chosen.prefix))
        return [key.removesuffix(SUFFIX) for key in keys if key.endswith(SUFFIX) and is_name(key.removesuffix(SUFFIX))]
