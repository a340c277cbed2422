"""A brief: the little that only the caller knows about an experiment. The server generates the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, FiniteFloat, JsonValue, ValidationError

from ..documents import JsonObject
from ..errors import Invalid
from .experiment import ExperimentKey
from .strict import StrictModel, Text


def _variants_by_name(given: JsonValue) -> JsonValue:
    """Accept [{"key": ..., "parameters": {...}}] and {variant: {"parameters": {...}}} for the plain map."""
    if isinstance(given, list):
        given = _by_key(given)
    if not isinstance(given, dict):
        return given
    return {
        key: value["parameters"] if isinstance(value, dict) and value.keys() == {"parameters"} else value
        for key, value in given.items()
    }


def _by_key(items: list[JsonValue]) -> JsonValue:
    """The items as a map by their `key`; unchanged, to be refused as no map, when one has none or two share one."""
    named: JsonObject = {}
    for item in items:
        name = item.get("key") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(name, str) or name in named:
            return items
        named[name] = {field: value for field, value in item.items() if field != "key"}
    return named


def _metrics_by_name(given: JsonValue) -> JsonValue:
    """Accept "metric" and ["metric", ...] for {metric: null}."""
    if isinstance(given, str):
        return {given: None}
    if isinstance(given, list):
        names = [name for name in given if isinstance(name, str)]
        return dict.fromkeys(names) if len(names) == len(given) else given
    return given


Variants = Annotated[dict[str, JsonObject], BeforeValidator(_variants_by_name)]
SuccessMetrics = Annotated[dict[str, FiniteFloat | None], BeforeValidator(_metrics_by_name)]


class Brief(StrictModel):
    surface: str
    change: Text
    because: Text
    variants: Variants = Field(description="variant -> parameter -> value, only what differs from production")
    success_metrics: SuccessMetrics = Field(description="metric -> signed relative effect; None = its default")
    audience: JsonObject | str = Field(default_factory=dict[str, JsonValue])
    allocation: FiniteFloat | None = None
    duration_days: int | None = None
    start: date | None = None
    owner: str | None = None
    key: ExperimentKey | None = None
    iterates: ExperimentKey | None = None
    more: JsonObject = Field(default_factory=dict[str, JsonValue], description="merge patch on the generated spec")

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Brief:
        """The brief in a call's arguments; None stands for "not given".

        Raises:
            Invalid: naming every argument that no brief can have, the first in full.
        """
        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            faults = [_fault(str(each["loc"][0]), each["type"], each.get("ctx", {}), given) for each in error.errors()]
            faults[0].more = [fault.line for fault in faults[1:]]
            raise faults[0] from error


def _fault(name: str, kind: str, limits: Mapping[str, object], given: Mapping[str, object]) -> Invalid:
    value = given.get(name)
    shown = value[:100] if isinstance(value, str) else None
    return Invalid(sentence(kind, limits), pointer="/from" if name == "iterates" else f"/{name}", got=shown)


def sentence(kind: str, limits: Mapping[str, object]) -> str:
    """What is wrong with an argument, in words of ours, by pydantic's name of the fault."""
    if kind == "string_pattern_mismatch":
        return 'A key has 3 to 63 lower-case letters, digits and "-", a letter first.'
    if kind == "string_too_long":
        return f"At most {limits.get('max_length')} characters are allowed."
    return "This must not be empty." if kind == "string_too_short" else "No brief can hold this value."
