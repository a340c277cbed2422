"""Which variant a unit gets: the rule that every assigner must agree with, up to the hash, which each has of its own.

The hash here is GrowthBook's version 2 (FNV-1a 32 of the decimal text of FNV-1a 32 of seed + unit, modulo 10,000), so
that an embedded payload and this code give one answer.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol

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
    because: Literal[
        "preview", "preview_beside", "no_unit", "audience", "bucket", "holdout", "coverage", "assigned", "assigner"
    ]
    detail: str
    layer_bucket: int | None = None
    variant_bucket: int | None = None


class Drawn(NamedTuple):
    """Where a unit's hashes put it inside an experiment; both are buckets, 0 to 9,999."""

    variant: str | None
    """None above the coverage."""
    bucket: int
    """Decides the variant."""
    coverage_bucket: int
    """Decides whether the coverage lets the unit in; in GrowthBook's rule the same."""


class Hashing(Protocol):
    """How an assigner hashes: what its SDKs do with a unit, and what differs from one assigner to another."""

    def buckets(self, seed: str, units: Sequence[str]) -> Sequence[int]:
        """The bucket of each unit under the seed of a layer or the salt of a holdout, 0 to 9,999, in their order; of a
        layer with fewer slots the first of the slot."""
        ...

    def drawn(self, assignment: Assignment, unit: str) -> Drawn:
        """What a unit of the experiment's layer buckets and audience gets."""
        ...

    def counts(self, assignment: Assignment, units: Sequence[str]) -> list[int]:
        """How many of such units get each variant, in the order of the variants."""
        ...


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
    """`bucket` of many units, in their order; ten times as fast for thousands of ids of one length."""
    state = _fnv1a(seed)
    alike: dict[int, list[str]] = {}
    for unit in units:
        alike.setdefault(len(unit), []).append(unit)
    found = {length: iter(_buckets_alike(state, same)) for length, same in alike.items()}
    if len(found) == 1:
        return [*next(iter(found.values()))]
    return [next(found[len(unit)]) for unit in units]


def _buckets_alike(state: int, units: list[str]) -> Iterator[int]:
    """The buckets of units of one length, from the hash of the seed on."""
    for start in range(0, len(units), _LANES):
        part = units[start : start + _LANES]
        data = "".join(part).encode("utf-16-le", "surrogatepass")
        if len(data) != 2 * len(part[0]) * len(part):  # characters of two code units, which are rare in ids
            yield from (_fnv1a(str(_fnv1a(unit, state))) % BUCKETS for unit in part)
        else:
            yield from _bucket_lanes(state, data, len(part))


def _bucket_lanes(state: int, data: bytes, count: int) -> Sequence[int]:
    """The buckets of `count` texts of one length, each in a lane of 64 bits of one large integer: a product of 32 bits
    with a constant stays in its lane, so that one operation of Python does the same to all of them."""
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    values, mask, step = ones * state, ones * 0xFFFFFFFF, len(data) // count
    lanes = bytearray(8 * count)
    for offset in range(0, step, 2):
        lanes[0::8], lanes[1::8] = data[offset::step], data[offset + 1 :: step]
        values = ((values ^ int.from_bytes(lanes, "little")) * _PRIME) & mask
    hashed = _hash_decimals(values, ones)
    # n // 10,000 = (n >> 4) // 625, and the latter by a product (Granlund and Montgomery 1994, "Division by Invariant
    # Integers using Multiplication", theorem 4.2): ceil(2^45 / 625) is exact for 28 bits.
    whole = (((hashed >> 4) & ones * 0xFFFFFFF) * 56_294_995_343 >> 45) & ones * 0x7FFFF
    return struct.unpack(f"<{count}Q", (hashed - whole * BUCKETS).to_bytes(8 * count, "little"))


def _hash_decimals(values: int, ones: int) -> int:
    """FNV-1a 32 of the decimal text of the number in each lane; `ones` has a 1 in each."""
    mask, low, zero = ones * 0xFFFFFFFF, ones * 0x1FFFFFFF, ones * ord("0")
    tenths = [values]  # n, n // 10, n // 100, ...
    while tenths[-1]:
        tenths.append((tenths[-1] * 0xCCCCCCCD >> 35) & low)  # as above: ceil(2^35 / 10) is exact for 32 bits
    state = empty = ones * _OFFSET
    for rest, tenth in reversed([*pairwise([*tenths, 0])]):
        hashed = ((state ^ (rest - tenth * 10) ^ zero) * _PRIME) & mask
        # 1 where a digit other than 0 has come, since only the number 0 begins with one.
        begun = ones if rest is values else (rest + mask) >> 32 & ones
        state = hashed if begun == ones else empty ^ ((empty ^ hashed) & begun * 0xFFFFFFFF)
    return state


class GrowthbookHashing:
    """The rule of the GrowthBook SDKs."""

    def buckets(self, seed: str, units: Sequence[str]) -> list[int]:
        return buckets(seed, units)

    def drawn(self, assignment: Assignment, unit: str) -> Drawn:
        here = bucket(assignment.seed, unit)
        return Drawn(variant_of(assignment, here), here, here)

    def counts(self, assignment: Assignment, units: Sequence[str]) -> list[int]:
        ordered = sorted(buckets(assignment.seed, units))

        def below(share: float) -> int:
            return bisect_left(ordered, share, key=lambda drawn: drawn / BUCKETS)

        return [max(0, below(end) - below(start)) for _, start, end in variant_shares(assignment)]


GROWTHBOOK = GrowthbookHashing()


def decide(assignment: Assignment, context: Mapping[str, JsonValue], hashing: Hashing | None = GROWTHBOOK) -> Decision:
    """The decision for one unit; `context` holds its attributes, the unit's id among them. Without a hashing nobody
    here can tell what a unit of the audience gets: `because` is "assigner" then."""
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
    if hashing is None:
        return Decision(variant=None, because="assigner", detail="the assigner alone knows who is in")
    return _by_hash(assignment, unit, hashing)


def _unit_of(raw: JsonValue) -> str:
    """The id as the SDKs hash it: numbers as JavaScript writes them, and nothing else than texts and numbers."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""


def _by_hash(assignment: Assignment, unit: str, hashing: Hashing) -> Decision:
    (here,) = hashing.buckets(assignment.layer_seed, [unit])
    if not any(part.lo <= here < part.hi for part in assignment.ranges):
        held = ", ".join(f"{part.lo}-{part.hi - 1}" for part in assignment.ranges)
        detail = f"layer bucket {here} is not in {held}"
        return Decision(variant=None, because="bucket", detail=detail, layer_bucket=here)
    for exclusion in assignment.exclusions:
        if hashing.buckets(exclusion.salt, [unit])[0] / BUCKETS < exclusion.share:
            detail = f"the unit is in the holdout {exclusion.holdout}"
            return Decision(variant=None, because="holdout", detail=detail, layer_bucket=here)
    variant, drawn, covering = hashing.drawn(assignment, unit)
    if variant is not None:
        detail = f"layer bucket {here}, variant bucket {drawn}"
        return Decision(variant=variant, because="assigned", detail=detail, layer_bucket=here, variant_bucket=drawn)
    which = "variant" if covering == drawn else "coverage"
    detail = f"{which} bucket {covering} is above the coverage {assignment.coverage:g}"
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
