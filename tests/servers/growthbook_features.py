"""Features of the GrowthBook stand-in: revisions, and what publishing one merges.

Follows packages/back-end/src/api/features and `autoMerge` of packages/shared/src/util/features.ts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import count
from typing import Any

Refusal = tuple[int, Any]
"""Status and body."""
CONTENT = ("description", "defaultValue", "rules", "archived")
"""What a revision may change, beside the environments in which the feature is on."""
BETWEEN = 0.003
"""Seconds between a look for a name and its use: GrowthBook has no lock there."""


class Refused(Exception):
    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, **more}


class Features:
    def __init__(self, environments: Iterable[str], now: Callable[[], str]) -> None:
        self.environments = list(environments)
        self.kept: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, list[dict[str, Any]]] = {}
        self.held_up: str | None = None
        """Why GrowthBook publishes nothing, a missing approval say."""
        self._now = now
        self._ids = count(1)

    def named(self, name: str) -> dict[str, Any]:
        if name not in self.kept:
            raise Refused(404, "Could not find feature")
        return self.kept[name]

    def create(self, body: Any, unlocked: Callable[[], Any]) -> dict[str, Any]:
        """Looks for the name first; of those that looked at once, the database takes one."""
        name = body["id"]
        if name in self.kept:
            raise Refused(400, f"Feature id '{name}' already exists.")
        if not all(each.isascii() and (each.isalnum() or each in "_.:|-") for each in name):
            raise Refused(400, "Feature keys can only include letters, numbers, hyphens, and underscores.")
        unknown = [each for each in body.get("environments", {}) if each not in self.environments]
        if unknown:
            raise Refused(400, f"Environment key(s) '{unknown[0]}' not recognized.")
        if not body.get("owner"):
            raise Refused(400, "Must specify an `owner` in the request body.")
        self._value(body["valueType"], body["defaultValue"])
        on = {each: body.get("environments", {}).get(each, {}).get("enabled", True) for each in self.environments}
        rules = [self._rule(each, body["valueType"]) for each in body.get("rules", [])]
        with unlocked():
            threading.Event().wait(BETWEEN)
        if name in self.kept:
            raise Refused(400, f'E11000 duplicate key error collection: features dup key: {{ id: "{name}" }}')
        made = {
            "id": name,
            "description": body.get("description", ""),
            "archived": body.get("archived", False),
            "valueType": body["valueType"],
            "defaultValue": body["defaultValue"],
            "owner": body["owner"],
            "project": body.get("project", ""),
            "rules": rules,
            "on": on,
            "version": 1,
            "dateCreated": self._now(),
        }
        self.kept[name] = made
        self.revisions[name] = [{**self._content(made), **self._about(1, 0, "published", "")}]
        return made

    def edit(self, name: str, version: str, comment: str | None, change: Callable[[Any], None]) -> dict[str, Any]:
        """A draft, begun where the version is `new`, after a change."""
        feature = self.named(name)
        if version == "new":
            number = len(self.revisions[name]) + 1
            begun = {**self._content(feature), **self._about(number, feature["version"], "draft", comment or "")}
            self.revisions[name].append(begun)
        draft = self._draft(name, version if version != "new" else str(len(self.revisions[name])))
        try:
            change(draft)
        except Refused:
            if version == "new":
                draft["status"] = "discarded"
            raise
        return draft

    def discard(self, name: str, version: str) -> dict[str, Any]:
        draft = self._draft(name, version)
        draft["status"] = "discarded"
        return draft

    def _draft(self, name: str, version: str) -> dict[str, Any]:
        self.named(name)
        found = next((each for each in self.revisions[name] if str(each["version"]) == version), None)
        if found is None:
            raise Refused(404, "Could not find feature revision")
        if found["status"] != "draft":
            raise Refused(400, f'Cannot edit a revision with status "{found["status"]}"')
        return found

    def publish(self, name: str, version: str) -> dict[str, Any]:
        feature = self.named(name)
        found = next((each for each in self.revisions[name] if str(each["version"]) == version), None)
        if found is None:
            raise Refused(404, "Could not find feature revision")
        if found["status"] != "draft":
            raise Refused(400, f'Cannot publish a revision with status "{found["status"]}"')
        base = next(each for each in self.revisions[name] if each["version"] == found["baseVersion"])
        live = self._content(feature)
        merged, conflicts = merge(live, base, found)
        if conflicts:
            message = "Merge conflicts exist — rebase before publishing"
            told = [{"key": each, "resolved": False} for each in conflicts]
            raise Refused(409, message, code="conflict", details={"conflicts": told}, conflicts=told)
        if merged == live:
            raise Refused(400, "Cannot publish: no changes detected in this revision")
        if self.held_up is not None:
            gates = [{"type": "approval-required", "messages": [self.held_up]}]
            raise Refused(422, f"Publish blocked by 1 gate(s):\n{self.held_up}", gates=gates, warnings=[])
        feature.update(deepcopy(merged))
        feature["version"] = found["version"]
        found.update(deepcopy(merged), status="published")
        return found

    def add(self, draft: dict[str, Any], name: str, rule: Any) -> None:
        draft["rules"].append(self._rule({"type": "force", **rule}, self.kept[name]["valueType"]))

    def drop(self, draft: dict[str, Any], rule: str) -> None:
        if rule not in [each["id"] for each in draft["rules"]]:
            raise Refused(404, f'Rule "{rule}" not found')
        draft["rules"] = [each for each in draft["rules"] if each["id"] != rule]

    def reorder(self, draft: dict[str, Any], order: list[str]) -> None:
        rules = {each["id"]: each for each in draft["rules"]}
        if sorted(order) != sorted(rules):
            raise Refused(400, "ruleIds must list each rule exactly once")
        draft["rules"] = [rules[each] for each in order]

    def set_default(self, draft: dict[str, Any], name: str, value: str) -> None:
        self._value(self.kept[name]["valueType"], value)
        draft["defaultValue"] = value

    def _content(self, feature: dict[str, Any]) -> dict[str, Any]:
        return deepcopy({each: feature[each] for each in (*CONTENT, "on")})

    def _about(self, version: int, base: int, status: str, comment: str) -> dict[str, Any]:
        return {"version": version, "baseVersion": base, "status": status, "comment": comment, "date": self._now()}

    def _rule(self, rule: Any, kind: str) -> dict[str, Any]:
        for each in [rule["value"]] if "value" in rule else [every["value"] for every in rule["variations"]]:
            self._value(kind, each)
        if rule.get("condition"):
            readable(rule["condition"], "rule condition")
        unscoped = "environments" not in rule
        made: dict[str, Any] = {
            "description": "",
            "condition": "",
            "enabled": True,
            **deepcopy(rule),
            "allEnvironments": rule.get("allEnvironments", unscoped),
            "savedGroupTargeting": [],
            "prerequisites": rule.get("prerequisites", []),
            "id": f"rule-{next(self._ids)}",
        }
        if rule["type"] == "rollout":
            made = {"seed": made["id"], "hashVersion": 2, **made}
        return made

    def _value(self, kind: str, value: str) -> None:
        """
        Raises:
            Refused: it is none of the type.
        """
        try:
            found = json.loads(value) if kind != "string" else value
        except ValueError:
            raise Refused(400, f"Value must be valid {kind}") from None
        number = isinstance(found, int | float) and not isinstance(found, bool)
        if (kind == "boolean" and not isinstance(found, bool)) or (kind == "number" and not number):
            raise Refused(400, f"Value must be a {kind}")


def readable(condition: str, what: str) -> None:
    try:
        found = json.loads(condition)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, f"Invalid {what}: it is no JSON object")


def merge(live: dict[str, Any], base: dict[str, Any], draft: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(what is live after a draft is published, where it contradicts what was published since it began)."""
    merged, conflicts = deepcopy(live), list[str]()
    for name in ("description", "defaultValue", "archived"):
        value, clash = _three_ways(live[name], base[name], draft[name])
        merged[name] = value
        conflicts += [name] if clash else []
    for environment, on in draft["on"].items():
        value, clash = _three_ways(live["on"][environment], base["on"][environment], on)
        merged["on"][environment] = value
        conflicts += [f"environmentsEnabled.{environment}"] if clash else []
    if live["rules"] == base["rules"]:
        merged["rules"] = deepcopy(draft["rules"])  # whole, with the order that the draft gives them
        return merged, conflicts
    merged["rules"], more = _merged_rules(live["rules"], base["rules"], draft["rules"])
    return merged, conflicts + more


def _three_ways(live: Any, base: Any, draft: Any) -> tuple[Any, bool]:
    if draft in (base, live):
        return live, False
    return draft, live != base


def _merged_rules(live: list[Any], base: list[Any], draft: list[Any]) -> tuple[list[Any], list[str]]:
    sides = [{each["id"]: each for each in rules} for rules in (live, base, draft)]
    conflicts, winners = list[str](), dict[str, Any]()
    for name in {**sides[0], **sides[1], **sides[2]}:
        value, clash = _three_ways(*(side.get(name) for side in sides))
        winners[name] = value
        conflicts += [f"rules.{name}"] if clash else []
    reordered = [each["id"] for each in draft if each["id"] in sides[1]] != [
        each["id"] for each in base if each["id"] in sides[2]
    ]
    first, second = (draft, live) if reordered else (live, draft)
    names = dict.fromkeys(each["id"] for each in [*first, *second])
    return [winners[name] for name in names if winners[name] is not None], conflicts
