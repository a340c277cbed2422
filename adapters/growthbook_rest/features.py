"""Our rules in the features that an experiment varies, beside those of others."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.errors import BackendFailed
from ..growthbook_payload.payload import merged_rules
from ..growthbook_payload.rules import PREVIEW
from .experiments import OFF, is_preview
from .gate import holds_here, is_on
from .values import decoded, encoded, text

_SAYS = "Crossfade: "
"""Begins the description of each rule of ours; then comes its id, since GrowthBook gives rules ids of its own."""


def name_in(rule: JsonObject) -> str:
    """The id that we gave a rule; "" for one of others."""
    said = str(rule.get("description") or "")
    return said.removeprefix(_SAYS) if said.startswith(_SAYS) else ""


def ours_in(feature: JsonObject | None, experiment: str, known: JsonValue, environment: str) -> list[JsonObject]:
    """The experiment's rules in a feature for our environment, in their order.

    Args:
        known: the id of the experiment in GrowthBook; None where it is not there.
    """
    rules = [rule for rule in objects((feature or {}).get("rules")) if holds_here(rule, environment)]
    return [rule for rule in rules if _belongs(rule, experiment, known)]


def _belongs(rule: JsonObject, experiment: str, known: JsonValue) -> bool:
    if rule.get("type") == "experiment-ref" and known is not None and rule.get("experimentId") == known:
        return True
    name = name_in(rule)
    return name == experiment or name.startswith(experiment + PREVIEW)


def seen_rule(rule: JsonObject, feature: JsonObject, shared: JsonObject, environment: str, serves: bool) -> JsonObject:
    """A rule of ours in the shape of an entry.

    Args:
        shared: of the experiment's rule, all but the values.
        serves: whether the experiment is served as it should be.
    """
    kind, live = feature.get("valueType"), rule.get("enabled", True) is True and is_on(feature, environment)
    found: JsonObject
    if rule.get("type") == "experiment-ref":
        values = {str(each.get("variationId")): each.get("value") for each in objects(rule.get("variations"))}
        variants = [str(each.get("key")) for each in objects(shared.get("meta"))]
        found = {**shared, "variations": [decoded(values.get(each), kind) for each in variants]}
        live = live and serves
        if rule.get("condition") not in (None, "", "{}"):
            found["narrowed"] = decoded(rule.get("condition"), "json")
    else:
        condition, value = decoded(rule.get("condition"), "json"), decoded(rule.get("value"), kind)
        found = {"id": name_in(rule), "condition": condition, "force": value}
        found |= {name: rule[name] for name in ("coverage",) if rule.get("type") != "force" and name in rule}
    if rule.get("allEnvironments") is True or rule.get("environments") != [environment]:
        found["environments"] = "all" if rule.get("allEnvironments") is True else rule.get("environments")
    # What we never set narrows it.
    found |= {
        f"rule_{name}": rule[name]
        for name in ("savedGroupTargeting", "prerequisites", "scheduleRules")
        if rule.get(name)
    }
    return found if live else {**found, OFF: False}


def wanted_rule(rule: JsonObject, feature: JsonObject, known: JsonValue, environment: str) -> JsonObject:
    """A rule of an entry as GrowthBook takes it.

    Raises:
        BackendFailed: the feature's type cannot hold a value.
    """
    name, kind = str(feature.get("id")), feature.get("valueType")
    scope: JsonObject = {
        "description": f"{_SAYS}{rule.get('id')}",
        "enabled": True,
        "allEnvironments": False,
        "environments": [environment],
    }
    if is_preview(rule):
        forced = encoded(rule.get("force"), kind, name)
        return {"type": "force", "value": forced, "condition": text(rule.get("condition", {})), **scope}
    values = rule.get("variations")
    variants = [str(each.get("key")) for each in objects(rule.get("meta"))]
    variations: list[JsonValue] = [
        {"variationId": variant, "value": encoded(value, kind, name)}
        for variant, value in zip(variants, values if isinstance(values, list) else [], strict=False)
    ]
    return {"type": "experiment-ref", "experimentId": known, "variations": variations, **scope}


def ordered(before: list[JsonObject], rules: list[JsonObject], experiment: str, known: JsonValue) -> list[str]:
    """The ids of a feature's rules in the order that they are to have: as in a payload, test units of all experiments
    first, and an experiment's rule where it was.

    Args:
        before: the rules as they were; `rules` has ours anew, at the end.
    """

    def as_payload(rule: JsonObject) -> JsonObject:
        own = _belongs(rule, experiment, known)
        name = name_in(rule) or (experiment if own else f"#{rule.get('id')}")
        return {"id": name, "rule": rule.get("id")}

    ours = [as_payload(rule) for rule in rules if _belongs(rule, experiment, known)]
    left = {str(rule.get("id")) for rule in rules}
    others = [as_payload(rule) for rule in before if _belongs(rule, experiment, known) or str(rule.get("id")) in left]
    placed = merged_rules({"rules": list[JsonValue](others)}, experiment, list[JsonValue](ours))
    return [str(each.get("rule")) for each in objects(placed)]


def rules_before(feature: JsonObject, experiment: str, known: JsonValue, environment: str) -> list[str]:
    """Rules of others that come before the experiment's and can take its units, by their feature and id."""
    rules = [rule for rule in objects(feature.get("rules")) if holds_here(rule, environment)]
    spots = [at for at, rule in enumerate(rules) if _belongs(rule, experiment, known) and not name_in(rule).count(":")]
    live = [rule for rule in rules[: spots[0]] if rule.get("enabled", True) is True] if spots else []
    others = [rule for rule in live if not name_in(rule) and not _belongs(rule, experiment, known)]
    return [f"{feature.get('id')}: {rule.get('id')}" for rule in others]


def require_deliverable(feature: JsonObject, rules: list[JsonObject], environment: str, mine: bool) -> None:
    """
    Raises:
        BackendFailed: a feature's type cannot hold what the rules show, or it is off and not ours to turn on.
    """
    for rule in rules:
        wanted_rule(rule, feature, None, environment)
    if rules and not mine and not is_on(feature, environment):
        raise BackendFailed(
            "A feature that an experiment varies is off in this environment of GrowthBook, and is somebody else's.",
            next="A person turns the feature on there, then repeats the call.",
            got=str(feature.get("id")),
        )
