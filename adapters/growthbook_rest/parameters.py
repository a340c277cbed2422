"""What a feature that an experiment varies has to be: our rules, and a default that is ours to set."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from .drafts import Edit
from .experiments import defaults_in, is_preview, rules_in
from .features import name_in, ordered, ours_in, require_deliverable, wanted_rule
from .gate import holds_here, is_on
from .marks import default_text, set_default
from .values import ValueType, encoded, type_for


def new_parameter(name: str, entry: JsonObject) -> tuple[ValueType, str, str]:
    """(type, default, description) of a feature that we make for an entry."""
    default, rules = defaults_in(entry).get(name), objects(rules_in(entry)[name])
    kind = type_for([default, *(value for rule in rules for value in _values_of(rule))])
    return kind, encoded(default, kind, name), default_text(default)


def wanted_rules(feature: JsonObject, entry: JsonObject | None, known: JsonValue, environment: str) -> list[JsonObject]:
    """The rules of an entry in a feature, as GrowthBook takes them; none without an entry.

    Raises:
        BackendFailed: the feature's type cannot hold a value.
    """
    rules = objects(rules_in(entry).get(str(feature["id"])))
    return [wanted_rule(rule, feature, known, environment) for rule in rules]


def parameter_edit(
    feature: JsonObject, entry: JsonObject | None, experiment: str, known: JsonValue, environment: str
) -> Edit:
    """What is to change in a feature, so that it holds an entry's rules, or none of the experiment's.

    Args:
        known: the experiment's id in GrowthBook; None where it is not there.

    Raises:
        BackendFailed: the feature is somebody else's and cannot hold them.
    """
    mine, _ = set_default(feature)
    require_deliverable(feature, objects(rules_in(entry).get(str(feature["id"]))), environment, mine)
    there = ours_in(feature, experiment, known, environment)
    wanted = wanted_rules(feature, entry, known, environment)
    alike = len(there) == len(wanted) and all(map(_is_as, there, wanted))
    description, default = _default_of(feature, entry)
    return Edit(
        description=description,
        default=default,
        enabled=_switched(feature, there, bool(wanted), environment),
        unarchived=mine and bool(wanted) and feature.get("archived") is True,
        drop=() if alike else [str(each.get("id")) for each in there],
        add=() if alike else wanted,
        order=None if alike else lambda rules: ordered(objects(feature.get("rules")), rules, experiment, known),
    )


def _default_of(feature: JsonObject, entry: JsonObject | None) -> tuple[str | None, str | None]:
    """(description, default) that are to change."""
    name = str(feature["id"])
    value = defaults_in(entry).get(name)
    mine, last = set_default(feature, value)
    if not mine or name not in defaults_in(entry):
        return None, None
    text = encoded(value, feature.get("valueType"), name)
    told = default_text(value) if not same(last, value) else None
    return told, text if feature.get("defaultValue") != text else None


def _switched(feature: JsonObject, there: list[JsonObject], needed: bool, environment: str) -> bool | None:
    """Whether to turn a feature on or off: one of ours is on while an experiment needs it, and never else."""
    mine, on = set_default(feature)[0], is_on(feature, environment)
    if needed:
        return None if on else True
    others = [each for each in objects(feature.get("rules")) if each not in there]
    unused = mine and on and not any(holds_here(each, environment) for each in others)
    return False if unused else None


def _values_of(rule: JsonObject) -> list[JsonValue]:
    if is_preview(rule):
        return [rule.get("force")]
    values = rule.get("variations")
    return values if isinstance(values, list) else []


def _is_as(there: JsonObject, wanted: JsonObject) -> bool:
    """Whether a rule of GrowthBook's is as it was wanted. It adds fields of its own, which are empty then."""
    narrowed = any(there.get(name) for name in ("savedGroupTargeting", "prerequisites", "scheduleRules"))
    asked = {"condition": "", **wanted}
    return (
        not narrowed
        and name_in(there) == name_in(wanted)
        and all(
            same(there.get(name) if name != "condition" else there.get(name) or "", value)
            for name, value in asked.items()
        )
    )
