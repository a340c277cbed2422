"""What a backend can express, and what it promises. Checks hold a draft against it before anything is planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..model.plan import BUCKETS

AttributeType = Literal["string", "integer", "number", "boolean", "semver", "date"]
Question = Literal["missing", "present", "values", "excluded", "bounds"]
"""What may be asked of an attribute: the parts of a `Condition`; `present` has none of the others."""
JsonType = Literal["null", "boolean", "number", "string", "array", "object"]

ALL_QUESTIONS: frozenset[Question] = frozenset({"missing", "present", "values", "excluded", "bounds"})
ALL_AUDIENCES: Mapping[AttributeType, frozenset[Question]] = {
    "string": ALL_QUESTIONS - {"bounds"},
    "boolean": ALL_QUESTIONS - {"bounds"},
    "integer": ALL_QUESTIONS,
    "number": ALL_QUESTIONS,
    "semver": ALL_QUESTIONS,
    "date": ALL_QUESTIONS,
}
ALL_VALUES: frozenset[JsonType] = frozenset({"null", "boolean", "number", "string", "array", "object"})


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What a backend does about writes that come twice, at once, or half."""

    compare_and_swap: bool
    """Of several writers at once exactly one wins, by the backend itself; else our own lock orders ours alone."""
    atomic: bool
    """One write changes all of an entry or nothing."""
    versions: bool = False
    """It keeps what was there before, for as long as it is told to."""
    calls_a_minute: int | None = None
    """Its rate limit, which our client stays below."""
    proof: Literal["real", "contract"] = "real"
    """`contract`: tested against its published description, never against the system itself."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an assigner can express of an `Assignment`."""

    allocates: bool = False
    """It gives out the units of an experiment itself: a size is all that it takes of `ranges`, which are bookkeeping of
    ours, and nobody but it can tell who is in, or who was."""
    slots: int = BUCKETS
    """Equal parts of a layer that it can tell apart; a divisor of 10,000. Ranges begin and end between two of them."""
    coverage_steps: int | None = None
    """Equal steps of a ramp's coverage, 100 for whole percents; None for any share."""
    weight_steps: int | None = None
    """Equal steps of a variant's weight, 1,000 for tenths of a percent; None for any weight."""
    holdouts: bool = True
    """It keeps the units of a holdout out by a hash of their own."""
    previews: bool = True
    """It can force named test units into a variant."""
    previews_alone: bool = False
    """A test unit of one experiment is in no other of its layer."""
    previews_tracked: bool = False
    """It tells exposures of test units like those of all others."""
    audiences: Mapping[AttributeType, frozenset[Question]] = field(default_factory=lambda: ALL_AUDIENCES)
    """Type of an attribute -> what may be asked of it."""
    alternatives: int | None = None
    """Most alternatives (`or`) of an audience."""
    values: frozenset[JsonType] = ALL_VALUES
    """What a parameter's value may be."""
    longest_text: int | None = None
    """Most characters of a text that is a parameter's value; None for any."""
    longest_name: int | None = None
    """Most characters of a parameter's name; None for any."""
    why: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name of a field above -> the reason for its limit, as a sentence for people."""


ANYTHING = Capabilities()
"""Of an assigner without limits."""
