"""Our entries inside a payload, beside rules and features that others may have written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue, ValidationError

from ...core.documents import JsonObject, same
from ...core.errors import BackendFailed
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.model.strict import StrictModel
from ..documents import member
from ..fences import fence_of, with_fence
from ..owners import with_owner
from .rules import PREVIEW

SECTION = "crossfade"
"""A key of the payload that no SDK reads. It says which features an entry covers, and which defaults it set; what
`find_entry` gives back is what the SDKs see."""


class Entry(StrictModel):
    defaults: dict[str, JsonValue]
    rules: dict[str, list[JsonObject]]


class Covered(StrictModel):
    """The features whose default, as we set it, and whose rules belong to an entry."""

    defaults: dict[str, JsonValue]
    rules: list[str]


def find_entry(payload: JsonObject, experiment: str) -> JsonObject | None:
    """The entry as the live features have it, or None when neither a rule nor the bookkeeping knows the experiment.

    A covered feature that has lost its rules shows as [], a lost default is absent, and a rule of the experiment in
    a feature that is not covered shows too.

    Raises:
        BackendFailed: the payload is not one.
    """
    features = member(payload, "features")
    covered = _covered(_entries(payload).get(experiment))
    live: dict[str, list[JsonValue]] = {}
    for name, feature in features.items():
        ours = [rule for rule in rules_of(feature) if _belongs(rule, experiment)]
        if ours:
            live[name] = ours
    if covered is None and not live:
        return None
    covered = covered or Covered(defaults={}, rules=[])
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
        for rule in rules_of(feature):
            name = _id(rule).split(PREVIEW)[0]
            if re.fullmatch(EXPERIMENT_KEY, name) and (layer is None or layer in _open_layers(rule)):
                found.add(name)
    return sorted(found)


def _open_layers(rule: JsonValue) -> list[JsonValue]:
    """The seeds of a rule's filters that let any unit through."""
    filters = rule.get("filters") if isinstance(rule, dict) else None
    listed = filters if isinstance(filters, list) else []
    return [each.get("seed") for each in listed if isinstance(each, dict) and each.get("ranges")]


def covered_experiments(payload: JsonObject) -> frozenset[str]:
    """The experiments that our bookkeeping names."""
    return frozenset(_entries(payload))


def last_fence(payload: JsonObject, experiment: str) -> int:
    """The fence of the entry's last write."""
    return fence_of(section_of(payload), experiment)


def fitted_entry(payload: JsonObject, entry: JsonObject) -> JsonObject:
    """The entry as it can be put beside what others have: without the defaults that are not ours to set."""
    features, wanted = member(payload, "features"), _entry(entry)
    mine = {name: value for name, value in wanted.defaults.items() if _may_set(payload, features.get(name), name)}
    return {**entry, "defaults": mine}


def due_entry(payload: JsonObject, experiment: str, delivered: JsonObject) -> JsonObject:
    """A delivered entry as it has to be in the payload now: a default that several entries set is as the last of them
    set it, and one that has become somebody else's is left out."""
    covered, wanted = _covered(_entries(payload).get(experiment)), _entry(delivered).defaults
    if covered is None:
        return fitted_entry(payload, delivered)
    ours = {name: value for name, value in covered.defaults.items() if name in wanted}
    others: JsonObject = {name: value for name, value in wanted.items() if name not in ours}
    left = _entry(fitted_entry(payload, {"defaults": others, "rules": {}})).defaults if others else {}
    return {**delivered, "defaults": {**ours, **left}}


def rules_before(payload: JsonObject, experiment: str) -> list[str]:
    """Rules that are no experiment's of ours and stand before this one's: the first that matches a unit wins."""
    known, found = _entries(payload), list[str]()
    for name, feature in sorted(member(payload, "features").items()):
        rules = rules_of(feature)
        ours = [index for index, rule in enumerate(rules) if _belongs(rule, experiment) and not _previews(rule)]
        others = [rule for rule in rules[: ours[0]] if not _belongs(rule, experiment)] if ours else []
        found += [
            f"{name}: {_id(rule) or 'a rule without an id'}"
            for rule in others
            if _id(rule).split(PREVIEW)[0] not in known
        ]
    return found


def place_entry(
    payload: JsonObject, experiment: str, after: JsonObject | None, fence: int, owner: str | None
) -> JsonObject:
    """The payload with the entry put, or taken out: then the defaults that no other entry needs go too, and features
    in which nothing is left.

    Raises:
        BackendFailed: the payload is not one, or the entry has not the shape that `find_entry` gives.
    """
    entry, features = _entry(after), dict(member(payload, "features"))
    covered = _all_covered(payload)
    before = covered.pop(experiment, Covered(defaults={}, rules=[]))
    held = {name for name, feature in features.items() if any(_belongs(rule, experiment) for rule in rules_of(feature))}
    defaults = {name: each for name, each in entry.defaults.items() if _may_set(payload, features.get(name), name)}
    needed = defaults.keys() | {name for each in covered.values() for name in each.defaults}
    for name in held | entry.rules.keys() | defaults.keys() | before.defaults.keys():
        feature = dict(member(features, name))
        if name in defaults:
            feature["defaultValue"] = defaults[name]
        elif name in before.defaults and name not in needed:
            feature = _without_default(feature, before.defaults[name])
        feature["rules"] = merged_rules(feature, experiment, list[JsonValue](entry.rules.get(name, [])))
        features[name] = feature
        if feature == {"rules": []}:
            del features[name]
    for each in covered.values():
        each.defaults.update({name: value for name, value in defaults.items() if name in each.defaults})
    if after is not None:
        covered[experiment] = Covered(defaults=dict(sorted(defaults.items())), rules=sorted(entry.rules))
    entries: JsonObject = {name: each.model_dump() for name, each in sorted(covered.items())}
    section = with_owner(with_fence(section_of(payload), experiment, fence, entries), owner)
    return {
        "status": 200,
        **payload,
        "features": dict(sorted(features.items())),
        SECTION: {**section, "entries": entries},
    }


def _may_set(payload: JsonObject, feature: JsonValue, name: str) -> bool:
    """A default that others set stays as it is; one that an entry of ours set follows production."""
    there = isinstance(feature, dict) and "defaultValue" in feature
    return not there or any(name in each.defaults for each in _all_covered(payload).values())


def _without_default(feature: JsonObject, ours: JsonValue) -> JsonObject:
    """The feature without the default that we set, unless somebody has set another one since."""
    if not same(feature.get("defaultValue"), ours):
        return feature
    return {name: value for name, value in feature.items() if name != "defaultValue"}


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


def merged_rules(feature: JsonObject, experiment: str, ours: list[JsonValue]) -> list[JsonValue]:
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


def rules_of(feature: JsonValue) -> list[JsonValue]:
    """The rules of a feature in the order in which they are tried; none where they are no list."""
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


def section_of(payload: JsonObject) -> JsonObject:
    """Our bookkeeping, {} where it is damaged: what the SDKs read is whole without it, and a stop must get through."""
    section = payload.get(SECTION)
    return section if isinstance(section, dict) else {}


def _entries(payload: JsonObject) -> JsonObject:
    entries = section_of(payload).get("entries")
    return entries if isinstance(entries, dict) else {}


def _all_covered(payload: JsonObject) -> dict[str, Covered]:
    """What the bookkeeping says of each experiment, where that can be read."""
    found: dict[str, Covered] = {}
    for name, entry in _entries(payload).items():
        covered = _covered(entry)
        if covered is not None:
            found[name] = covered
    return found


def _covered(entry: JsonValue) -> Covered | None:
    try:
        return Covered.model_validate(entry)
    except ValidationError:
        return None


def _entry(after: JsonObject | None) -> Entry:
    try:
        return Entry(defaults={}, rules={}) if after is None else Entry.model_validate(after)
    except ValidationError as error:
        raise BackendFailed("The entry to write is not one for a GrowthBook payload.") from error
