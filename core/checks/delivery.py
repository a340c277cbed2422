"""Delivery: what the backends hold already, production values among it."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import canonical, pointer
from .engine import Case, Check, Fault
from .payload import meets_schema

SHOWN = 140
"""Most characters of a value in a finding."""


def layer_has_no_strays(case: Case) -> Iterator[Fault]:
    """Nothing lets units of the layer in that the store does not know as live: after a document came back from a
    backup, say, two experiments would share buckets, and each would be read as if it were alone."""
    for key, command in case.strays.items():
        message = f"The assigner still has rules of {key} on this layer, which is not live: a person runs `{command}`."
        yield Fault("/layer", message, got=key)


def production_meets_its_schema(case: Case) -> Iterator[Fault]:
    """What is in production where a variant sets something else is a value that the product can show: the control shows
    it, and a payload that a client cannot read breaks more than an experiment."""
    source = next(iter(case.catalogue.route(case.spec.surface, case.spec.environment).content), None)
    for name in case.spec.touched:
        parameter, value = case.surface.parameters.get(name), case.production.get(name)
        if parameter is None or name not in case.production or meets_schema(value, parameter.json_schema):
            continue
        at = pointer("variants", case.spec.control or "", "parameters", name) if case.spec.control else "/surface"
        message = f"In production {name} breaks its schema; a person mends it in {source or 'the catalogue'}."
        yield Fault(at, message, got=canonical(value)[:SHOWN])


CHECKS = (Check("production.schema", "block", production_meets_its_schema, curable=False),)
LAUNCH_CHECKS = (Check("delivery.orphans", "block", layer_has_no_strays, curable=False),)
"""Asked only of what opens traffic: a draft may well be planned meanwhile."""
