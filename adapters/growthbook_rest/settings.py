"""What the catalogue says to the adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from ..http import SecretName
from ..settings import LocatedSettings, address_with_path

CALLS_A_MINUTE = 60
"""What a GrowthBook server takes of one API key when nobody has raised it (`API_RATE_LIMIT_MAX`)."""
FEWEST_CALLS = 40
"""With fewer a write of many parameters never ends: it looks at all of them first, and begins anew each minute."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_TEXT = re.compile(r"[!-~]{1,200}")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError
    return name


def _text(text: str) -> str:
    if not _TEXT.fullmatch(text):
        raise ValueError
    return text


class GrowthbookSettings(LocatedSettings):
    words: ClassVar[Mapping[str, str]] = {
        "url": "the address of GrowthBook's API host, http or https, without a name, a password or a query",
        "api_key_env": "the name of the environment variable that holds a secret API key of GrowthBook",
        "environment": "the id of one of GrowthBook's environments, `production` say",
        "owner": "the e-mail address or the id of a GrowthBook user, who will own what Crossfade makes",
        "project": "the id of one of GrowthBook's projects",
        "datasource": "the id of one of GrowthBook's data sources",
        "assignment_query": "the id of an assignment query of that data source",
        "calls_a_minute": f"the calls that GrowthBook takes a minute, {FEWEST_CALLS} to 100,000",
    }

    url: Annotated[str, AfterValidator(address_with_path)]
    """Of the API host, without `/api`."""
    api_key_env: SecretName
    """The environment variable that holds a secret API key."""
    environment: Annotated[str, AfterValidator(_name)]
    """GrowthBook's own id of it."""
    owner: Annotated[str, AfterValidator(_text)]
    """Whom features and experiments belong to: a key that is nobody's has to name somebody."""
    project: Annotated[str, AfterValidator(_name)] | None = None
    datasource: Annotated[str, AfterValidator(_name)] | None = None
    """With an assignment query, GrowthBook can analyse the experiments by itself."""
    assignment_query: Annotated[str, AfterValidator(_name)] | None = None
    calls_a_minute: Annotated[int, Field(ge=FEWEST_CALLS, le=100_000)] = CALLS_A_MINUTE

    @property
    def location(self) -> str:
        return f"growthbook {self.url} {self.environment}"
