"""Segments of ours: which units a rule may meet. Confidence names them, so ours are known by their title, and one that
is allocated never changes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from ...core.documents import JsonObject, digest, same
from ...core.errors import BackendFailed
from .api import Api
from .audience import named_units
from .marks import SPARE, Mark

TITLE = "crossfade "
"""Begins the title of every segment of ours; the experiment follows."""
_TEST = " test "


def main_segment(seed: str, share: float, tag: str, targeting: JsonObject) -> JsonObject:
    """That of an experiment's units. `seed` names the experiment and its launch."""
    return {"title": f"{TITLE}{seed}", "share": share, "tag": tag, "targeting": targeting}


def test_segment(experiment: str, variant: str, unit: str, units: list[str]) -> JsonObject:
    """That of the test units of a variant: other units are another segment."""
    title = f"{TITLE}{experiment}{_TEST}{variant} {digest(list[JsonValue]([unit, *units]))[:8]}"
    return {"title": title, "share": 1.0, "targeting": named_units(unit, units)}


def seen_segment(raw: JsonObject) -> JsonObject:
    """A segment as Confidence has it, in the form of `main_segment`. What we never write shows."""
    match raw.get("allocation"):
        case dict() as allocation:
            pass
        case _:
            allocation = JsonObject()
    tags, exclusive = _texts(allocation.get("exclusivityTags")), _texts(allocation.get("exclusiveTo"))
    found: JsonObject = {"title": raw.get("displayName"), "share": _share(allocation.get("proportion"))}
    found["targeting"] = raw.get("targeting") or {}
    if len(tags) == 1 and tags == exclusive:
        found["tag"] = tags[0]
    elif tags or exclusive:
        found |= {"tags": [*tags], "exclusive_to": [*exclusive]}
    return found


def is_ours(segment: JsonObject, experiment: str) -> bool:
    title = str(segment.get("displayName"))
    return title.startswith((f"{TITLE}{experiment}/", f"{TITLE}{experiment}{_TEST}"))


def is_for_tests(segment: JsonObject, experiment: str) -> bool:
    return str(segment.get("displayName")).startswith(f"{TITLE}{experiment}{_TEST}")


def has_tag(segment: JsonObject, tag: str) -> bool:
    allocation = segment.get("allocation")
    return isinstance(allocation, dict) and tag in _texts(allocation.get("exclusivityTags"))


class Segments:
    """Those of one experiment, while it is written."""

    def __init__(self, api: Api, experiment: str, known: Mark) -> None:
        self._api, self._experiment, self._known = api, experiment, known
        self._ours: list[JsonObject] | None = None
        self._taken: set[str] = set()
        """Names of those that this write has found a use for."""

    def allocated(self, wanted: JsonObject) -> str:
        """The name of a segment that is as wanted and has its units: the one that is there, or a new one.

        Raises:
            BackendFailed: Confidence has no such share left, or somebody archived the segment of a launch that runs.
        """
        name = self._known.segments.get(str(wanted["title"]))
        found = self._api.segment(name) if name is not None else self._left(wanted)
        if found is None or not _is_ready(found, wanted):
            if name is not None and "tag" in wanted:
                raise BackendFailed(
                    "Somebody archived the experiment's segment in Confidence, and with it is gone who was in.",
                    next="Stop the experiment; a copy of it starts anew with other units.",
                    got=name,
                )
            found = self._made(found, wanted)
        self._taken.add(str(found["name"]))
        return str(found["name"])

    def _made(self, found: JsonObject | None, wanted: JsonObject) -> JsonObject:
        if found is not None and found.get("state") == "UNALLOCATED":
            self._api.change_segment(str(found["name"]), _body(wanted))
        else:
            found = self._api.create_segment(_body(wanted))
        self._allocate(str(found["name"]), wanted)
        return found

    def archive(self, kept: set[str]) -> dict[str, str]:
        """Give the units of all others of ours back. What has none and cannot be archived is given back as the spare.

        Raises:
            BackendFailed: a rule of somebody else refers to one.
        """
        spare: dict[str, str] = {}
        for each in self.ours():
            name, state = str(each["name"]), each.get("state")
            if state == "UNALLOCATED" and name not in kept:
                spare = {SPARE: name}
            if name in kept or state not in ("ALLOCATED", "OK") or self._api.archive_segment(name):
                continue
            now = self._api.segment(name)
            if now is not None and now.get("state") == "ALLOCATED":
                raise BackendFailed(
                    "A rule of another flag refers to the experiment's segment in Confidence, which keeps its units.",
                    next="Take that rule out, then repeat the call.",
                    got=name,
                )
        return spare

    def ours(self) -> list[JsonObject]:
        """As they were at the beginning: those that the last write left, or where it did not end, all there are."""
        if self._ours is None and self._known.done:
            found = [self._api.segment(name) for name in sorted({*self._known.segments.values()})]
            self._ours = [each for each in found if each is not None]
        elif self._ours is None:
            self._ours = [each for each in self._api.segments() if is_ours(each, self._experiment)]
        return self._ours

    def _left(self, wanted: JsonObject) -> JsonObject | None:
        """What a write that broke off has made: the segment itself, or one without units that can become it."""
        there = [each for each in self.ours() if str(each["name"]) not in self._taken]
        ready = [each for each in there if _is_ready(each, wanted)]
        free = [each for each in there if each.get("state") == "UNALLOCATED"]
        return next(iter(sorted(ready or free, key=lambda each: str(each["name"]))), None)

    def _allocate(self, name: str, wanted: JsonObject) -> None:
        if self._api.allocate(name):
            return
        now = self._api.segment(name)
        if now is not None and now.get("state") in ("ALLOCATED", "OK"):
            return  # an attempt of before did it
        free = self._api.available(name)
        raise BackendFailed(
            "Confidence has no such share left for the experiment: segments of others with the layer's tag hold it.",
            next="Choose a smaller allocation, or archive those segments in Confidence, then make a new plan.",
            got={"share": wanted["share"], "tag": wanted.get("tag"), "free": free},
        )


def _is_ready(found: JsonObject, wanted: JsonObject) -> bool:
    return found.get("state") in ("ALLOCATED", "OK") and same(seen_segment(found), wanted)


def _body(wanted: JsonObject) -> JsonObject:
    allocation: JsonObject = {"proportion": {"value": f"{wanted['share']:g}"}}
    if "tag" in wanted:
        allocation |= {"exclusivityTags": [wanted["tag"]], "exclusiveTo": [wanted["tag"]]}
    return {"displayName": wanted["title"], "targeting": wanted["targeting"], "allocation": allocation}


def _share(proportion: JsonValue) -> JsonValue:
    match proportion:
        case {"value": str(text)}:
            try:
                return float(Decimal(text))
            except InvalidOperation:
                return text
        case _:
            return None


def _texts(value: JsonValue) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
