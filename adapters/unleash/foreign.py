"""What others run in an environment of Unleash: flags that are no experiment's of ours, and not on for everybody."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.ports.backend import Foreign
from ..foreign import EVERYBODY, either, joined
from .api import Api
from .foreign_constraints import read_constraints
from .hashing import STEPS, WEIGHTS
from .reading import LAYERS, is_ours
from .strategies import ROLLOUT

SURFACE_TAG = "surface"
"""The type of the tag whose value is a surface's key."""
_KEY = r"[a-z][a-z0-9_-]{0,62}"
_PLACE = re.compile(rf"({_KEY})\.({_KEY})")
"""The name of a flag that is a parameter of a surface."""
Segments = Mapping[str, list[JsonObject]]
"""Id -> constraints."""


@dataclass(frozen=True)
class _Part:
    """Those whom something lets in, as far as it could be read."""

    audience: JsonObject = field(default_factory=lambda: EVERYBODY)
    share: float | None = 1.0
    unread: list[str] = field(default_factory=list[str])


_WHOLE = _Part()


def foreign_in(api: Api) -> list[Foreign]:
    """By name.

    Raises:
        BackendFailed: Unleash cannot be reached or refuses.
    """
    on = {name: tags for name, tags in sorted(api.switched_on().items()) if not name.startswith(LAYERS)}
    segments = api.segments() if on else {}
    found = (_told(api, segments, name, tags) for name, tags in on.items())
    return [each for each in found if each is not None]


def _told(api: Api, segments: Segments, name: str, tags: list[JsonObject]) -> Foreign | None:
    """None of a flag that is ours, lets nobody in, or is on for everybody alike."""
    flag = api.flag(name)
    if flag is None or is_ours(api, flag):
        return None
    strategies = _running(api, flag)
    variants = _variants(api, flag, strategies)
    parts, beyond = [_of_strategy(each, segments) for each in strategies], _of_parent(api, flag, segments)
    if not parts or beyond is None or (not variants and beyond == _WHOLE and _WHOLE in parts):
        return None
    part = _joined(_either(parts), beyond)
    surface, touched = _place(name, tags, variants)
    unread = list(dict.fromkeys(part.unread))
    if not touched:
        unread.append("neither its name, as <surface>.<parameter>, nor a JSON payload says what it sets")
    return Foreign(name, surface, touched, part.audience, part.share, None, unread, texts=True)


def _running(api: Api, flag: JsonObject) -> list[JsonObject]:
    """The strategies that let anybody in."""
    return [each for each in api.strategies(flag) if each.get("disabled") is not True and _rollout(each) != 0]


def _rollout(strategy: JsonObject) -> int | None:
    """In whole percents; None where that cannot be told."""
    if strategy.get("name") == "default":
        return STEPS
    parameters = strategy.get("parameters")
    text = str(parameters.get("rollout")) if isinstance(parameters, dict) else ""
    known = strategy.get("name") == ROLLOUT and re.fullmatch(r"\d{1,3}", text)
    return int(text) if known and int(text) <= STEPS else None


def _of_strategy(strategy: JsonObject, segments: Segments) -> _Part:
    constraints, unread = objects(strategy.get("constraints")), list[str]()
    listed = strategy.get("segments")
    for each in listed if isinstance(listed, list) else []:
        if str(each) not in segments:
            unread.append(f"the segment {each} cannot be found; everybody counts as being in it")
        constraints += segments.get(str(each), [])
    audience, more = read_constraints(constraints)
    rollout = _rollout(strategy)
    if rollout is None:
        unread.append(f"its share cannot be told from the strategy {strategy.get('name')} and its parameters")
    return _Part(audience, None if rollout is None else rollout / STEPS, [*unread, *more])


def _either(parts: list[_Part]) -> _Part:
    unread = [each for part in parts for each in part.unread]
    share = parts[0].share if len(parts) == 1 else None
    if len(parts) > 1 and None not in [part.share for part in parts]:
        unread.append("several strategies let units in, so that its share cannot be told")
    return _Part(either([part.audience for part in parts]), share, unread)


def _joined(one: _Part, other: _Part) -> _Part:
    share = None if one.share is None or other.share is None else round(one.share * other.share, 6)
    return _Part(joined([one.audience, other.audience]), share, [*one.unread, *other.unread])


def _of_parent(api: Api, flag: JsonObject, segments: Segments) -> _Part | None:
    """Those whom the flag lets through that another depends on, of which Unleash takes one; None where nobody is."""
    dependency = next(iter(objects(flag.get("dependencies"))), None)
    if dependency is None:
        return _WHOLE
    parent = api.flag(str(dependency.get("feature")))
    if dependency.get("enabled") is not True:
        said = f"that {dependency.get('feature')} is off has no word here; everybody counts as meeting it"
        return _Part(EVERYBODY, None, [said])
    strategies = _running(api, parent) if parent is not None and api.here(parent).get("enabled") else []
    if not strategies:
        return None
    let_in = dependency.get("variants")
    names = let_in if isinstance(let_in, list) else []
    through = [_joined(_of_strategy(each, segments), _of_variants(each, names)) for each in strategies]
    through = [each for each in through if each.share != 0]
    return _either(through) if through else None


def _of_variants(strategy: JsonObject, names: list[JsonValue]) -> _Part:
    """The share of a strategy's units that get one of some variants; all of them where none is named."""
    if not names:
        return _WHOLE
    weights = [each.get("weight") for each in objects(strategy.get("variants")) if each.get("name") in names]
    return _Part(share=sum(each for each in weights if isinstance(each, int)) / WEIGHTS)


def _variants(api: Api, flag: JsonObject, strategies: list[JsonObject]) -> list[JsonObject]:
    """What it splits its units into; old flags have variants outside of their strategies."""
    return [variant for each in (*strategies, api.here(flag)) for variant in objects(each.get("variants"))]


def _place(name: str, tags: list[JsonObject], variants: list[JsonObject]) -> tuple[str | None, list[str]]:
    """(the surface, the parameters that it sets) as far as its name, a tag or the payloads say them."""
    place = _PLACE.fullmatch(name)
    if place is not None:
        return place[1], [place[2]]
    tagged = {str(each.get("value")) for each in tags if each.get("type") == SURFACE_TAG}
    keys = {key for each in variants for key in _keys(each.get("payload"))}
    return tagged.pop() if len(tagged) == 1 else None, sorted(keys)


def _keys(payload: JsonValue) -> list[str]:
    if not isinstance(payload, dict) or payload.get("type") != "json":
        return []
    try:
        found = json.loads(str(payload.get("value")))
    except ValueError:
        return []
    return [*found] if isinstance(found, dict) else []
