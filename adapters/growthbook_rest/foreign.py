"""What others run in GrowthBook: what its SDKs get of features, without our experiments."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue, TypeAdapter

from ...core.documents import JsonObject, objects, same
from ...core.ports.backend import Foreign
from ..growthbook_payload.foreign import foreign_in
from ..growthbook_payload.payload import SECTION
from .experiments import is_preview
from .features import name_in, seen_rule
from .gate import gates_of, holds_here, is_on

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
OWN = "crossfade."
"""Begins the name of each feature that is no parameter's."""


def foreign_of(features: Iterable[JsonObject], environment: str) -> list[Foreign]:
    """What runs in an environment and is not ours."""
    live = [each for each in features if is_on(each, environment)]
    ours = {name: JsonObject() for each in live if (name := experiment_of(each, environment))}
    shown: JsonObject = {}
    for each in live:
        definition = None if str(each["id"]).startswith(OWN) else _definition(each, environment)
        if definition is not None:
            rules = [rule for rule in objects(definition.get("rules")) if not _tests(rule, each, environment)]
            shown[str(each["id"])] = {**definition, "rules": list[JsonValue](rules)}
    return foreign_in({"features": shown, SECTION: {"entries": dict[str, JsonValue](ours)}})


def experiment_of(feature: JsonObject, environment: str) -> str | None:
    """The experiment whose gate a feature is."""
    name, begins = str(feature.get("id")), gates_of(environment)
    return name.removeprefix(begins) if name.startswith(begins) else None


def _definition(feature: JsonObject, environment: str) -> JsonObject | None:
    """What an SDK gets of a feature; None where that cannot be read."""
    environments = feature.get("environments")
    here = environments.get(environment) if isinstance(environments, dict) else None
    raw = here.get("definition") if isinstance(here, dict) else None
    try:
        found = _JSON.validate_json(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _tests(served: JsonObject, feature: JsonObject, environment: str) -> bool:
    """Whether a rule is one of ours for test units; an SDK gets it without its description."""
    known = [rule for rule in objects(feature.get("rules")) if name_in(rule) and holds_here(rule, environment)]
    ours = [seen_rule(rule, feature, {}, environment, serves=True) for rule in known]
    asked = [served.get("condition"), served.get("force")]
    return "force" in served and any(
        is_preview(each) and same([each.get("condition"), each.get("force")], asked) for each in ours
    )
