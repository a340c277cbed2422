"""An entry as Confidence has it now."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from ...core.errors import Invalid
from .api import LABEL, Api
from .marks import Mark, mark_of
from .rules import is_as, seen_rule, tests_rule
from .schema import in_order, schema_of
from .segments import has_tag, is_for_tests, is_ours, seen_segment, test_segment
from .settings import ConfidenceSettings


def mark_in(flag: JsonObject | None) -> Mark | None:
    return mark_of(flag.get("description")) if flag is not None else None


def is_our_flag(flag: JsonObject) -> bool:
    """Whether a flag is an experiment's, by its description or its label: a person may have changed one of them."""
    labels = flag.get("labels")
    kind = labels.get(LABEL) if isinstance(labels, dict) else None
    return kind == "experiment" or (kind is None and mark_in(flag) is not None)


def is_archived(flag: JsonObject) -> bool:
    return flag.get("state") == "ARCHIVED"


def rules_of(flag: JsonObject) -> list[JsonObject]:
    """In the order in which they are tried."""
    return objects(flag.get("rules"))


def entry_of(api: Api, where: ConfidenceSettings, experiment: str, flag: JsonObject | None) -> JsonObject | None:
    """What a flag and its segments are, in the shape of `compile_entry`; None where there is no flag of ours, or one
    that lets nobody in because it has no rules.

    Raises:
        BackendFailed: Confidence cannot be reached.
    """
    if flag is None or is_archived(flag) or not is_our_flag(flag) or not rules_of(flag):
        return None
    variants = in_order(
        {"id": str(each.get("name")).rpartition("/")[2], "values": each.get("value") or {}}
        for each in objects(flag.get("variants"))
    )
    unit = str(rules_of(flag)[0].get("targetingKeySelector", ""))
    entry: JsonObject = {"unit": unit, "variants": variants, "tests": []}
    entry |= _of_rules(api, where, experiment, flag, unit)
    clients = flag.get("clients")
    absent = [each for each in where.clients if not (isinstance(clients, list) and each in clients)]
    if absent:
        entry["without_clients"] = [*absent]
    if not _fits(flag.get("schema"), variants):
        entry["schema"] = flag.get("schema")
    return entry


def lets_in(api: Api, where: ConfidenceSettings, tag: str | None) -> Iterator[str]:
    """The experiments of ours, or those alone that let units in by a segment with a tag."""
    flags = [each for each in api.flags() if is_our_flag(each) and not is_archived(each) and rules_of(each)]
    tagged = {str(each["name"]) for each in api.segments() if has_tag(each, tag)} if tag is not None and flags else None
    for flag in flags:
        on = [each.get("segment") for each in rules_of(flag) if each.get("enabled") is True]
        if _is_here(flag, where) and (tagged is None or any(each in tagged for each in on)):
            yield str(flag["name"]).rpartition("/")[2]


def _is_here(flag: JsonObject, where: ConfidenceSettings) -> bool:
    """Whether a flag was written under these settings, or under some that reached the same products: clients may have
    been added since."""
    mark, clients = mark_in(flag), flag.get("clients")
    if mark is None or mark.place in ("", where.place):
        return True
    shared = isinstance(clients, list) and any(each in clients for each in where.clients)
    return shared and any(_environments(each) == [*filter(None, [where.environment])] for each in rules_of(flag))


def _of_rules(api: Api, where: ConfidenceSettings, experiment: str, flag: JsonObject, unit: str) -> JsonObject:
    tests: list[JsonValue] = []
    others: list[JsonValue] = []
    found: JsonObject = {"tests": tests}
    for raw in rules_of(flag):
        segment = api.segment(str(raw.get("segment")))
        plain = unit == raw.get("targetingKeySelector") and _environments(raw) == [*filter(None, [where.environment])]
        if segment is None or not is_ours(segment, experiment) or not plain:
            others.append(_other(raw, segment))
        elif is_for_tests(segment, experiment):
            test = _test(experiment, raw, segment, unit, where.environment)
            tests.append(test) if test is not None else others.append(_other(raw, segment))
        elif "rule" in found:
            others.append(_other(raw, segment))
        else:
            found["rule"] = {**seen_rule(raw), "segment": _seen(segment)}
    return {**found, "others": others} if others else found


def _seen(segment: JsonObject) -> JsonObject:
    state = segment.get("state")
    return {**seen_segment(segment), **({"state": state} if state not in ("ALLOCATED", "OK") else {})}


def _test(
    experiment: str, raw: JsonObject, segment: JsonObject, unit: str, environment: str | None
) -> JsonObject | None:
    """The test units of a rule and their variant; None where it is not as we write one."""
    match seen_rule(raw)["assigned"], segment.get("targeting"):
        case (
            [{"id": str(variant)}],
            {"criteria": {"units": {"attribute": {"setRule": {"values": [*values]}}}}},
        ):
            units = [str(each["stringValue"]) for each in objects(values) if "stringValue" in each]
        case _:
            return None
    wanted = tests_rule(experiment, str(raw["segment"]), unit, variant, environment)
    whole = same(seen_segment(segment), test_segment(experiment, variant, unit, units)) and is_as(raw, wanted)
    return {"id": variant, "units": list[JsonValue](units)} if whole else None


def _other(raw: JsonObject, segment: JsonObject | None) -> JsonObject:
    title = segment.get("displayName") if segment is not None else None
    return {"id": raw.get("name"), "segment": title or raw.get("segment"), "on": raw.get("enabled") is True}


def _environments(raw: JsonObject) -> JsonValue:
    return raw.get("environments") or []


def _fits(schema: JsonValue, variants: list[JsonValue]) -> bool:
    try:
        return same(
            schema, schema_of([values for each in objects(variants) if isinstance(values := each["values"], dict)])
        )
    except Invalid:
        return False
