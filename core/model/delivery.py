"""What the backends must deliver for one experiment, in our own words; adapters translate it."""

from __future__ import annotations

from pydantic import Field, JsonValue

from ..documents import JsonObject
from .plan import BucketRange
from .strict import StrictModel

Scalar = str | int | float | bool


class Condition(StrictModel):
    """What one attribute must satisfy. A unit without the attribute never matches.

    `values` (any of) and `excluded` (none of) are sets; the bounds are of a number or a semantic version.
    """

    attribute: str
    type: str = Field(description="string, integer, number, boolean or semver")
    values: list[Scalar] | None = None
    excluded: list[Scalar] = Field(default_factory=list[Scalar])
    gte: Scalar | None = None
    gt: Scalar | None = None
    lte: Scalar | None = None
    lt: Scalar | None = None


class Exclusion(StrictModel):
    """A holdout's second filter: units whose bucket under `salt` lies below `share` are kept out."""

    holdout: str
    salt: str
    share: float


class Assignment(StrictModel):
    """Who gets which variant.

    A unit is in the experiment when it meets every condition, its layer bucket (hash of `layer_seed` and the unit)
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
    production: dict[str, JsonValue] = Field(description="parameter -> value outside the experiment, for all of them")
    audience: list[Condition]
    exclusions: list[Exclusion]
    previews: dict[str, list[str]] = Field(
        default_factory=dict[str, list[str]], description="variant -> named test units that always get it, untracked"
    )


class Content(StrictModel):
    """What each variant shows, for a system that looks content up by the variant an assigner returned."""

    experiment: str
    surface: str
    environment: str
    variants: dict[str, JsonObject] = Field(description="variant -> parameter -> value, complete")
