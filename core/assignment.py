"""Which variant a unit gets: the rule that every assigner must agree with.

The hash is GrowthBook's version 2 (FNV-1a 32 of the decimal text of FNV-1a 32 of seed + unit, modulo 10,000), so that
an embedded payload and this code give one answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import JsonValue

from .audience import kept_out_by
from .model.delivery import Assignment
from .model.plan import BUCKETS
from .model.strict import StrictModel

_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
_LANES = 1_024
"""Texts hashed together: enough to be worth it, few enough for the processor's cache."""


class Decision(StrictModel):
    """What a unit gets, and the first rule that decided it."""

    variant: str | None
    because: Literal["preview", "no_unit", "audience", "bucket", "holdout", "coverage", "assigned"]
    detail: str
    layer_bucket: int | None = None
    variant_bucket: int | None = None


def _fnv1a(text: str, value: int = _OFFSET) -> int:
    """FNV-1a 32 over UTF-16 code units, as JavaScript SDKs do; `value` is the hash of what comes before the text."""
    data = text.encode("utf-16-le", "surrogatepass")
    for index in range(0, len(data), 2):
        value = ((value ^ (data[index] | data[index + 1] << 8)) * _PRIME) & 0xFFFFFFFF
    return value


def bucket(seed: str, unit: str) -> int:
    """The unit's bucket under a seed, 0 to 9,999."""
    return _fnv1a(str(_fnv1a(seed + unit))) % BUCKETS


def buckets(seed: str, units: Sequence[str]) -> list[int]:
    """`bucket` of many units, in their order; six times as fast for thousands of ids."""
    return [value % BUCKETS for value in _hash_all([*map(str, _hash_all(units, _fnv1a(seed)))], _OFFSET)]


def _hash_all(texts: Sequence[str], state: int) -> list[int]:
    """FNV-1a 32 of each text, from a state on: of those with one length together."""
    lengths = [*map(len, texts)]
    hashed: dict[int, Iterator[int]] = {}
    for length in set(lengths):
        same = [text for text, own in zip(texts, lengths, strict=True) if own == length]
        parts = (same[start : start + _LANES] for start in range(0, len(same), _LANES))
        hashed[length] = iter([value for part in parts for value in _hash_lanes(part, state)])
    return [next(hashed[length]) for length in lengths]


def _hash_lanes(texts: list[str], state: int) -> Sequence[int]:
    """FNV-1a 32 of texts of one length, each in a lane of 64 bits of one large integer: a product of 32 bits and the
    prime's 25 stays in its lane, so that one operation of Python does the same to all of them."""
    count = len(texts)
    data = "".join(texts).encode("utf-16-le", "surrogatepass")
    if len(data) != 2 * len(texts[0]) * count:  # characters of two code units, which are rare in ids
        return [_fnv1a(text, state) for text in texts]
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    values, mask, step = ones * state, ones * 0xFFFFFFFF, len(data) // count
    lanes = bytearray(8 * count)
    for offset in range(0, step, 2):
        lanes[0::8], lanes[1::8] = data[offset::step], data[offset + 1 :: step]
        values = ((values ^ int.from_bytes(lanes, "little")) * _PRIME) & mask
    return struct.unpack(f"<{count}Q", values.to_bytes(8 * count, "little"))


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
    variant = variant_of(assignment, drawn)
    if variant is not None:
        detail = f"layer bucket {here}, variant bucket {drawn}"
        return Decision(variant=variant, because="assigned", detail=detail, layer_bucket=here, variant_bucket=drawn)
    detail = f"variant bucket {drawn} is above the coverage {assignment.coverage:g}"
    return Decision(variant=None, because="coverage", detail=detail, layer_bucket=here, variant_bucket=drawn)


def variant_of(assignment: Assignment, drawn: int) -> str | None:
    """The variant of a bucket under the experiment's own seed; None above the coverage."""
    share = drawn / BUCKETS
    return next((variant for variant, start, end in variant_shares(assignment) if start <= share < end), None)


def variant_shares(assignment: Assignment) -> Iterator[tuple[str, float, float]]:
    """(variant, start, end): a bucket is the variant's when start <= bucket / 10,000 < end."""
    start = 0.0
    for variant, weight in zip(assignment.variants, assignment.weights, strict=True):
        # The sums are GrowthBook's getBucketRanges, term by term, so that no float rounds differently.
        yield variant, start, start + assignment.coverage * weight
        start += weight
