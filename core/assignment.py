"""Which variant a unit gets: the rule that every assigner must agree with.

The hash is GrowthBook's version 2 (FNV-1a 32 of the decimal text of FNV-1a 32 of seed + unit, modulo 10,000), so that
an embedded payload and this code give one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from .audience import kept_out_by
from .model.delivery import Assignment
from .model.plan import BUCKETS
from .model.strict import StrictModel

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193


class Decision(StrictModel):
    """What a unit gets, and the first rule that decided it."""

    variant: str | None
    because: Literal["preview", "no_unit", "audience", "bucket", "holdout", "coverage", "assigned"]
    detail: str
    layer_bucket: int | None = None
    variant_bucket: int | None = None


def _fnv1a(text: str) -> int:
    """FNV-1a 32 over UTF-16 code units, as JavaScript SDKs do."""
    value = _OFFSET
    data = text.encode("utf-16-le", "surrogatepass")
    for index in range(0, len(data), 2):
        value = ((value ^ (data[index] | data[index + 1] << 8)) * _PRIME) & 0xFFFFFFFF
    return value


def bucket(seed: str, unit: str) -> int:
    """The unit's bucket under a seed, 0 to 9,999."""
    return _fnv1a(str(_fnv1a(seed + unit))) % BUCKETS


def decide(assignment: Assignment, context: Mapping[str, JsonValue]) -> Decision:
    """The decision for one unit; `context` holds its attributes, the unit's id among them."""
    raw = context.get(assignment.unit_attribute)
    unit = _unit_of(raw)
    if unit == "":
        return Decision(variant=None, because="no_unit", detail=f"the context lacks {assignment.unit_attribute}")
    for variant, units in assignment.previews.items():
        if unit in units:
            return Decision(variant=variant, because="preview", detail=f"named test unit of {variant}, not tracked")
    outside = kept_out_by(assignment.audience, context)
    if outside is not None:
        given = context.get(outside)
        detail = f"{outside} is missing" if given is None else f"{outside} = {given!r} is outside the audience"
        return Decision(variant=None, because="audience", detail=detail)
    return _by_hash(assignment, unit)


def _unit_of(raw: JsonValue) -> str:
    """The id as the SDKs hash it: numbers as JavaScript writes them, and nothing else than texts and numbers."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""


def _by_hash(assignment: Assignment, unit: str) -> Decision:
    here = bucket(assignment.layer_seed, unit)
    if not any(part.lo <= here < part.hi for part in assignment.ranges):
        held = ", ".join(f"{part.lo}-{part.hi - 1}" for part in assignment.ranges)
        detail = f"layer bucket {here} is not in {held}"
        return Decision(variant=None, because="bucket", detail=detail, layer_bucket=here)
    for exclusion in assignment.exclusions:
        if bucket(exclusion.salt, unit) / BUCKETS < exclusion.share:
            detail = f"the unit is in the holdout {exclusion.holdout}"
            return Decision(variant=None, because="holdout", detail=detail, layer_bucket=here)
    drawn = bucket(assignment.seed, unit)
    start = 0.0
    for variant, weight in zip(assignment.variants, assignment.weights, strict=True):
        # The sums are GrowthBook's getBucketRanges, term by term, so that no float rounds differently.
        if start <= drawn / BUCKETS < start + assignment.coverage * weight:
            detail = f"layer bucket {here}, variant bucket {drawn}"
            return Decision(variant=variant, because="assigned", detail=detail, layer_bucket=here, variant_bucket=drawn)
        start += weight
    detail = f"variant bucket {drawn} is above the coverage {assignment.coverage:g}"
    return Decision(variant=None, because="coverage", detail=detail, layer_bucket=here, variant_bucket=drawn)
