"""Variants: what differs from production, and in which shares."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..documents import JsonObject, canonical, nest, pointer
from ..model.experiment import Variant
from ..names import listed, meant, nearest
from .engine import Case, Check, Cure, Fault
from .payload import schema_faults, short_text

MAX_VARIANTS = 20
SUM_TOLERANCE = 1e-6
WEIGHTS_ARE_SHARES = 'Weights are shares, 0-1, and sum to 1 ("0.5" is 50 %).'


def variants_are_enough(case: Case) -> Iterator[Fault]:
    """There are 2 to 20 variants: one to compare with, and few enough to tell apart."""
    count = len(case.spec.variants)
    if not 2 <= count <= MAX_VARIANTS:
        message = f"An experiment has 2 to {MAX_VARIANTS} variants, the control among them."
        yield Fault("/variants", message, got=count, cures=_missing_control(case) if count == 1 else [])


def _missing_control(case: Case) -> list[Cure]:
    only, variant = next(iter(case.spec.variants.items()))
    if only == "control" or (variant.control and not variant.parameters):
        return []  # the treatment is missing, which only its author knows
    patch: JsonObject = {
        "variants": {"control": {"control": True, "weight": 0.5}, only: {"control": False, "weight": 0.5}}
    }
    return [Cure("add a control with the production values, split 50/50", patch)]


def one_control(case: Case) -> Iterator[Fault]:
    """Exactly one variant is the control: the one that every other is compared with."""
    controls = [key for key, variant in case.spec.variants.items() if variant.control]
    if len(controls) == 1 or len(case.spec.variants) < 2:
        return
    candidates = controls or list(case.spec.variants)
    chosen = next((key for key in candidates if not case.spec.variants[key].parameters), candidates[0])
    flags: JsonObject = {key: {"control": key == chosen} for key in case.spec.variants}
    message = "Exactly one variant must be the control."
    cure = Cure(f"make {chosen} the only control", {"variants": flags})
    yield Fault("/variants", message, got=", ".join(controls) or "none", cures=[cure])


def weights_are_positive(case: Case) -> Iterator[Fault]:
    """Each variant gets units: a weight of zero is a variant that nobody sees."""
    for key, variant in case.spec.variants.items():
        if variant.weight <= 0:
            cures = [Cure("equal weights", _equal_weights(case))]
            yield Fault(pointer("variants", key, "weight"), "A weight is above 0.", got=variant.weight, cures=cures)


def weights_sum_to_one(case: Case) -> Iterator[Fault]:
    """The weights are shares of one whole. Several platforms accept 0.9 + 0.9 and deliver something else."""
    weights = [variant.weight for variant in case.spec.variants.values()]
    if len(weights) < 2 or min(weights) <= 0 or abs(sum(weights) - 1) <= SUM_TOLERANCE:
        return  # a single variant is a fault of its own, whose cure sets the weights
    if not math.isfinite(sum(weights)):
        yield Fault("/variants", WEIGHTS_ARE_SHARES, cures=[Cure("equal weights", _equal_weights(case))])
        return
    scaled = {key: round(variant.weight / sum(weights), 6) for key, variant in case.spec.variants.items()}
    last = next(reversed(scaled))
    scaled[last] = round(1 - sum(weight for key, weight in scaled.items() if key != last), 6)
    cures: list[Cure] = []
    if min(scaled.values()) > 0:  # a weight may be too small beside another one to be kept
        cures.append(Cure("scale to " + " + ".join(f"{weight:g}" for weight in scaled.values()), _weights(scaled)))
    if len(set(weights)) > 1:
        cures.append(Cure("equal weights", _equal_weights(case)))
    yield Fault("/variants", WEIGHTS_ARE_SHARES, got=round(sum(weights), 6), cures=cures)


def _weights(weights: dict[str, float]) -> JsonObject:
    return {"variants": {key: {"weight": weight} for key, weight in weights.items()}}


def _equal_weights(case: Case) -> JsonObject:
    return _weights(equal_weights(list(case.spec.variants)))


def equal_weights(keys: list[str]) -> dict[str, float]:
    """Equal weights of six digits that sum to exactly 1; the last takes the remainder."""
    each = round(1 / len(keys), 6)
    return dict.fromkeys(keys[:-1], each) | {keys[-1]: round(1 - each * (len(keys) - 1), 6)}


def parameters_are_known(case: Case) -> Iterator[Fault]:
    """Every parameter is one that the surface lets vary."""
    allowed = sorted(case.surface.parameters)
    for key, variant in case.spec.variants.items():
        for name, value in variant.parameters.items():
            if name in case.surface.parameters:
                continue
            at = pointer("variants", key, "parameters", name)
            close = nearest(name, allowed)
            cures: list[Cure] = []
            likely = meant(name, allowed)
            if likely is not None:
                renamed: JsonObject = {"variants": {key: {"parameters": {name: None, likely: value}}}}
                cures.append(Cure(f"rename it to {likely}", renamed))
            yield Fault(at, "The surface has no such parameter.", name, allowed, close, cures)


def payload_meets_schema(case: Case) -> Iterator[Fault]:
    """Every value meets the parameter's JSON Schema: what breaks it breaks the surface for a variant's users."""
    for key, variant in case.spec.variants.items():
        for name, value in variant.parameters.items():
            parameter = case.surface.parameters.get(name)
            if parameter is not None:
                at = pointer("variants", key, "parameters", name)
                yield from schema_faults(value, parameter.json_schema, at, case.production.get(name))


def payload_differs(case: Case) -> Iterator[Fault]:
    """Each treatment differs from the control. Two equal variants are an A/A test, which the tag `a-a` declares."""
    control = case.spec.variants.get(case.spec.control or "")
    if control is None or "a-a" in case.spec.tags:
        return
    seen = {_effective(case, control): case.spec.control or ""}
    for key, variant in case.spec.variants.items():
        if variant is control:
            continue
        twin = seen.setdefault(_effective(case, variant), key)
        if twin != key:
            names = listed(sorted(case.surface.parameters), 8)
            message = f"It shows the same as {twin}. Change a parameter ({names}), or tag an A/A test a-a."
            a_a: JsonObject = {"tags": [*case.spec.tags, "a-a"]}
            cures = [Cure("declare an A/A test", a_a, relaxes=True)] if len(seen) == 1 else []
            yield Fault(pointer("variants", key, "parameters"), message, cures=cures)


def _effective(case: Case, variant: Variant) -> str:
    known = {name: case.production.get(name) for name in case.surface.parameters}
    return canonical({**known, **variant.parameters})


def control_is_production(case: Case) -> Iterator[Fault]:
    """The control shows what production shows; otherwise the baseline is a third experience nobody has today."""
    for key, variant in case.spec.variants.items():
        if not variant.control:
            continue
        for name, value in variant.parameters.items():
            if name in case.production and canonical(value) != canonical(case.production[name]):
                at = pointer("variants", key, "parameters", name)
                cure = Cure("use the production value", nest(at, None))
                yield Fault(at, "The control differs from production.", got=short_text(value), cures=[cure])


def parameters_share_a_layer(case: Case) -> Iterator[Fault]:
    """All parameters an experiment varies belong to its layer: exclusion holds within one layer only."""
    layers = {
        name: case.surface.parameters[name].layer for name in case.spec.touched if name in case.surface.parameters
    }
    foreign = sorted(name for name, layer in layers.items() if layer != case.spec.layer)
    if not foreign:
        return
    if len(set(layers.values())) == 1:
        layer = next(iter(layers.values()))
        cure = Cure(f"use the layer {layer}", nest("/layer", layer))
        message = f"Its parameters belong to the layer {layer}."
        yield Fault("/layer", message, got=case.spec.layer, allowed=[layer], cures=[cure])
        return
    grouped = "; ".join(f"{name} in {layer}" for name, layer in sorted(layers.items()))
    message = f"The parameters lie in several layers ({grouped}). Make one experiment per layer."
    yield Fault("/variants", message, cures=[_without(case, foreign)])


def _without(case: Case, foreign: list[str]) -> Cure:
    dropped: JsonObject = {
        key: {"parameters": {name: None for name in foreign if name in variant.parameters}}
        for key, variant in case.spec.variants.items()
    }
    return Cure(f"vary only what lies in {case.spec.layer}: drop {listed(foreign)}", {"variants": dropped})


CHECKS = (
    Check("variants.count", "block", variants_are_enough),
    Check("variants.one_control", "block", one_control),
    Check("weights.positive", "block", weights_are_positive),
    Check("weights.sum_to_one", "block", weights_sum_to_one),
    Check("payload.known_parameters", "block", parameters_are_known),
    Check("payload.schema", "block", payload_meets_schema),
    Check("payload.differs", "block", payload_differs),
    Check("control.production", "warn", control_is_production),
    Check("layer.single", "block", parameters_share_a_layer),
)
