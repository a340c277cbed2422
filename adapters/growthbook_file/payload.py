"""Our entries inside a payload, beside rules and features that others may have written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue, ValidationError

from ...core.documents import JsonObject
from ...core.errors import BackendFailed
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.model.strict import StrictModel
from ..fences import fence_of, with_fence
from ..json_file import member
from .rules import PREVIEW

SECTION = "crossfade"
"""A key of the payload that no SDK reads. It says which features an entry covers and never what is in them, so that
what `find_entry` gives back is what the SDKs see."""


class Entry(StrictModel):
    defaults: dict[str, JsonValue]
    rules: dict[str, list[JsonObject]]


class Covered(StrictModel):
    """The features whose default, and whose rules, belong to an entry."""

    defaults: list[str]
    rules: list[str]


def find_entry(payload: JsonObject, experiment: str) -> JsonObject | None:
    """The entry as the live features have it, or None when neither a rule nor the bookkeeping knows the experiment.

    A covered feature that has lost its rules shows as [], a lost default is absent, and a rule of the experiment in
    a feature that is not covered shows too.

    Raises:
        BackendFailed: the payload is not one.
    """
    features = member(payload, "features")
    covered = _covered(payload, experiment)
    live: dict[str, list[JsonValue]] = {}
    for name, feature in features.items():
        ours = [rule for rule in _rules(feature) if _belongs(rule, experiment)]
        if ours:
            live[name] = ours
    if covered is None and not live:
        return None
    covered = covered or Covered(defaults=[], rules=[])
    defaults: JsonObject = {}
    for name in sorted(covered.defaults):
        feature = features.get(name)
        if isinstance(feature, dict) and "defaultValue" in feature:
            defaults[name] = feature["defaultValue"]
    rules: JsonObject = {name: live.get(name, []) for name in sorted({*covered.rules, *live})}
    return {"defaults": defaults, "rules": rules}


def experiments_in(payload: JsonObject, layer: str | None) -> list[str]:
    """The experiments that have rules here, or whose rules let units of a layer in, sorted.

    Raises:
        BackendFailed: the payload is not one.
    """
    found: set[str] = set()
    for feature in member(payload, "features").values():
        for rule in _rules(feature):
            name = _id(rule).split(PREVIEW)[0]
            if re.fullmatch(EXPERIMENT_KEY, name) and (layer is None or layer in _open_layers(rule)):
                found.add(name)
    return sorted(found)


def _open_layers(rule: JsonValue) -> list[JsonValue]:
    """The seeds of a rule's filters that let any unit through."""
    filters = rule.get("filters") if isinstance(rule, dict) else None
    listed = filters if isinstance(filters, list) else []
    return [each.get("seed") for each in listed if isinstance(each, dict) and each.get("ranges")]


def last_fence(payload: JsonObject, experiment: str) -> int:
    """The fence of the entry's last write."""
    return fence_of(_section(payload), experiment)


def place_entry(payload: JsonObject, experiment: str, after: JsonObject | None, fence: int) -> JsonObject:
    """The payload with the entry put, or taken out, which leaves its features with their defaults.

    Raises:
        BackendFailed: the payload is not one, or the entry has not the shape that `find_entry` gives.
    """
    entry = _entry(after)
    features = dict(member(payload, "features"))
    held = {name for name, feature in features.items() if any(_belongs(rule, experiment) for rule in _rules(feature))}
    for name in held | entry.rules.keys() | entry.defaults.keys():
        feature = dict(member(features, name))
        if name in entry.defaults:
            feature["defaultValue"] = entry.defaults[name]
        feature["rules"] = _merged(feature, experiment, list[JsonValue](entry.rules.get(name, [])))
        features[name] = feature
    section = with_fence(_section(payload), experiment, fence)
    entries = {name: covered for name, covered in _entries(payload).items() if name != experiment}
    if after is not None:
        entries[experiment] = Covered(defaults=sorted(entry.defaults), rules=sorted(entry.rules)).model_dump()
    return {
        "status": 200,
        **payload,
        "features": dict(sorted(features.items())),
        SECTION: {**section, "entries": dict(sorted(entries.items()))},
    }


def stamped(payload: JsonObject, now: datetime) -> JsonObject:
    """The payload with `dateUpdated` later than before: the JavaScript SDK takes an equal one for nothing new."""
    now = now.astimezone(UTC).replace(microsecond=now.microsecond // 1000 * 1000)
    try:
        last = datetime.fromisoformat(str(payload.get("dateUpdated")))
        last = last if last.tzinfo else last.replace(tzinfo=UTC)
        now = max(now, last.astimezone(UTC) + timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        pass  # none yet, or none that can be followed
    return {**payload, "dateUpdated": now.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def _merged(feature: JsonObject, experiment: str, ours: list[JsonValue]) -> list[JsonValue]:
    """The feature's rules with ours put in place; the first rule that matches a unit wins.

    Previews go to the head, after those of other experiments, because a previewed unit may lie in the buckets of any
    experiment. The experiment's rule stays where it was and else goes to the end. The others keep their order.
    """
    rules = feature.get("rules", [])
    if not isinstance(rules, list):
        raise BackendFailed(
            "A feature of the payload has rules that are not a list.",
            next="Repair that feature by hand; nothing was written.",
        )
    others = [rule for rule in rules if not _belongs(rule, experiment)]
    head = next((index for index, rule in enumerate(others) if not _previews(rule)), len(others))
    spot = len(others)
    for index, rule in enumerate(rules):
        if _belongs(rule, experiment) and not _previews(rule):
            spot = max(head, sum(not _belongs(each, experiment) for each in rules[:index]))
            break
    previews = [rule for rule in ours if _previews(rule)]
    return [
        *others[:head],
        *previews,
        *others[head:spot],
        *(rule for rule in ours if not _previews(rule)),
        *others[spot:],
    ]


def _rules(feature: JsonValue) -> list[JsonValue]:
    rules = feature.get("rules") if isinstance(feature, dict) else None
    return rules if isinstance(rules, list) else []


def _id(rule: JsonValue) -> str:
    return str(rule.get("id", "")) if isinstance(rule, dict) else ""


def _previews(rule: JsonValue) -> bool:
    return PREVIEW in _id(rule)


def _belongs(rule: JsonValue, experiment: str) -> bool:
    """True for a rule of the experiment, also for one that somebody else gave its tracking key."""
    if not isinstance(rule, dict):
        return False
    return experiment in (rule.get("id"), rule.get("key")) or _id(rule).startswith(experiment + PREVIEW)


def _section(payload: JsonObject) -> JsonObject:
    """Our bookkeeping, {} where it is damaged: what the SDKs read is whole without it, and a stop must get through."""
    section = payload.get(SECTION)
    return section if isinstance(section, dict) else {}


def _entries(payload: JsonObject) -> JsonObject:
    entries = _section(payload).get("entries")
    return entries if isinstance(entries, dict) else {}


def _covered(payload: JsonObject, experiment: str) -> Covered | None:
    """What the bookkeeping says of an experiment; None where it says nothing that can be read."""
    try:
        return Covered.model_validate(_entries(payload).get(experiment))
    except ValidationError:
        return None


def _entry(after: JsonObject | None) -> Entry:
    try:
        return Entry(defaults={}, rules={}) if after is None else Entry.model_validate(after)
    except ValidationError as error:
        raise BackendFailed("The entry to write is not one for a GrowthBook payload.") from error
