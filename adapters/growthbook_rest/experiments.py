"""What the rules of an entry have in common, as an experiment of GrowthBook.

An entry has the shape of the one for a payload (`growthbook_payload/rules.py`). GrowthBook keeps of it the hash, the
coverage, the weights and the audience in the experiment's phase, the filters in the gate, and values in features.
"""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.errors import BackendFailed, Invalid
from ...core.model.delivery import Assignment
from ..descriptions import section_in
from ..growthbook_payload.rules import PREVIEW, compile_entry
from .gate import PREREQUISITE, filters_of, gate_name, whole_filters
from .settings import GrowthbookSettings
from .values import decoded, text

SUM_TOLERANCE = 1e-6
OFF = "active"
"""False in a rule that GrowthBook does not serve."""


def compiled(assignment: Assignment) -> JsonObject:
    """The entry for an assignment.

    Raises:
        Invalid: a previewed variant holds null, or the weights do not add up to 1: GrowthBook would take them, and its
            SDKs split evenly.
    """
    if abs(sum(assignment.weights) - 1) > SUM_TOLERANCE:
        raise Invalid(
            "Weights that do not add up to 1 cannot be delivered: GrowthBook's SDKs would split evenly.",
            next="Choose weights that add up to 1.",
            got=list[JsonValue](assignment.weights),
            code="not_expressible",
        )
    entry = compile_entry(assignment)
    rules: JsonObject = {
        name: [
            {**rule, "filters": list[JsonValue](whole_filters(rule["filters"]))} if "filters" in rule else rule
            for rule in objects(listed)
        ]
        for name, listed in rules_in(entry).items()
    }
    return {**entry, "rules": rules}


def rules_in(entry: JsonObject | None) -> JsonObject:
    """Feature -> its rules."""
    rules = (entry or {}).get("rules")
    return rules if isinstance(rules, dict) else {}


def defaults_in(entry: JsonObject | None) -> JsonObject:
    defaults = (entry or {}).get("defaults")
    return defaults if isinstance(defaults, dict) else {}


def is_preview(rule: JsonObject) -> bool:
    return PREVIEW in str(rule.get("id"))


def experiment_rule(entry: JsonObject) -> JsonObject:
    """The rule that its features have alike but for the values.

    Raises:
        BackendFailed: there is none, or they are not alike.
    """
    found = [rule for listed in rules_in(entry).values() for rule in objects(listed) if not is_preview(rule)]
    alike = [{name: value for name, value in rule.items() if name != "variations"} for rule in found]
    complete = found and all(name in found[0] for name in ("seed", "coverage", "weights", "meta", "filters"))
    if not complete or any(each != alike[0] for each in alike) or not objects(found[0]["filters"]):
        raise BackendFailed("The entry to write is not one for a GrowthBook server.")
    return found[0]


def is_open(entry: JsonObject) -> bool:
    """Whether an entry lets in other units than test units."""
    rule = experiment_rule(entry)
    return any(each.get("ranges") for each in objects(rule["filters"])[:1]) and rule.get(OFF) is not False


def lets_in(experiment: JsonObject | None) -> bool:
    """Whether an SDK gets the experiment: also one that has ended and releases a variant to everybody."""
    if experiment is None or experiment.get("archived") is True:
        return False
    summary = experiment.get("resultSummary")
    released = isinstance(summary, dict) and bool(summary.get("releasedVariationId"))
    served = released and isinstance(summary, dict) and summary.get("excludeFromPayload") is not True
    return experiment.get("status") == "running" or (experiment.get("status") == "stopped" and served)


def is_ours(experiment: JsonObject, environment: str, name: str) -> bool:
    """Whether we made an experiment, for this environment: by its description, or by the gate that it asks for."""
    gates = [str(each.get("id")) for each in objects(phase_of(experiment).get("prerequisites"))]
    said = (section_in(experiment) or {}).get("environment")
    return said == environment or gate_name(environment, name) in gates


def phase_of(experiment: JsonObject) -> JsonObject:
    """The phase that counts, which is the last."""
    phases = objects(experiment.get("phases"))
    return phases[-1] if phases else {}


def variation(variant: JsonValue) -> JsonObject:
    return {"id": variant, "key": variant, "name": variant}


def body_of(entry: JsonObject, name: str, where: GrowthbookSettings, there: JsonObject | None, now: str) -> JsonObject:
    """What an experiment has to be, but for its status. Each launch has a seed of its own, and a phase.

    Args:
        there: the experiment as it is.
    """
    rule, last = experiment_rule(entry), phase_of(there or {})
    goes_on = last.get("seed") == rule["seed"]
    earlier = objects((there or {}).get("phases"))[: -1 if goes_on else None]
    phase: JsonObject = {
        "name": "Main",
        "dateStarted": last.get("dateStarted") if goes_on else now,
        "seed": rule["seed"],
        "coverage": rule["coverage"],
        "condition": text(rule.get("condition", {})),
        "prerequisites": [{"id": gate_name(where.environment, name), "condition": PREREQUISITE}],
        "variationWeights": rule["weights"],
    }
    return {
        "hashAttribute": rule["hashAttribute"],
        "hashVersion": 2,
        "disableStickyBucketing": True,
        "variations": [variation(each.get("key")) for each in objects(rule["meta"])],
        "phases": [*(_kept(each) for each in earlier), phase],
    }


def _kept(phase: JsonObject) -> JsonObject:
    """A phase that is over, as GrowthBook takes what it gives."""
    weights = [each.get("weight") for each in objects(phase.get("trafficSplit"))]
    kept: JsonObject = {key: phase[key] for key in ("name", "dateStarted", "seed", "coverage") if key in phase}
    kept |= {key: phase[key] for key in ("dateEnded", "reasonForStopping") if phase.get(key)}
    condition: JsonObject = {"condition": phase.get("targetingCondition") or "{}"}
    return {**kept, **condition, "prerequisites": phase.get("prerequisites") or [], "variationWeights": weights}


def seen(experiment: JsonObject | None, gate: JsonObject | None, name: str, environment: str) -> JsonObject:
    """The rule of an entry without its values, as GrowthBook has it."""
    if experiment is None:
        return {"id": name, OFF: False}
    phase = phase_of(experiment)
    due: list[JsonValue] = [{"id": gate_name(environment, name), "condition": PREREQUISITE}]
    rule: JsonObject = {
        "id": name,
        "key": experiment.get("trackingKey"),
        "phase": "0",
        "filters": filters_of(gate, environment),
        "hashAttribute": experiment.get("hashAttribute"),
        "hashVersion": experiment.get("hashVersion"),
        "seed": phase.get("seed"),
        "coverage": phase.get("coverage"),
        "weights": _weights(experiment, phase),
        "meta": [{"key": each.get("key")} for each in objects(experiment.get("variations"))],
        "disableStickyBucketing": experiment.get("disableStickyBucketing", False),
    }
    condition = decoded(phase.get("targetingCondition"), "json")
    if condition not in ("", {}, None):
        rule["condition"] = condition
    if phase.get("prerequisites") != due:
        rule["prerequisites"] = phase.get("prerequisites", [])
    # What we never set narrows or widens it.
    rule |= {key: phase[key] for key in ("namespace", "savedGroupTargeting") if phase.get(key)}
    rule |= {key: experiment[key] for key in ("fallbackAttribute",) if experiment.get(key)}
    released = lets_in(experiment) and experiment.get("status") == "stopped"
    return {**rule, "released": True} if released else rule


def _weights(experiment: JsonObject, phase: JsonObject) -> list[JsonValue]:
    split = {str(each.get("variationId")): each.get("weight") for each in objects(phase.get("trafficSplit"))}
    return [split.get(str(each.get("variationId"))) for each in objects(experiment.get("variations"))]
