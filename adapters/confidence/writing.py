"""An entry put into Confidence or taken out, call by call, in an order that every half of it can be left in.

A flag's rules are set at once: that call opens traffic, and comes when all that narrows it is there; it closes traffic
too, and comes first then. A repeat looks at what is there and makes what is missing.
"""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from ...core.errors import BackendChanged, BackendFailed
from .api import Api
from .marks import Mark
from .reading import is_archived, is_our_flag, mark_in, rules_of
from .rules import main_rule, tests_rule
from .schema import schema_of
from .segments import Segments, test_segment
from .settings import ConfidenceSettings


def put(
    api: Api, where: ConfidenceSettings, experiment: str, flag: JsonObject | None, entry: JsonObject, mark: Mark
) -> None:
    """Make Confidence hold an entry.

    Args:
        flag: the experiment's, as it was found; None where there is none.
        mark: what its description is to say until all is done.

    Raises:
        BackendChanged: the flag's name is somebody else's, or was archived.
        BackendFailed: Confidence cannot be reached, refuses, or has no such share of units left.
    """
    rule, unit = entry.get("rule"), str(entry["unit"])
    opens = isinstance(rule, dict) and rule["on"] is True
    flag, known = _claimed(api, experiment, flag, mark, "as they are" if opens else "off")
    _put_values(api, experiment, flag, objects(entry["variants"]))
    segments = Segments(api, experiment, known)
    named: dict[str, str] = {}
    rules: list[JsonObject] = []
    for test in objects(entry["tests"]):
        variant, units = str(test["id"]), test["units"]
        assert isinstance(units, list)
        wanted = test_segment(experiment, variant, unit, [*map(str, units)])
        name = named[str(wanted["title"])] = segments.allocated(wanted)
        rules.append(tests_rule(experiment, name, unit, variant, where.environment))
    if isinstance(rule, dict):
        wanted = rule["segment"]
        assert isinstance(wanted, dict)
        name = named[str(wanted["title"])] = segments.allocated(wanted)
        rules.append(main_rule(experiment, name, unit, rule, where.environment))
    clients = flag.get("clients")
    for client in where.clients:
        if not (isinstance(clients, list) and client in clients):
            api.add_client(experiment, client)
    _put_rules(api, experiment, flag, rules)
    spare = segments.archive({*named.values()})
    api.change_flag(experiment, description=mark.ended({**spare, **named}).text)


def take_out(api: Api, where: ConfidenceSettings, experiment: str, flag: JsonObject | None, mark: Mark) -> None:
    """Let nobody in any more, and give the segments' units back. The flag stays, without rules and clients: Confidence
    never brings one that is archived back, and its description keeps the fence.

    Raises:
        As `put`.
    """
    flag, known = _claimed(api, experiment, flag, mark, "out")
    spare = Segments(api, experiment, known).archive(set())
    clients = flag.get("clients")
    for client in where.clients:
        if isinstance(clients, list) and client in clients:
            api.remove_client(experiment, client)
    api.change_flag(experiment, description=mark.ended(spare).text)


def _claimed(
    api: Api, experiment: str, flag: JsonObject | None, mark: Mark, rules: Literal["as they are", "off", "out"]
) -> tuple[JsonObject, Mark]:
    """The experiment's flag, with the mark of this write in its description, and with its rules off, or out, where it
    closes; and the mark that it had. Rules that stay are checked by Confidence, and one may have lost its segment: what
    is to end takes them out at once."""
    if flag is None and api.create_flag(experiment, "experiment", mark.text):
        return _there(api, experiment), Mark()
    flag = flag if flag is not None else _there(api, experiment)
    known = mark_in(flag) or Mark(done=False)
    if is_archived(flag) or not is_our_flag(flag):
        what = "was archived, and Confidence brings none back" if is_archived(flag) else "is somebody else's"
        raise BackendChanged(
            f"Confidence has a flag of this name that {what}; nothing was written.",
            next="Give the experiment another key, then make a new plan.",
            got=experiment,
        )
    there = rules_of(flag)
    left: list[JsonValue] = [] if rules == "out" else [{**each, "enabled": False} for each in there]
    if there and (rules == "out" or (rules == "off" and any(each.get("enabled") is True for each in there))):
        api.change_flag(experiment, rules=left, description=mark.text)
        return {**flag, "rules": left}, known
    api.change_flag(experiment, description=mark.text)
    return flag, known


def _put_values(api: Api, experiment: str, flag: JsonObject, variants: list[JsonObject]) -> None:
    """The schema and the variants, which have to fit each other at any time."""
    schema = schema_of([values for each in variants if isinstance(values := each["values"], dict)])
    due: list[JsonValue] = [
        {"name": f"flags/{experiment}/variants/{each['id']}", "value": each["values"]} for each in variants
    ]
    there: list[JsonValue] = [
        {"name": each.get("name"), "value": each.get("value") or {}} for each in objects(flag.get("variants"))
    ]
    there.sort(key=lambda each: str(each["name"]) if isinstance(each, dict) else "")
    if not same(flag.get("schema"), schema) or not same(there, due):
        api.change_flag(experiment, schema=schema, variants=due)


def _put_rules(api: Api, experiment: str, flag: JsonObject, rules: list[JsonObject]) -> None:
    """All rules at once, in their order. Confidence names them, so a new one is made first, which is off."""
    known = {str(each.get("segment")): each for each in rules_of(flag)}
    due: list[JsonValue] = []
    for each in rules:
        there = known.get(str(each["segment"]))
        name = str(there["name"]) if there is not None else api.create_rule(experiment, each)
        due.append({"name": name, **each})
    api.change_flag(experiment, rules=due)


def _there(api: Api, experiment: str) -> JsonObject:
    flag = api.flag(experiment)
    if flag is None:
        message = "A flag went while it was written."
        raise BackendFailed(message, next="Repeat the call.", got=experiment, retryable=True)
    return flag
