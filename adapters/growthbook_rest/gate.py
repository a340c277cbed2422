"""The buckets of a layer and the shares of holdouts, as the rules of a gate.

A gate is a boolean feature that an experiment asks for by a prerequisite: true for the units that pass the filters of
our payload. A rollout rule with the layer's seed decides by the very hash of a filter, but knows one bound: `coverage`.
So a range [lo, hi) is two rules, since the first that matches wins: below lo false, below hi true.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.model.plan import BUCKETS

PREREQUISITE = '{"value": true}'
_TRUE, _FALSE = "true", "false"


def gate_name(environment: str, experiment: str) -> str:
    return f"{gates_of(environment)}{experiment}"


def gates_of(environment: str) -> str:
    """Begins the name of every gate."""
    return f"crossfade.gate.{environment}."


def whole_filters(filters: JsonValue) -> list[JsonObject]:
    """The filters with their bounds at buckets: the hash knows no finer ones."""
    return [
        {**each, "ranges": [[_count(bound) / BUCKETS for bound in part] for part in _ranges(each)]}
        for each in objects(filters)
    ]


def gate_rules(filters: JsonValue, environment: str) -> list[JsonObject]:
    """The rules of the gate for the layer's filter, which is the first, and the holdouts'."""
    layer, *holdouts = objects(filters)
    rules = [
        _rule(each, environment, _FALSE, _count(part[0])) for each in holdouts for part in _ranges(each) if part[0] > 0
    ]
    reached = 0
    for lo, hi in sorted((_count(lo), _count(hi)) for lo, hi in _ranges(layer)):
        if lo > reached:
            rules.append(_rule(layer, environment, _FALSE, lo))
        rules.append(_rule(layer, environment, _TRUE, hi))
        reached = hi
    if not reached:
        rules.append(_rule(layer, environment, _FALSE, BUCKETS))  # keeps the name of the layer
    return rules


def filters_of(gate: JsonObject | None, environment: str) -> JsonValue:
    """The filters that a gate's rules say; the rules themselves where they are not as we make them."""
    rules = [each for each in objects((gate or {}).get("rules")) if holds_here(each, environment)]
    read = [_read(each) for each in rules]
    if not rules or any(each is None for each in read):
        return list[JsonValue](rules)
    known = [each for each in read if each is not None]
    (attribute, seed, _, _) = known[-1]
    holdouts = [each for each in known if each[1] != seed]
    ranges, lo = list[JsonValue](), 0
    for _, _, passes, count in known[len(holdouts) :]:
        if passes:
            ranges.append([lo / BUCKETS, count / BUCKETS])
        lo = count
    filters: list[JsonValue] = [_filter(attribute, seed, ranges)]
    filters += [_filter(name, salt, [[count / BUCKETS, 1.0]]) for name, salt, _, count in holdouts]
    due = [] if not isinstance(filters[0], dict) else gate_rules(filters, environment)
    same = [_read(each) for each in due] == read
    return filters if same else list[JsonValue](rules)


def layers_of(gate: JsonObject, environment: str) -> Iterator[str]:
    """The seeds of the layers whose units a gate lets through."""
    filters = objects(filters_of(gate, environment))
    for each in filters[:1]:
        if each.get("ranges"):
            yield str(each.get("seed"))


def holds_here(rule: JsonObject, environment: str) -> bool:
    """Whether a rule of a feature is for our environment."""
    environments = rule.get("environments")
    return rule.get("allEnvironments") is True or (isinstance(environments, list) and environment in environments)


def is_on(feature: JsonObject, environment: str) -> bool:
    """Whether an SDK of our environment gets a feature."""
    environments = feature.get("environments")
    here = environments.get(environment) if isinstance(environments, dict) else None
    return feature.get("archived") is not True and isinstance(here, dict) and here.get("enabled") is True


def _ranges(filtered: JsonObject) -> list[list[float]]:
    ranges, found = filtered.get("ranges"), list[list[float]]()
    for each in ranges if isinstance(ranges, list) else []:
        bounds = [float(bound) for bound in each if isinstance(bound, int | float)] if isinstance(each, list) else []
        if len(bounds) == 2:
            found.append(bounds)
    return found


def _count(share: float) -> int:
    """How many buckets lie below a share: those with bucket / 10,000 < share."""
    count = int(share * BUCKETS)
    while count / BUCKETS < share:
        count += 1
    while count and (count - 1) / BUCKETS >= share:
        count -= 1
    return min(count, BUCKETS)


def _rule(filtered: JsonObject, environment: str, value: str, count: int) -> JsonObject:
    """A rule for the first `count` buckets. Its bound lies between two of them, since older SDKs count the bound in."""
    return {
        "type": "rollout",
        "value": value,
        "coverage": 1 if count == BUCKETS else round((count - 0.5) / BUCKETS, 5),
        "hashAttribute": filtered.get("attribute"),
        "seed": filtered.get("seed"),
        "hashVersion": 2,
        "enabled": True,
        "allEnvironments": False,
        "environments": [environment],
    }


def _read(rule: JsonObject) -> tuple[str, str, bool, int] | None:
    """(attribute, seed, whether units pass, buckets below its bound) of a rule as we make them."""
    asks = any(rule.get(name) for name in ("savedGroupTargeting", "prerequisites", "scheduleRules"))
    match rule:
        case {
            "type": "rollout",
            "value": "true" | "false" as value,
            "coverage": int() | float() as coverage,
            "hashAttribute": str(attribute),
            "seed": str(seed),
            "hashVersion": 2,
        } if not asks and rule.get("enabled", True) is True and rule.get("condition") in (None, "", "{}"):
            return attribute, seed, value == _TRUE, min(BUCKETS, round(coverage * BUCKETS + 0.5))
        case _:
            return None


def _filter(attribute: str, seed: str, ranges: list[JsonValue]) -> JsonObject:
    return {"attribute": attribute, "seed": seed, "hashVersion": 2, "ranges": ranges}
