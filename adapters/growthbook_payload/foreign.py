"""What others run in a payload: rules that no experiment of ours has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.ports.backend import Foreign
from ..documents import member
from ..foreign import EVERYBODY
from .conditions import read_condition
from .payload import covered_experiments, rules_of
from .rules import PREVIEW

_PLACE = re.compile(r"([a-z][a-z0-9_-]{0,62})\.([a-z][a-z0-9_-]{0,62})")
"""The name of a feature that is a parameter of a surface."""
_READ = {
    *("id", "key", "condition", "coverage", "filters", "namespace", "force", "variations", "weights", "active"),
    # Who is in does not depend on the following.
    *("hashAttribute", "hashVersion", "seed", "meta", "name", "phase", "tracks", "disableStickyBucketing"),
    *("bucketVersion", "minBucketVersion", "fallbackAttribute"),
}


@dataclass(frozen=True)
class _Rule:
    """A rule with what could be read of it."""

    name: str
    feature: str
    audience: JsonObject
    share: float | None
    unread: list[str]


def foreign_in(payload: JsonObject) -> list[Foreign]:
    """What others run, by surface and name: the rules of one name on one surface are one.

    Raises:
        BackendFailed: the payload is not one.
    """
    ours, groups = covered_experiments(payload), dict[tuple[str, str], list[_Rule]]()
    for feature, each in sorted(member(payload, "features").items()):
        place = _PLACE.fullmatch(feature)
        for number, rule in enumerate(rules_of(each), start=1):
            read = None if _is_ours(rule, ours) or _is_off(rule) else _read(feature, number, rule)
            if read is not None:
                groups.setdefault((place[1] if place else "", read.name), []).append(read)
    return [_joined(surface, name, rules) for (surface, name), rules in sorted(groups.items())]


def _is_ours(rule: JsonValue, ours: frozenset[str]) -> bool:
    """Whether a rule is an experiment's of ours, or has the form of one that was: `crossfade clean` lists those."""
    if not isinstance(rule, dict):
        return False
    name, key = str(rule.get("id", "")), str(rule.get("key", ""))
    base = name.split(PREVIEW)[0]
    if base in ours or key in ours:
        return True
    return re.fullmatch(EXPERIMENT_KEY, base) is not None and (PREVIEW in name or (name == key and "filters" in rule))


def _is_off(rule: JsonValue) -> bool:
    return isinstance(rule, dict) and rule.get("active") is False


def _read(feature: str, number: int, rule: JsonValue) -> _Rule:
    if not isinstance(rule, dict):
        return _Rule(f"{feature}#{number}", feature, EVERYBODY, None, [f"{feature}: rule {number} is no object"])
    audience, unread = read_condition(rule["condition"]) if "condition" in rule else (EVERYBODY, [])
    share = _share(rule)
    if share is None:
        unread.append("its share cannot be told from its coverage, namespace and filters")
    unread += [f"{name} of its rule has no word here" for name in sorted(rule.keys() - _READ)]
    name = str(rule.get("key") or rule.get("id") or f"{feature}#{number}")
    return _Rule(name, feature, audience, share, [f"{feature}: {each}" for each in unread])


def _share(rule: JsonObject) -> float | None:
    """Share of its audience that a rule lets in: the coverage of what its namespace and its filters leave; None where
    one of them is no share. Filters with one seed would not be independent, and are rare enough to be taken for it."""
    if "ranges" in rule or "parentConditions" in rule:
        return None
    parts: list[float | None] = [_fraction(rule.get("coverage", 1.0))]
    namespace, filters = rule.get("namespace"), rule.get("filters", [])
    if namespace is not None:
        parts.append(_width([namespace[1:]]) if isinstance(namespace, list) else None)
    for each in filters if isinstance(filters, list) else [None]:
        parts.append(_width(each.get("ranges")) if isinstance(each, dict) else None)
    known = [part for part in parts if part is not None]
    return round(prod(known), 6) if len(known) == len(parts) else None


def _fraction(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 else None


def _width(ranges: JsonValue) -> float | None:
    """The units in ranges of a hash, each [from, to) of 0-1."""
    if not isinstance(ranges, list):
        return None
    width = 0.0
    for each in ranges:
        bounds = [_fraction(bound) for bound in each] if isinstance(each, list) else []
        if len(bounds) != 2 or bounds[0] is None or bounds[1] is None or bounds[0] > bounds[1]:
            return None
        width += bounds[1] - bounds[0]
    return min(width, 1.0)


def _joined(surface: str, name: str, rules: list[_Rule]) -> Foreign:
    """One name's rules on one surface: all that they set, and everybody whom any of them reaches."""
    audiences = list(_distinct(rule.audience for rule in rules))
    whole: JsonObject = {"any": list[JsonValue](audiences)} if len(audiences) > 1 else audiences[0]
    shares = {rule.share for rule in rules}
    alike = len(audiences) == len(shares) == 1
    unread = list(dict.fromkeys(each for rule in rules for each in rule.unread))
    if not alike and None not in shares:
        unread.append("its rules let different units in, so that its share cannot be told")
    if not surface:
        features = ", ".join(dict.fromkeys(rule.feature for rule in rules))
        unread.append(f"{features}: the name is no <surface>.<parameter>")
    touched = sorted({rule.feature.partition(".")[2] for rule in rules}) if surface else []
    audience = EVERYBODY if EVERYBODY in audiences else whole
    return Foreign(name, surface or None, touched, audience, rules[0].share if alike else None, None, unread)


def _distinct(audiences: Iterable[JsonObject]) -> Iterator[JsonObject]:
    seen: list[JsonObject] = []
    for each in audiences:
        if each not in seen:
            seen.append(each)
            yield each
