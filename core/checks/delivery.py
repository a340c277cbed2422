"""Delivery: what the backends hold already."""

from __future__ import annotations

from collections.abc import Iterator

from .engine import Case, Check, Fault


def layer_has_no_strays(case: Case) -> Iterator[Fault]:
    """Nothing lets units of the layer in that the store does not know as live: after a document came back from a
    backup, say, two experiments would share buckets, and each would be read as if it were alone."""
    for key, command in case.strays.items():
        message = f"The assigner still has rules of {key} on this layer, which is not live: a person runs `{command}`."
        yield Fault("/layer", message, got=key)


LAUNCH_CHECKS = (Check("delivery.orphans", "block", layer_has_no_strays),)
"""Asked only of what opens traffic: a draft may well be planned meanwhile."""
