"""What the catalogue says to the adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ...core.documents import digest
from ..http import SecretName
from ..settings import LocatedSettings, address

_CLIENT = re.compile(r"clients/[A-Za-z0-9_-]{1,100}")
_ENVIRONMENT = re.compile(r"environments/[A-Za-z0-9_-]{1,100}")


def _client(name: str) -> str:
    if not _CLIENT.fullmatch(name):
        raise ValueError
    return name


def _environment(name: str) -> str:
    if not _ENVIRONMENT.fullmatch(name):
        raise ValueError
    return name


class ConfidenceSettings(LocatedSettings):
    words: ClassVar[Mapping[str, str]] = {
        "clients": "the names of the clients in Confidence whose products resolve the flags, `clients/abc` say",
        "region": "`eu` or `us`, where the account is",
        "environment": "the name of one of Confidence's environments, `environments/abc` say",
        "client_id_env": "the name of the environment variable that holds the id of an API client",
        "client_secret_env": "the name of the environment variable that holds the secret of that API client",
        "token_env": "the name of the environment variable that holds an access token",
        "url": "the address that stands for Confidence's own, http or https, a host alone",
    }

    clients: Annotated[list[Annotated[str, AfterValidator(_client)]], Field(min_length=1, max_length=20)]
    region: Literal["eu", "us"] = "eu"
    environment: Annotated[str, AfterValidator(_environment)] | None = None
    """Rules hold in this one alone; None for all of them."""
    client_id_env: SecretName = "CONFIDENCE_CLIENT_ID"
    client_secret_env: SecretName = "CONFIDENCE_CLIENT_SECRET"  # noqa: S105 the name of a variable
    token_env: SecretName | None = None
    """In place of an API client: a token of one's own, which nobody renews."""
    url: Annotated[str, AfterValidator(address)] | None = None
    """Of a gateway before both services."""

    @property
    def flags_url(self) -> str:
        return self.url or f"https://flags.{self.region}.confidence.dev"

    @property
    def iam_url(self) -> str:
        return self.url or f"https://iam.{self.region}.confidence.dev"

    @property
    def location(self) -> str:
        """An account has one set of flags; who resolves them tells its places apart."""
        return " ".join(["confidence", self.flags_url, *sorted(self.clients), *filter(None, [self.environment])])

    @property
    def place(self) -> str:
        """The location in a few letters, for marks."""
        return digest(self.location)[:8]
