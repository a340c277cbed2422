"""Variants: which there are, and what differs in them from production."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import JsonObject, canonical, nest, pointer
from ..model.experiment import Variant
from ..names import listed, meant, nearest
from . import weights
from .engine import Case, Check, Cure, Fault
from .payload import meets_schema, schema_faults, short_text

MAX_VARIANTS = 20


def variants_are_enough(case: Case) -> Iterator[Fault]:
    """There are 2 to 20 variants: one to compare with, and few enough to tell apart."""
    count = len(case.spec.variants)
    if not 2 <= count <= MAX_VARIANTS and not _treatment_is_missing(case):
        message = f"An experiment has 2 to {MAX_VARIANTS} variants, the control among them."
        yield Fault("/variants", message, got=count, cures=_missing_control(case) if count == 1 else [])


def a_treatment_exists(case: Case) -> Iterator[Fault]:
    """There is a variant beside the control: what it should show is what the experiment asks, so only its author
    knows."""
    if _treatment_is_missing(case):
        message = f"An experiment has 2 to {MAX_VARIANTS} variants; say what a treatment shows."
        yield Fault("/variants", message, got=len(case.spec.variants))


def _treatment_is_missing(case: Case) -> bool:
    """Whether there is no variant, or one that is the control by its name, or by its flag and what it shows."""
    variants = list(case.spec.variants.items())
    return len(variants) <= 1 and all(
        key == "control" or (variant.control and not variant.parameters) for key, variant in variants
    )


def _missing_control(case: Case) -> list[Cure]:
    only = next(iter(case.spec.variants))
    patch: JsonObject = {
        "variants": {"control": {"control": True, "weight": 0.5}, only: {"control": False, "weight": 0.5}}
    }
    return [Cure("add a control with the production values, split 50/50", patch)]


def one_control(case: Case) -> Iterator[Fault]:
    """Exactly one variant is the control: the one that every other is compared with."""
    controls = [key for key, variant in case.spec.variants.items() if variant.control]
    if len(controls) == 1 or len(case.spec.variants) < 2:
        return
    message = "Exactly one variant must be the control."
    yield Fault("/variants", message, got=", ".join(controls) or "none", cures=[_only_control(case, controls)])


def _only_control(case: Case, controls: list[str]) -> Cure:
    """To keep one of the controls; one that shows the same would be no treatment, so its units go to the one kept."""
    variants = case.spec.variants
    candidates = controls or list(variants)
    chosen = next((key for key in candidates if not variants[key].parameters), candidates[0])
    same = _effective(case, variants[chosen])
    twins = [key for key in controls if key != chosen and _effective(case, variants[key]) == same]
    flags: JsonObject = {key: {"control": key == chosen} for key in variants}
    if not twins:
        return Cure(f"make {chosen} the only control", {"variants": flags})
    weight = round(sum(variants[key].weight for key in (chosen, *twins)), 6)
    kept: JsonObject = {chosen: {"control": True, "weight": weight}, **dict.fromkeys(twins)}
    return Cure(f"make {chosen} the only control and drop {listed(twins)}, the same", {"variants": flags | kept})


def _merging(case: Case, kept: str, others: list[str]) -> Cure:
    """One variant instead of several that show the same, with the weights of all of them."""
    variants = case.spec.variants
    weight = round(sum(variants[key].weight for key in (kept, *others)), 6)
    patch: JsonObject = {"variants": {kept: {"weight": weight}, **dict.fromkeys(others)}}
    return Cure(f"keep {kept} and drop {listed(others)}, which shows the same", patch)


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
            else:
                cures += _where_it_belongs(case, key, name)
            yield Fault(at, "The surface has no such parameter.", name, allowed, close, cures)


def _where_it_belongs(case: Case, key: str, name: str) -> list[Cure]:
    """For a parameter of nowhere near: the surface that alone has all that the variants set, if the layer is its own,
    too; else the parameter that another variant sets and that alone can have this value."""
    spec, surfaces = case.spec, case.catalogue.surfaces
    having = [each for each, surface in surfaces.items() if surface.parameters.keys() >= set(spec.touched)]
    if having:
        alone = len(having) == 1 and spec.layer in surfaces[having[0]].layers and spec.layer not in case.surface.layers
        patch: JsonObject = {"surface": having[0], "unit": surfaces[having[0]].unit}
        effect = f"use the surface {having[0]}, which alone has its layer and parameters"
        return [Cure(effect, patch)] if alone else []
    variant = spec.variants[key]
    value = variant.parameters[name]
    fitting = [each for each, known in case.surface.parameters.items() if meets_schema(value, known.json_schema)]
    if len(fitting) != 1 or fitting[0] not in spec.touched or fitting[0] in variant.parameters:
        return []
    renamed: JsonObject = {"variants": {key: {"parameters": {name: None, fitting[0]: value}}}}
    return [Cure(f"rename it to {fitting[0]}, which alone can have this value", renamed)]


def payload_meets_schema(case: Case) -> Iterator[Fault]:
    """Every value meets the parameter's JSON Schema: what breaks it breaks the surface for a variant's users."""
    for key, variant in case.spec.variants.items():
        for name, value in variant.parameters.items():
            parameter = case.surface.parameters.get(name)
            if parameter is not None:
                at = pointer("variants", key, "parameters", name)
                yield from schema_faults(value, parameter.json_schema, at, case.production.get(name))


def payload_differs(case: Case) -> Iterator[Fault]:
    """Each treatment differs from the control. Two equal variants are an A/A test, which the tag `a-a` declares.

    What the treatment should show instead is what the experiment asks, so only its author knows.
    """
    alike = _alike(case)
    for key in alike.get(case.spec.control or "", []):
        names = listed(sorted(case.surface.parameters), 8)
        message = f"It shows the same as {case.spec.control}. Change a parameter ({names}), or tag an A/A test a-a."
        a_a: JsonObject = {"tags": [*case.spec.tags, "a-a"]}
        cures = [Cure("declare an A/A test", a_a, relaxes=True)] if len(alike) == 1 else []
        yield Fault(pointer("variants", key, "parameters"), message, cures=cures)


def treatments_differ(case: Case) -> Iterator[Fault]:
    """No two treatments show the same: each would get half of the units for no answer. One of them is enough, with the
    weight of both."""
    for kept, others in _alike(case).items():
        if kept != case.spec.control and others:
            cure = _merging(case, kept, others)
            at = pointer("variants", others[0], "parameters")
            yield Fault(at, f"It shows the same as the treatment {kept}.", got=listed(others), cures=[cure])


def _alike(case: Case) -> dict[str, list[str]]:
    """Variant -> the later ones that show the same, the control first; none without a control or in an A/A test."""
    control = case.spec.control
    if control is None or "a-a" in case.spec.tags:
        return {}
    firsts, alike = dict[str, str](), dict[str, list[str]]()
    for key in (control, *(key for key in case.spec.variants if key != control)):
        first = firsts.setdefault(_effective(case, case.spec.variants[key]), key)
        if first == key:
            alike[key] = []
        else:
            alike[first].append(key)
    return alike


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
    Check("variants.treatment_present", "block", a_treatment_exists, curable=False),
    Check("variants.one_control", "block", one_control),
    *weights.CHECKS,
    Check("payload.known_parameters", "block", parameters_are_known),
    Check("payload.schema", "block", payload_meets_schema),
    Check("payload.differs", "block", payload_differs, curable=False),
    Check("payload.treatments_differ", "block", treatments_differ),
    Check("control.production", "warn", control_is_production),
    Check("layer.single", "block", parameters_share_a_layer),
)
