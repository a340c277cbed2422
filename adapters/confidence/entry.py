"""An assignment as what Confidence has to hold: a flag of the experiment, whose rules meet segments of its own."""

from __future__ import annotations

import re

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.model.delivery import Assignment
from .audience import compile_audience, refused
from .capabilities import BUCKETS
from .schema import in_order, schema_of
from .segments import main_segment

OWNER_FLAG = "crossfade-owner"
_FLAG = re.compile(r"[a-z0-9-]{4,63}")


def compile_entry(assignment: Assignment) -> JsonObject:
    """{"unit", "variants": [{"id", "values"}], "rule"?: {"on", "segment", "assigned": [{"id", "from", "to"}]},
    "tests": [{"id", "units"}]}; the rule is missing where no units are held.

    Raises:
        Invalid: Confidence cannot express it.
    """
    if assignment.exclusions:
        then = "Take the surface's holdout out, or deliver the surface by another backend."
        raise refused("a holdout", then, [each.holdout for each in assignment.exclusions])
    if not _FLAG.fullmatch(assignment.experiment) or assignment.experiment == OWNER_FLAG:
        then = "Give the experiment another key, of at least 4 characters."
        raise refused("an experiment of this key, which names its flag", then, assignment.experiment)
    values: list[JsonObject] = [
        {parameter: each[index] for parameter, each in assignment.parameters.items()}
        for index, _ in enumerate(assignment.variants)
    ]
    schema_of(values)
    variants = in_order({"id": name, "values": each} for name, each in zip(assignment.variants, values, strict=True))
    entry: JsonObject = {"unit": assignment.unit_attribute, "variants": variants, "tests": []}
    if assignment.ranges:
        entry["rule"] = _rule(assignment)
    return replace_previews(entry, assignment.previews)


def replace_previews(entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
    """The entry with other test units."""
    named = [str(each["id"]) for each in objects(entry.get("variants"))]
    tests: list[JsonValue] = [
        {"id": name, "units": list[JsonValue](previews[name])} for name in named if previews.get(name)
    ]
    return {**entry, "tests": tests}


def replace_coverage(entry: JsonObject, coverage: float) -> JsonObject:
    """The entry with another share of its segment's units let in. Each variant keeps where it begins, so that a unit
    that is in before and after keeps its variant."""
    rule = entry.get("rule")
    if not isinstance(rule, dict):
        return entry
    assigned = objects(rule.get("assigned"))
    starts = [_whole(each["from"]) for each in assigned]
    covered: list[JsonValue] = [
        {**each, "to": start + max(1, round((end - start) * coverage))}
        for each, start, end in zip(assigned, starts, [*starts[1:], BUCKETS], strict=True)
    ]
    return {**entry, "rule": {**rule, "assigned": covered}}


def closed(entry: JsonObject) -> JsonObject | None:
    """The entry letting nobody in, with its segment kept; None where somebody took that, or the rule, apart."""
    match entry:
        case {"unit": str(unit), "variants": [*variants], "rule": {"segment": dict(segment), **rule}}:
            sound = rule.keys() == {"on", "assigned"} and segment.keys() == {"title", "share", "targeting", "tag"}
            kept: JsonObject = {"on": False, "assigned": rule.get("assigned"), "segment": segment}
            return {"unit": unit, "variants": variants, "tests": [], "rule": kept} if sound else None
        case _:
            return None


def layer_tag(seed: str) -> str:
    """The exclusivity tag of a layer: who is in a segment with it is in no other of them."""
    return f"crossfade.{seed.replace('/', '.')}"


def _rule(assignment: Assignment) -> JsonObject:
    share = assignment.share
    launch = assignment.seed.rpartition("/")[2]
    segment = main_segment(
        f"{assignment.experiment}/{launch}",
        share,
        layer_tag(assignment.layer_seed),
        compile_audience(assignment.audience),
    )
    whole: JsonObject = {"rule": {"on": True, "segment": segment, "assigned": _assigned(assignment)}}
    rule = replace_coverage(whole, assignment.coverage)["rule"]
    assert isinstance(rule, dict)
    return rule


def _assigned(assignment: Assignment) -> list[JsonValue]:
    """Variant by variant the buckets of the rule, at full coverage."""
    then = f"Choose weights in steps of 1/{BUCKETS:,} that add up to 1."
    widths = [round(weight * BUCKETS) for weight in assignment.weights]
    off = max(abs(width - weight * BUCKETS) for width, weight in zip(widths, assignment.weights, strict=True))
    if sum(widths) != BUCKETS or off > 1e-6 * BUCKETS or min(widths) < 1:
        raise refused("these weights", then, list[JsonValue](assignment.weights))
    ends = [sum(widths[: index + 1]) for index, _ in enumerate(widths)]
    return [
        {"id": name, "from": end - width, "to": end}
        for name, width, end in zip(assignment.variants, widths, ends, strict=True)
    ]


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
