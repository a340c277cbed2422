"""Whether what Crossfade stands on works. An absent part is not known, or there is nothing to say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..documents import JsonObject
from .strict import StrictModel


class Part(StrictModel):
    """The store, the catalogue, the sweeper, or the changes that are under way."""

    works: bool
    told: str = Field(description="how it stands, in words")
    problems: list[str] | None = None
    next: str | None = None


class BackendHealth(StrictModel):
    """One backend of one environment, from one look at all that lies there."""

    environment: str
    name: str
    kind: str
    works: bool
    reachable: bool | None = None
    authorised: bool | None = None
    version: str | None = None
    seconds: float | None = Field(default=None, description="that the look took")
    owner: Literal["ours", "another store", "nobody"] | None = None
    strangers: dict[str, str] | None = Field(default=None, description="document -> the other store that owns it")
    problem: str | None = None
    next: str | None = None
    promises: JsonObject
    capabilities: JsonObject | None = Field(default=None, description="of one that assigns units")


class Health(StrictModel):
    store: Part
    catalogue: Part
    sweeper: Part
    changes: Part
    backends: list[BackendHealth]

    @property
    def works(self) -> bool:
        return all(each.works for each in (self.store, self.catalogue, self.sweeper, self.changes, *self.backends))
