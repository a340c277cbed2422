"""An entry as Unleash has it now."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from .api import Api
from .entry import TEST, TEST_VARIANT, test_title
from .marks import mark_of
from .strategies import seen

LAYERS = "crossfade."
"""Begins the name of every flag of ours that is no experiment's."""


def entry_of(api: Api, experiment: str, flag: JsonObject | None) -> JsonObject | None:
    """What a flag and its layer's flag are, in the shape of `compile_entry`; None where there is no flag of ours.

    Raises:
        BackendFailed: Unleash cannot be reached, or the project has no such environment.
    """
    here = api.here(flag) if flag is not None else {}
    if flag is None or not is_ours(api, flag):
        return None
    switched: JsonObject = {"on": here.get("enabled"), "impressions": flag.get("impressionData")}
    found = [seen(each) for each in api.strategies(flag)]
    return {"flag": switched, "layer": _layer(api, experiment, flag), "strategies": list[JsonValue](found)}


def is_ours(api: Api, flag: JsonObject) -> bool:
    """Whether a flag is an experiment's of our environment: by its description, and when that is lost by what it
    depends on."""
    description = flag.get("description")
    mark = mark_of(description) if isinstance(description, str) else None
    return mark.is_of(api.environment) if mark is not None else parent_of(flag).startswith(LAYERS)


def parent_of(flag: JsonObject) -> str:
    """The flag of its layer; "" where it depends on none."""
    return next((str(each.get("feature")) for each in objects(flag.get("dependencies"))), "")


def depending_on(api: Api, layer: str) -> list[str]:
    """The flags that depend on a layer's flag."""
    flag = api.flag(layer)
    children = flag.get("children") if flag is not None else None
    return sorted(map(str, children)) if isinstance(children, list) else []


def lets_in(api: Api, flag: JsonObject | None) -> bool:
    """Whether a flag is on for units of its layer, and not for test units alone."""
    if flag is None or not api.here(flag).get("enabled"):
        return False
    found = next(iter(objects(flag.get("dependencies"))), JsonObject()).get("variants")
    variants = found if isinstance(found, list) else []
    return not variants or any(not str(each).startswith(TEST_VARIANT) for each in variants)


def _layer(api: Api, experiment: str, flag: JsonObject) -> JsonObject:
    """What the experiment needs of its layer's flag: all but the strategies for others' test units."""
    found = next(iter(objects(flag.get("dependencies"))), None)
    if found is None:
        return {"flag": None}
    name = str(found.get("feature"))
    layer: JsonObject = {"flag": name, "let_in": found.get("variants")}
    if found.get("enabled") is not True:
        layer["where_it_is_off"] = True
    parent = api.flag(name)
    if parent is None:
        return layer
    strategies = [seen(each) for each in api.strategies(parent)]
    layer["on"] = api.here(parent).get("enabled")
    layer["strategies"] = [each for each in strategies if not str(each["id"]).startswith(TEST)]
    tests = [each for each in strategies if each["id"] == test_title(experiment)]
    if tests:
        layer["test"] = tests[0] if len(tests) == 1 else list[JsonValue](tests)
    return layer
