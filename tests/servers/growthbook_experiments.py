"""Experiments of the GrowthBook stand-in, and what its SDKs get.

Follows packages/back-end/src/api/experiments, `getFeatureDefinition` of packages/back-end/src/util/features.ts and
`includeExperimentInPayload` of packages/shared.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from .growthbook_features import BETWEEN, Features, Refused, readable


class Experiments:
    def __init__(self, features: Features, now: Callable[[], str]) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.connections = 1
        """SDK connections, of which the checklist wants one."""
        self._features = features
        self._now = now
        self._ids = count(1)

    def create(self, body: Any, unlocked: Callable[[], Any]) -> dict[str, Any]:
        if "assignmentQueryId" not in body:
            raise Refused(400, "assignmentQueryId is required unless provided by the template")
        if any(each["trackingKey"] == body["trackingKey"] for each in self.kept.values()):
            raise Refused(400, f"Experiment with tracking key already exists: {body['trackingKey']}.")
        if not body.get("owner"):
            raise Refused(400, "Must specify an `owner` in the request body.")
        with unlocked():
            threading.Event().wait(BETWEEN)
        made: dict[str, Any] = {
            "id": f"exp_{next(self._ids)}",
            "dateCreated": self._now(),
            "type": "standard",
            "status": "draft",
            "archived": False,
            "releasedVariationId": "",
            "excludeFromPayload": False,
            "phases": [],
        }
        self.kept[made["id"]] = made
        return self._change(made, body)

    def update(self, name: str, body: Any) -> dict[str, Any]:
        if name not in self.kept:
            raise Refused(400, "Could not find the experiment to update")
        return self._change(self.kept[name], body)

    def start(self, name: str, body: Any) -> dict[str, Any]:
        if name not in self.kept:
            raise Refused(400, "Could not find experiment with that id")
        experiment = self.kept[name]
        if experiment["status"] != "draft":
            details = {"currentStatus": experiment["status"], "expectedStatuses": ["draft"]}
            raise Refused(409, "Experiment must be in draft status", code="invalid_status", details=details)
        missing = [] if body.get("skipChecklist") else self._missing(experiment)
        if missing:
            message = "Experiment cannot be started: required checklist items are incomplete"
            items = [{"key": each, "required": True, "status": "incomplete", "manual": False} for each in missing]
            raise Refused(409, message, code="checklist_incomplete", details={"remainingChecklistItems": items})
        experiment["status"] = "running"
        experiment["phases"][-1]["dateStarted"] = self._now()
        return experiment

    def linked(self, experiment: dict[str, Any]) -> list[str]:
        """The features that refer to an experiment."""
        return [
            name
            for name, each in self._features.kept.items()
            if any(rule.get("experimentId") == experiment["id"] for rule in each["rules"])
        ]

    def _missing(self, experiment: dict[str, Any]) -> list[str]:
        found = [] if self.linked(experiment) else ["linkedChanges"]
        found += [] if experiment["phases"] else ["targeting"]
        found += [] if self.connections else ["sdkConnection"]
        due = {each["id"] for each in experiment["variations"]}
        for name in self.linked(experiment):
            for rule in self._features.kept[name]["rules"]:
                named = {each.get("variationId") for each in rule.get("variations", [])}
                if rule.get("experimentId") == experiment["id"] and due - named:
                    found.append(f"missingVariationValues:{name}")
        return found

    def _change(self, experiment: dict[str, Any], body: Any) -> dict[str, Any]:
        for phase in body.get("phases", []):
            readable(phase.get("condition") or "{}", "targeting condition")
            for each in phase.get("prerequisites", []):
                readable(each["condition"], "prerequisite condition")
        for each in body.get("variations", []):
            each.setdefault("id", f"var_{next(self._ids)}")
        for part in ("id", "key"):
            values = [each[part] for each in body.get("variations", [])]
            if len(values) != len({*values}):
                raise Refused(400, "Variation IDs must be unique." if part == "id" else "Variation keys must be unique")
        experiment.update(body, dateUpdated=self._now())
        for phase in experiment["phases"]:
            even = [1 / len(experiment["variations"])] * len(experiment["variations"])
            phase.setdefault("variationWeights", even)
            phase.setdefault("coverage", 1)
            phase.setdefault("condition", "{}")
            phase.setdefault("prerequisites", [])
        return experiment


def definition(feature: dict[str, Any], experiments: Experiments, environment: str) -> dict[str, Any] | None:
    """What an SDK gets of a feature; None where it gets none."""
    if feature["archived"] or not feature["on"].get(environment):
        return None
    here = [each for each in feature["rules"] if each["allEnvironments"] or environment in each["environments"]]
    rules = [_served(each, feature, experiments) for each in here if each["enabled"]]
    default = value_of(feature["defaultValue"], feature)
    return {"defaultValue": default, **({"rules": [each for each in rules if each]} if any(rules) else {})}


def value_of(raw: str, feature: dict[str, Any]) -> Any:
    return raw if feature["valueType"] == "string" else json.loads(raw)


def _served(rule: dict[str, Any], feature: dict[str, Any], experiments: Experiments) -> dict[str, Any] | None:
    if rule["type"] == "experiment-ref":
        experiment = experiments.kept.get(rule["experimentId"])
        return _experiment(rule, feature, experiment) if experiment is not None else None
    served: dict[str, Any] = {}
    if rule["condition"] and json.loads(rule["condition"]):
        served["condition"] = json.loads(rule["condition"])
    if rule["prerequisites"]:
        served["parentConditions"] = _parents(rule["prerequisites"])
    served["force"] = value_of(rule["value"], feature)
    if rule["type"] == "rollout" and rule["coverage"] < 1:
        served |= {each: rule[each] for each in ("coverage", "hashAttribute", "seed", "hashVersion")}
    return served


def _parents(prerequisites: list[Any]) -> list[Any]:
    return [{"id": each["id"], "condition": json.loads(each["condition"])} for each in prerequisites]


def _experiment(rule: dict[str, Any], feature: dict[str, Any], experiment: dict[str, Any]) -> dict[str, Any] | None:
    status, phases = experiment["status"], experiment["phases"]
    released = experiment["releasedVariationId"] if not experiment["excludeFromPayload"] else ""
    if experiment["archived"] or status == "draft" or not phases or (status == "stopped" and not released):
        return None
    phase, values = phases[-1], {each["variationId"]: each["value"] for each in rule["variations"]}
    served: dict[str, Any] = {"coverage": phase["coverage"], "hashAttribute": experiment["hashAttribute"]}
    if json.loads(phase["condition"]):
        served["condition"] = json.loads(phase["condition"])
    if phase["prerequisites"]:
        served["parentConditions"] = _parents(phase["prerequisites"])
    if experiment.get("disableStickyBucketing"):
        served["disableStickyBucketing"] = True
    served["seed"], served["hashVersion"] = phase.get("seed", experiment["trackingKey"]), experiment["hashVersion"]
    if status == "stopped":
        return {**served, "force": value_of(values[released], feature)} if released in values else None
    shown = [values.get(each["id"]) for each in experiment["variations"]]
    return {
        **served,
        "variations": [None if each is None else value_of(each, feature) for each in shown],
        "weights": phase["variationWeights"],
        "key": experiment["trackingKey"],
        "meta": [{"key": each["key"]} for each in experiment["variations"]],
        "phase": str(len(phases) - 1),
    }
