"""Rules of a flag, as Confidence takes and has them, and in the form in which an entry holds them."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from .capabilities import BUCKETS

REST = "_rest"
"""The assignment of the buckets that a coverage leaves out; who falls there goes on to the flag's default. No variant
can have this name, by which assignments are told apart in Confidence's events."""


def main_rule(flag: str, segment: str, unit: str, rule: JsonObject, environment: str | None) -> JsonObject:
    """The rule that lets an experiment's units in.

    Args:
        segment: the name of its segment.
        rule: as an entry holds it.
    """
    assigned = objects(rule.get("assigned"))
    assignments = [_variant(flag, str(each["id"]), each["from"], each["to"]) for each in assigned]
    rest = _rest(assigned)
    if rest:
        assignments.append({"assignmentId": REST, "fallthrough": {}, "bucketRanges": list[JsonValue](rest)})
    return _rule(segment, unit, assignments, rule["on"] is True, environment)


def tests_rule(flag: str, segment: str, unit: str, variant: str, environment: str | None) -> JsonObject:
    """The rule that gives test units their variant."""
    return _rule(segment, unit, [_variant(flag, variant, 0, BUCKETS)], True, environment)


def is_as(found: JsonObject, wanted: JsonObject) -> bool:
    """Whether a rule that Confidence has does what is wanted."""
    return same(_plain(found), _plain(wanted))


def seen_rule(raw: JsonObject) -> JsonObject:
    """The switch and the buckets of a rule, without its segment. What we never write shows."""
    spec = raw.get("assignmentSpec")
    spec = spec if isinstance(spec, dict) else JsonObject()
    assigned: list[JsonObject] = []
    odd: list[JsonValue] = []
    for each in objects(spec.get("assignments")):
        name = _variant_of(each)
        ranges = [_bounds(one) for one in objects(each.get("bucketRanges"))]
        if name is not None and len(ranges) == 1:
            assigned.append({"id": name, "from": ranges[0][0], "to": ranges[0][1]})
        elif not ("fallthrough" in each and ranges == [_bounds(one) for one in _rest(assigned)]):
            odd.append(each)
    found: JsonObject = {"on": raw.get("enabled") is True, "assigned": list[JsonValue](assigned)}
    if odd:
        found["also_assigned"] = odd
    if spec.get("bucketCount") != BUCKETS:
        found["buckets"] = spec.get("bucketCount")
    if raw.get("materializationSpec"):
        found["materialization"] = raw["materializationSpec"]
    return found


def _rule(segment: str, unit: str, assignments: list[JsonObject], on: bool, environment: str | None) -> JsonObject:
    spec: JsonObject = {"bucketCount": BUCKETS, "assignments": list[JsonValue](assignments)}
    where: JsonObject = {"environments": [environment]} if environment is not None else {}
    return {"segment": segment, "targetingKeySelector": unit, "enabled": on, "assignmentSpec": spec, **where}


def _variant(flag: str, name: str, start: JsonValue, end: JsonValue) -> JsonObject:
    return {
        "assignmentId": name,
        "variant": {"variant": f"flags/{flag}/variants/{name}"},
        "bucketRanges": [{"lower": start, "upper": end}],
    }


def _rest(assigned: list[JsonObject]) -> list[JsonObject]:
    """The buckets that no variant has."""
    starts = [each["from"] for each in assigned[1:]] + [BUCKETS]
    gaps = zip((each["to"] for each in assigned), starts, strict=True)
    return [{"lower": start, "upper": end} for start, end in gaps if start != end]


def _variant_of(assignment: JsonObject) -> str | None:
    match assignment.get("variant"):
        case {"variant": str(name)}:
            return name.rpartition("/")[2]
        case _:
            return None


def _bounds(bucket_range: JsonObject) -> tuple[JsonValue, JsonValue]:
    return bucket_range.get("lower", 0), bucket_range.get("upper", 0)


def _plain(rule: JsonObject) -> JsonObject:
    """What matters of a rule; JSON of a protocol buffer leaves zeros, and what is off, out."""
    return {
        **seen_rule(rule),
        "segment": rule.get("segment"),
        "unit": rule.get("targetingKeySelector"),
        "environments": rule.get("environments") or [],
    }
