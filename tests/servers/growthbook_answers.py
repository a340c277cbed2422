"""What the GrowthBook stand-in answers, in the shapes of the published description."""

from __future__ import annotations

import json
from typing import Any


def feature_answer(feature: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    environments = {
        name: {"enabled": on, "defaultValue": feature["defaultValue"], "definition": json.dumps(definitions[name])}
        for name, on in feature["on"].items()
    }
    kept = ("id", "description", "archived", "valueType", "defaultValue", "owner", "project", "rules")
    return {
        **{name: feature[name] for name in kept},
        "dateCreated": feature["dateCreated"],
        "dateUpdated": feature["dateCreated"],
        "environments": {
            name: each if definitions[name] is not None else {key: each[key] for key in ("enabled", "defaultValue")}
            for name, each in environments.items()
        },
        "prerequisites": [],
        "tags": [],
        "customFields": {},
        "revision": {"version": feature["version"], "comment": "", "date": feature["dateCreated"]},
    }


def revision_answer(feature: str, revision: dict[str, Any]) -> dict[str, Any]:
    kept = ("version", "baseVersion", "status", "comment", "date", "rules", "defaultValue")
    return {
        "featureId": feature,
        **{name: revision[name] for name in kept},
        "environmentsEnabled": revision["on"],
        "metadata": {"description": revision["description"]},
    }


def experiment_answer(experiment: dict[str, Any], linked: list[str]) -> dict[str, Any]:
    kept = ("id", "trackingKey", "dateCreated", "dateUpdated", "name", "type", "archived", "status")
    variations: list[dict[str, Any]] = [
        {"variationId": each["id"], "key": each["key"], "name": each["name"], "description": "", "screenshots": []}
        for each in experiment["variations"]
    ]
    return {
        **{name: experiment[name] for name in kept},
        **{name: experiment.get(name, "") for name in ("project", "hypothesis", "description", "owner")},
        "tags": [],
        "autoRefresh": True,
        "hashAttribute": experiment.get("hashAttribute", "id"),
        "hashVersion": experiment.get("hashVersion", 2),
        "disableStickyBucketing": experiment.get("disableStickyBucketing", False),
        "variations": variations,
        "phases": [_phase(each, experiment) for each in experiment["phases"]],
        "settings": {
            "datasourceId": experiment.get("datasourceId", ""),
            "assignmentQueryId": experiment.get("assignmentQueryId", ""),
            "experimentId": experiment["trackingKey"],
            "segmentId": "",
            "queryFilter": "",
            "inProgressConversions": "include",
            "attributionModel": "firstExposure",
            "statsEngine": "bayesian",
            "regressionAdjustmentEnabled": False,
            "goals": [],
            "secondaryMetrics": [],
            "guardrails": [],
        },
        "resultSummary": {
            "status": "",
            "winner": "",
            "conclusions": "",
            "releasedVariationId": experiment["releasedVariationId"],
            "excludeFromPayload": experiment["excludeFromPayload"],
        },
        "linkedFeatures": linked,
    }


def _phase(phase: dict[str, Any], experiment: dict[str, Any]) -> dict[str, Any]:
    weights = zip(experiment["variations"], phase["variationWeights"], strict=True)
    return {
        "name": phase["name"],
        "dateStarted": phase["dateStarted"],
        "dateEnded": phase.get("dateEnded", ""),
        "reasonForStopping": "",
        "seed": phase.get("seed", experiment["trackingKey"]),
        "coverage": phase["coverage"],
        "trafficSplit": [{"variationId": each["id"], "weight": weight} for each, weight in weights],
        "targetingCondition": phase["condition"],
        "prerequisites": phase["prerequisites"],
        "savedGroupTargeting": [],
    }


def page(name: str, found: list[Any], asked: dict[str, str]) -> dict[str, Any]:
    limit, offset = int(asked.get("limit", 10)), int(asked.get("offset", 0))
    shown, more = found[offset : offset + limit], offset + limit < len(found)
    about = {"limit": limit, "offset": offset, "count": len(shown), "total": len(found), "hasMore": more}
    return {name: shown, **about, "nextOffset": offset + limit if more else None}
