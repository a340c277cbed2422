"""How Unleash hashes units: MurmurHash3 (Appleby 2008, x86, 32 bits) of "<group>:<unit>", modulo 100 or the sum of the
weights, plus 1; the seed is 0 for a rollout and 86,028,157 for variants, so that the two do not depend on each other.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence

from ...core.assignment import Drawn
from ...core.model.delivery import Assignment
from ...core.model.plan import BUCKETS

SLOTS = 100
"""Of a layer: the variants of its flag, of weight 10 each."""
WEIGHTS = 1_000
"""The sum of the weights of variants, by Unleash's own rule."""
STEPS = 100
"""A rollout is a whole percentage."""
VARIANT_SEED = 86_028_157
_LETTERS = {letter: place for place, letter in enumerate("_-0123456789abcdefghijklmnopqrstuvwxyz")}
_C1, _C2, _MASK = 0xCC9E2D51, 0x1B873593, 0xFFFFFFFF
_LANES = 1_024
"""Texts hashed together, as in the core's own hash."""


class UnleashHashing:
    """The rule by which an SDK of Unleash decides, for `explain` and for the trial of a launch."""

    def buckets(self, seed: str, units: Sequence[str]) -> list[int]:
        """The first bucket of each unit's slot in a layer."""
        group = layer_flag(seed)
        return [
            (each - 1) * SLOTS // WEIGHTS * (BUCKETS // SLOTS) for each in _drawn(group, units, VARIANT_SEED, WEIGHTS)
        ]

    def drawn(self, assignment: Assignment, unit: str) -> Drawn:
        (step,), (place,) = _both(assignment, [unit])
        bucket, entering = place * (BUCKETS // WEIGHTS) - 1, step * (BUCKETS // STEPS) - 1
        return Drawn(_variant(assignment, place) if step <= _steps(assignment) else None, bucket, entering)

    def counts(self, assignment: Assignment, units: Sequence[str]) -> list[int]:
        most = _steps(assignment)
        steps, places = _both(assignment, units)
        found = Counter(place for step, place in zip(steps, places, strict=True) if step <= most)
        by_variant = dict.fromkeys(assignment.variants, 0)
        for place, count in found.items():
            by_variant[_variant(assignment, place)] += count
        return [*by_variant.values()]


def layer_flag(seed: str) -> str:
    """The name of a layer's flag, which is its group too; no name of ours has a dot or a slash inside."""
    return f"crossfade.{seed.replace('/', '.')}"


def _steps(assignment: Assignment) -> int:
    return round(assignment.coverage * STEPS)


def _both(assignment: Assignment, units: Sequence[str]) -> tuple[list[int], list[int]]:
    """(what decides about the coverage, what decides about the variant) of each unit."""
    seed = assignment.seed
    return _drawn(seed, units, 0, STEPS), _drawn(seed, units, VARIANT_SEED, WEIGHTS)


def in_order(variant: str) -> list[int]:
    """Sorts variants as Unleash keeps them, in whichever order it is given them: by name, as Unicode's root collation
    (CLDR) has the characters that a name of ours may have. Their order decides which variant a unit gets."""
    return [_LETTERS[letter] for letter in variant]


def _variant(assignment: Assignment, place: int) -> str:
    weights = dict(zip(assignment.variants, assignment.weights, strict=True))
    end = 0
    for variant in sorted(weights, key=in_order):
        end += round(weights[variant] * WEIGHTS)
        if place <= end:
            return variant
    return max(weights, key=in_order)


def _drawn(group: str, units: Sequence[str], seed: int, modulus: int) -> list[int]:
    """1 to `modulus` for each of the units, in their order."""
    texts = [f"{group}:{unit}".encode("utf-8", "surrogatepass") for unit in units]
    found, alike = [0] * len(texts), dict[int, list[int]]()
    for index, text in enumerate(texts):
        alike.setdefault(len(text), []).append(index)
    for indexes in alike.values():
        for start in range(0, len(indexes), _LANES):
            part = indexes[start : start + _LANES]
            for index, hashed in zip(part, murmur3([texts[each] for each in part], seed), strict=True):
                found[index] = hashed % modulus + 1
    return found


def murmur3(texts: list[bytes], seed: int) -> Sequence[int]:
    """The 32-bit hashes of texts of one length, each in a lane of 64 bits of one large integer: no step has a result of
    more than 64 bits, so that one operation of Python does the same to all of them."""
    count, length = len(texts), len(texts[0])
    data = b"".join(texts)
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    mask = ones * _MASK

    def block(offset: int, size: int) -> int:
        lanes = bytearray(8 * count)
        for index in range(size):
            lanes[index::8] = data[offset + index :: length]
        mixed = (int.from_bytes(lanes, "little") * _C1) & mask
        return (_rotated(mixed, 15, ones) * _C2) & mask

    state = ones * seed
    for offset in range(0, length - length % 4, 4):
        state = (_rotated(state ^ block(offset, 4), 13, ones) * 5 + ones * 0xE6546B64) & mask
    if length % 4:
        state ^= block(length - length % 4, length % 4)
    state ^= ones * length
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = ((state ^ _right(state, shift, ones)) * factor) & mask
    state ^= _right(state, 16, ones)
    return struct.unpack(f"<{count}Q", state.to_bytes(8 * count, "little"))


def _right(value: int, by: int, ones: int) -> int:
    """Each lane shifted to the right, without what comes down from the next."""
    return (value >> by) & ones * (_MASK >> by)


def _rotated(value: int, by: int, ones: int) -> int:
    return (value << by & ones * _MASK) | _right(value, 32 - by, ones)
