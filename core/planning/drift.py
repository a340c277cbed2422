"""What is delivered against what was: the entries of an experiment, compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pydantic import JsonValue

from ..documents import JsonObject, same
from ..model.plan import Place
from .difference import difference

Condition = Literal["as_delivered", "changed", "gone", "back", "unreadable"]
"""`back` is an entry that was taken out and is there again. What cannot be read has not drifted: nobody knows."""


@dataclass(frozen=True)
class Delivery:
    """One document that has, or once had, an entry of an experiment. `None` is absence."""

    place: Place
    opens_traffic: bool
    desired: JsonObject | None
    actual: JsonObject | None = None
    shadows: list[str] = field(default_factory=list[str])
    """Rules of others that come before the entry's and can take its units, by place and name."""
    failure: str | None = None
    """Why the document cannot be read."""

    @property
    def target(self) -> str:
        return f"{self.place.backend}/{self.place.document}"

    @cached_property
    def condition(self) -> Condition:
        if self.failure is not None:
            return "unreadable"
        if same(self.desired, self.actual):
            return "as_delivered"
        if self.actual is None:
            return "gone"
        return "back" if self.desired is None else "changed"

    @property
    def drifted(self) -> bool:
        return self.condition in ("changed", "gone", "back")

    @cached_property
    def differs(self) -> list[str]:
        """What somebody else made of the entry, a text for each place; empty unless it was changed."""
        return differences(self.desired, self.actual) if self.condition == "changed" else []


def differences(before: JsonValue, after: JsonValue) -> list[str]:
    """What becomes of an entry, a text for each place that differs: `difference`, which also looks into lists of
    objects. One that has an `id` is known by it, so that a rule that is added does not make others of those behind."""
    return [text.removeprefix(".").strip() for text in difference("", _by_name(before), _by_name(after))]


def _by_name(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _by_name(inner) for name, inner in value.items()}
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return value
    names = [str(each["id"]) if isinstance(each, dict) and "id" in each else "" for each in value]
    if len(set(names)) < len(names) or "" in names:
        names = [str(index) for index in range(len(value))]
    found: JsonObject = {name: _by_name(each) for name, each in zip(names, value, strict=True)}
    order: JsonObject = {"order": list[JsonValue](names)} if len(names) > 1 else {}
    return {**found, **order}
