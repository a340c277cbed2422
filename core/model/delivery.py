"""What the backends must deliver for one experiment, in our own words; adapters translate it."""

from __future__ import annotations

from pydantic import Field, JsonValue

from ..documents import JsonObject
from .plan import BUCKETS, BucketRange, width
from .strict import StrictModel

Scalar = str | int | float | bool


class Condition(StrictModel):
    """What one attribute must satisfy. A unit without the attribute never matches, unless that is asked for.

    `values` (any of) and `excluded` (none of) are sets; the bounds are of a number, a version or a date. With none of
    them, every unit that has the attribute matches.
    """

    attribute: str
    type: str = Field(description="string, integer, number, boolean, semver or date")
    missing: bool = Field(default=False, description="the unit lacks the attribute; nothing else is asked then")
    values: list[Scalar] | None = None
    excluded: list[Scalar] = Field(default_factory=list[Scalar])
    gte: Scalar | None = None
    gt: Scalar | None = None
    lte: Scalar | None = None
    lt: Scalar | None = None


Alternative = list[Condition]
"""Conditions that all have to hold, at most one an attribute; with none, everybody is in."""
Audience = list[Alternative]
"""A unit is in when it meets one alternative; with none, nobody is."""


class Exclusion(StrictModel):
    """A holdout's second filter: units whose bucket under `salt` lies below `share` are kept out."""

    holdout: str
    salt: str
    share: float


class Assignment(StrictModel):
    """Who gets which variant.

    A unit is in the experiment when it is in the audience, its layer bucket (hash of `layer_seed` and the unit)
    lies in `ranges`, it is in no holdout, and the coverage keeps it; the hash of `seed` and the unit picks the
    variant. Lists by variant share the order of `variants`; the control is first.
    """

    experiment: str
    surface: str
    environment: str
    unit_attribute: str
    layer_seed: str
    ranges: list[BucketRange]
    seed: str
    coverage: float
    variants: list[str]
    weights: list[float]
    parameters: dict[str, list[JsonValue]] = Field(description="parameter -> its value per variant")
    production: dict[str, JsonValue] = Field(description="parameter -> its value outside the experiment")
    audience: Audience
    exclusions: list[Exclusion]
    previews: dict[str, list[str]] = Field(
        default_factory=dict[str, list[str]], description="variant -> named test units that always get it, untracked"
    )

    @property
    def share(self) -> float:
        """Of its layer that it holds, 0-1."""
        return width(self.ranges) / BUCKETS


class Content(StrictModel):
    """What each variant shows, for a system that looks content up by the variant an assigner returned."""

    experiment: str
    surface: str
    environment: str
    variants: dict[str, JsonObject] = Field(description="variant -> parameter -> value, complete")
