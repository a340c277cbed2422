"""What Confidence can express and promise."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.ports.capabilities import ALL_VALUES, AttributeType, Capabilities, Promises, Question

BUCKETS = 10_000
"""Into which a rule splits the units of its segment."""
MOST_TEXT, MOST_NAME, MOST_FIELDS, MOST_LEVELS = 250, 32, 64, 4
"""Characters of a text and of a field's name, fields of an object, and levels of objects: limits of a flag's schema."""
CALLS_A_MINUTE = 50 * 60
_PLAIN: frozenset[Question] = frozenset({"missing", "present", "values", "excluded"})
_BOUNDED: frozenset[Question] = _PLAIN | frozenset[Question]({"bounds"})
_AUDIENCES: Mapping[AttributeType, frozenset[Question]] = {
    "string": _PLAIN,
    "boolean": _PLAIN,
    "integer": _BOUNDED,
    "number": _BOUNDED,
    "semver": frozenset[Question](),
    "date": frozenset[Question]({"values"}),
}

PROMISES = Promises(compare_and_swap=False, atomic=False, calls_a_minute=CALLS_A_MINUTE, proof="contract")
"""Confidence takes every write. The one that opens traffic sets a flag's rules at once and comes last; the flag's
description says what was begun; a process lets its writers take turns, and the saga's fence those of several."""

CAPABILITIES = Capabilities(
    allocates=True,
    weight_steps=BUCKETS,
    holdouts=False,
    previews_tracked=True,
    audiences=_AUDIENCES,
    values=ALL_VALUES - {"null"},
    longest_text=MOST_TEXT,
    longest_name=MOST_NAME,
    why={
        "allocates": "Confidence gives out the units of a segment itself; its resolver tells who is in.",
        "weight_steps": f"A rule splits the units of its segment into {BUCKETS:,} buckets.",
        "holdouts": "Which units a holdout would keep out is nothing that Confidence can be told by a hash.",
        "audiences": "Confidence takes 2.0.0-rc.1 for 2.0.0, what is no version for 0.0.0, and 2026-1-5 for a date.",
        "values": "A flag's schema has no null.",
        "longest_text": "A flag's schema ends texts there.",
        "longest_name": "A flag's schema ends names there.",
    },
)
