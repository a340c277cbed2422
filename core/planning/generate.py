"""From a brief to a full spec. Every value chosen here is told with its reason, so that it can be disagreed with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from ..documents import JsonObject, canonical, changed_leaves, digest, patch_object
from ..model.brief import Brief
from ..model.catalogue import Catalogue, Surface
from ..model.experiment import STOP_RULES, VARIANT_KEY, Decision, Spec, equal_weights
from ..names import nearest, same_name, slug
from ..ports.capabilities import ANYTHING, Capabilities
from .choose_size import ALLOCATION, DAYS, LOOKS, choose_size
from .slots import rounded_up

MAX_KEY = 40
"""Longest generated key, in characters: every call and reply about an experiment repeats it."""


class Draft:
    """A document under construction, and why each generated value is what it is."""

    def __init__(self) -> None:
        self.document: JsonObject = {}
        self.generated: dict[str, str] = {}

    def choose(self, name: str, value: JsonValue, why: str) -> None:
        self.document[name] = value
        self.generated[f"/{name}"] = why


def generated_key(brief: Brief) -> str:
    """A key made from the surface and the change: the same brief always gets the same key."""
    surface = slug(brief.surface.replace("_", " "), MAX_KEY // 2)
    # A change told in a script without Latin letters has no slug; its digest keeps two such changes apart.
    return f"{surface}-{slug(brief.change, MAX_KEY - 1 - len(surface)) or digest(brief.change)[:8]}"


def generate(
    brief: Brief,
    catalogue: Catalogue,
    production: Mapping[str, JsonValue],
    free: Mapping[str, int],
    earlier: Spec | None,
    today: date,
    capabilities: Capabilities = ANYTHING,
) -> Draft:
    """The draft for a brief on a known surface.

    Args:
        production: parameter -> value in production, for every parameter of the surface.
        free: layer -> buckets that nobody holds.
        earlier: the experiment to iterate on; what the brief leaves out comes from it.
        capabilities: of the assigner, which what is chosen here keeps to.
    """
    surface = catalogue.surfaces[brief.surface]
    draft = Draft()
    document = draft.document
    document["name"] = brief.change[:120]
    document["surface"] = brief.surface
    _coordinates(draft, brief, catalogue, production, surface)
    _audience_and_owner(draft, brief, surface, earlier)
    document["variants"] = _variants(draft, brief, production, surface, capabilities.weight_steps)
    document["metrics"] = _metrics(draft, brief, catalogue, surface, earlier)
    document["hypothesis"] = _hypothesis(brief, document["metrics"])
    document["schedule"] = {"start": brief.start.isoformat()} if brief.start else {}
    _design(draft, brief, surface, earlier)
    document["allocation"] = brief.allocation if brief.allocation is not None else surface.policy.allocation
    _governance(draft, earlier)
    if earlier is not None:
        document["tags"] = list[JsonValue](earlier.tags)
        document["iterates"] = brief.iterates
    draft.document = patch_object(document, brief.more)
    draft.generated = still_generated(draft.generated, [at for at, _, _ in changed_leaves(document, draft.document)])
    _size(draft, brief, catalogue, free, earlier, today, capabilities.slots)
    return draft


def still_generated(generated: dict[str, str], changed: list[str]) -> dict[str, str]:
    """The reasons that still explain the document: those of places in, at and above which nobody has set anything."""

    def touched(at: str) -> bool:
        return any(f"{change}/".startswith(f"{at}/") or at.startswith(f"{change}/") for change in changed)

    return {at: why for at, why in generated.items() if not touched(at)}


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _coordinates(
    draft: Draft, brief: Brief, catalogue: Catalogue, production: Mapping[str, JsonValue], surface: Surface
) -> None:
    layers = [surface.parameters[name].layer for name in _varied(brief, production, surface)]
    layer = layers[0] if layers else next(iter(surface.layers))
    draft.choose("layer", layer, f"{layer}, where the varied parameters lie")
    draft.document["unit"] = surface.unit
    environment = catalogue.default_environment
    draft.choose("environment", environment, f"{environment}, the default")


def _varied(brief: Brief, production: Mapping[str, JsonValue], surface: Surface) -> list[str]:
    """Parameters that the brief varies; a name that is not known stands for the one that it is nearest to."""
    names = [name for parameters in brief.variants.values() for name in _differing(parameters, production)]
    return [close[0] for name in names if (close := nearest(name, surface.parameters, 1))]


def _audience_and_owner(draft: Draft, brief: Brief, surface: Surface, earlier: Spec | None) -> None:
    draft.document["audience"] = brief.audience
    if not brief.audience and earlier is not None and earlier.audience:
        draft.choose("audience", earlier.audience, f"as in {brief.iterates}")
    elif not brief.audience:
        draft.generated["/audience"] = "everybody on the surface"
    draft.document["owner"] = brief.owner or ""
    if not brief.owner and earlier is not None and earlier.owner:
        draft.choose("owner", earlier.owner, f"as in {brief.iterates}")
    elif not brief.owner:
        draft.choose("owner", surface.owner, "the surface's team")


def _governance(draft: Draft, earlier: Spec | None) -> None:
    """How the experiment is decided, what pauses it, and who hears of it."""
    rule = (earlier.decision if earlier else None) or Decision()
    draft.choose("decision", rule.model_dump(mode="json"), str(rule))
    draft.choose("stop", list[JsonValue](STOP_RULES), f"on {', '.join(STOP_RULES)}; alerts go to the owner")
    draft.document["alerts"] = [draft.document["owner"]]


def _variants(
    draft: Draft, brief: Brief, production: Mapping[str, JsonValue], surface: Surface, steps: int | None
) -> JsonObject:
    """The brief's variants after a control; production values that the caller repeated are left out."""
    given: dict[str, JsonObject] = {}
    for name, parameters in brief.variants.items():
        key = _variant_key(name, given)
        if key != name:
            draft.generated[f"/variants/{key}"] = f"read from {name}"
        given[key] = _known_parameters(draft, key, parameters, surface)
    control = next((key for key, parameters in given.items() if _is_control(key, parameters, production)), None)
    if control is None:
        control = "control"
        given = {control: {}, **given}
        draft.generated["/variants/control"] = "the production values"
    ordered = {control: given[control]} | given
    weights = equal_weights(list(ordered), steps)
    draft.generated["/variants"] = "weights " + " / ".join(f"{weight:g}" for weight in weights.values())
    return {
        key: {
            "weight": weights[key],
            "control": key == control,
            "parameters": _differing(parameters, production) if key != control else parameters,
        }
        for key, parameters in ordered.items()
    }


def _variant_key(name: str, taken: Mapping[str, JsonObject]) -> str:
    """The name as a key ("Smart Shuffle" is smart-shuffle); as it is, to be found fault with, when none can be made."""
    key = name if re.fullmatch(VARIANT_KEY, name) else slug(name, 63)
    return key if key and key not in taken else name


def _known_parameters(draft: Draft, key: str, parameters: JsonObject, surface: Surface) -> JsonObject:
    """The parameters under the surface's own names where case or `_`/`-` is all that differs."""
    given: JsonObject = {}
    for name, value in parameters.items():
        known = name if name in surface.parameters else same_name(name, surface.parameters) or name
        if known != name:
            draft.generated[f"/variants/{key}/parameters/{known}"] = f"read from {name}"
        given[known] = value
    return given


def _is_control(key: str, parameters: JsonObject, production: Mapping[str, JsonValue]) -> bool:
    return key == "control" or (not _differing(parameters, production) and key in ("baseline", "production", "current"))


def _differing(parameters: JsonObject, production: Mapping[str, JsonValue]) -> JsonObject:
    return {
        name: value
        for name, value in parameters.items()
        if name not in production or canonical(value) != canonical(production[name])
    }


def _metrics(draft: Draft, brief: Brief, catalogue: Catalogue, surface: Surface, earlier: Spec | None) -> JsonObject:
    metrics: JsonObject = {}
    for given, effect in brief.success_metrics.items():
        name = given if given in catalogue.metrics else same_name(given, catalogue.metrics) or given
        metric = catalogue.metrics.get(name)
        if effect is None and metric is not None and metric.status == "active":
            effect = metric.usual_effect
            draft.generated[f"/metrics/{name}/mde"] = f"{effect:+.2%}, the metric's usual effect"
        wanted: JsonObject = {} if effect is None else {"mde": effect}
        metrics[name] = {"role": "success", **wanted}
    if earlier is not None:
        for name, use in earlier.metrics.items():
            if use.role != "success" and name not in metrics:
                metrics[name] = use.model_dump(exclude_none=True)
    added = [name for name in surface.required_metrics if name not in metrics]
    for name in added:
        required = surface.required_metrics[name]
        entry: JsonObject = {"role": required.role}
        if required.role == "guardrail":
            entry["margin"] = catalogue.margin_of(brief.surface, name)
        metrics[name] = entry
    if added:
        draft.generated["/metrics"] = f"the surface requires {', '.join(added)}"
    return metrics


def _design(draft: Draft, brief: Brief, surface: Surface, earlier: Spec | None) -> None:
    """The design of the experiment iterated on, else the surface's, and sequential when the brief plans looks."""
    policy, asked = surface.policy, _object(brief.more.get("design"))
    design: JsonObject = {"kind": policy.design, "alpha": policy.alpha, "power": policy.power, "days": policy.days}
    if earlier is not None:
        design = earlier.design.model_dump(mode="json", exclude_unset=True)
    if "kind" not in asked and (asked.get("looks") or "spending" in asked or "rho" in asked):
        design["kind"] = "group_sequential"
        draft.generated["/design/kind"] = "group_sequential, as looks are planned"
    horizon = "fixed horizon" if asked.get("kind", design.get("kind")) == "fixed" else "group sequential"
    why = f"{horizon}, alpha {policy.alpha:g}, power {policy.power:g}: the surface's policy"
    if earlier is not None:
        why = f"as in {brief.iterates}"
    if brief.duration_days is not None:
        design["days"] = brief.duration_days
    draft.document["design"] = design
    draft.generated["/design"] = why


def _hypothesis(brief: Brief, metrics: JsonValue) -> JsonObject:
    success = [(name, _object(use)) for name, use in _object(metrics).items() if _object(use).get("role") == "success"]
    name, use = success[0] if success else ("", {})
    effect = use.get("mde")
    down = isinstance(effect, int | float) and effect < 0
    return {
        "change": brief.change,
        "because": brief.because,
        "metric": name,
        "direction": "decrease" if down else "increase",
    }


def _size(
    draft: Draft,
    brief: Brief,
    catalogue: Catalogue,
    free: Mapping[str, int],
    earlier: Spec | None,
    today: date,
    slots: int,
) -> None:
    """Choose the allocation and the duration that the caller left open; an iteration keeps those of before."""
    asked = {
        ALLOCATION: brief.allocation is not None or "allocation" in brief.more,
        DAYS: brief.duration_days is not None or "days" in _object(brief.more.get("design")),
        LOOKS: "looks" in _object(brief.more.get("design")),
    }
    open_places = frozenset(at for at, given in asked.items() if not given)
    if earlier is not None:
        if ALLOCATION in open_places:
            draft.document["allocation"] = rounded_up(earlier.allocation, slots)
        draft.generated |= dict.fromkeys(sorted(open_places - {LOOKS}), f"as in {brief.iterates}")
        return
    draft.document, reasons = choose_size(draft.document, catalogue, free, today, open_places, slots)
    draft.generated |= reasons
