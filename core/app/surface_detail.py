"""How much is told of a surface: its parameters and metrics in full, in brief or by name, as room allows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from pydantic import JsonValue

from ..documents import JsonObject, canonical
from ..keeping import Latest
from ..model.answers import ParameterView, Surfaces
from ..model.catalogue import Catalogue
from ..names import listed
from ..wording import cut
from .searching import index_of
from .views import size_of

ROOM = 2_090
"""Most bytes of the structured half of a reply; its text says the same in fewer, so that both stay below 4 KB."""
ROOM_OF_VALUES = 1_900
"""Up to which values of attributes are told that the words do not ask for: a whole journey keeps to 10 KB."""
SHOWN_PARAMETERS = 3
"""Most parameters shown in full, of those that fit at least a third as well as the best."""
SHOWN_BRIEF = 40
"""Most characters of the values, and of the production value, of a parameter shown in brief."""
SHOWN_MEANING = 64
"""Most characters of a parameter's description."""
SHOWN_OPTIONS = 12
"""Most options of an enumerated parameter that are listed."""
SHOWN_VALUES = 8
"""Most values of an audience's attribute that are listed."""
FITTING_ATTRIBUTES = 2
"""Most attributes whose values are told for the words' sake, whatever the room."""
WHOLE = (SHOWN_PARAMETERS, 0)
_RICHNESS = (
    (3, 9, 60),
    (3, 5, 60),
    (3, 3, 40),
    (2, 3, 40),
    (2, 1, 40),
    (2, 0, 40),
    (2, 0, 24),
    (2, 0, 0),
    (1, 1, 24),
    (1, 0, 0),
)
"""(parameters in full, in brief, characters of a metric's meaning), the richest first: what metrics mean comes before
more parameters."""
_VALUED = (12, 8, 6, 4, 3, 2, 1, 0)
"""Attributes of an audience whose values are told in the room that is left, the most first."""


class SurfaceDetail:
    """What a query's reply can tell of one surface."""

    def __init__(self, catalogue: Catalogue, key: str, production: Mapping[str, JsonValue], query: str) -> None:
        self._catalogue = catalogue
        self._key = key
        self._surface = catalogue.surfaces[key]
        self._production = production
        self._fits = index_of(catalogue).parameters(key, query)
        self._full: dict[str, ParameterView] = {}  # each is tried in several replies, of which one fits
        self._briefs: dict[str, str] = {}
        self._asked = index_of(catalogue).attributes(query)
        known = [name for name, each in catalogue.attributes.items() if each.shares or each.quantiles]
        self.attributes = sorted(known, key=lambda name: -self._asked[name])
        """Those with a known distribution, the ones that the words fit first."""

    def parameters(self, full: int, brief: int) -> tuple[list[ParameterView], list[str] | None]:
        """(at most `full` of those that fit best, the others: `brief` of them with values and production, the rest by
        name)."""
        order = list(self._fits)
        close = [name for name in order if self._fits[name] and 3 * self._fits[name] >= self._fits[order[0]]]
        shown = (close or order)[:full]
        named = [name for name in order if name not in shown]
        texts = [self._briefs.get(name) or self._brief(name) for name in named[:brief]] + named[brief:]
        return [self._full.get(name) or self._in_full(name) for name in shown], texts or None

    def metrics(self, names: Iterable[str], length: int) -> dict[str, str]:
        """Metric -> its usual effect, and so many characters of what it means."""
        known = self._catalogue.metrics
        meaning = {name: f", {cut(known[name].description, length)}" if length else "" for name in names}
        return {name: f"{known[name].usual_effect:g}{meant}" for name, meant in meaning.items()}

    def audience(self, count: int) -> dict[str, str]:
        """Attribute -> its first values, of those with any to choose from: `count` of them, or the few that the words
        fit."""
        listable = [name for name in self.attributes if self._catalogue.attributes[name].type != "boolean"]
        fitting = [name for name in self.attributes[:FITTING_ATTRIBUTES] if self._asked[name]]
        valued = [name for name in listable if self._catalogue.attributes[name].shares]
        return {name: self._attribute(name) for name in valued if name in fitting or name in valued[:count]}

    def _attribute(self, name: str) -> str:
        attribute = self._catalogue.attributes[name]
        return listed(attribute.shares, SHOWN_VALUES) + (" or another" if attribute.open else "")

    def _values(self, name: str) -> str:
        texts = _value_texts.of(self._catalogue)
        if (self._key, name) not in texts:
            texts[self._key, name] = schema_text(self._surface.parameters[name].json_schema)
        return texts[self._key, name]

    def _brief(self, name: str) -> str:
        values, now = cut(self._values(name), SHOWN_BRIEF), cut(_option(self._production[name]), SHOWN_BRIEF)
        made = self._briefs[name] = f"{name} ({values} = {now})"
        return made

    def _in_full(self, name: str) -> ParameterView:
        parameter = self._surface.parameters[name]
        made = self._full[name] = ParameterView(
            name=name,
            layer=parameter.layer,
            description=cut(parameter.description, SHOWN_MEANING),
            values=self._values(name),
            production=self._production[name],
        )
        return made


def filled(answer: Surfaces, detail: SurfaceDetail) -> Surfaces:
    """The answer with as much of its best surface as fits."""
    best = answer.best
    assert best is not None

    def told(level: int) -> Surfaces:
        full, brief, meanings = _RICHNESS[level]
        shown, named = detail.parameters(full, brief)
        metrics = detail.metrics(best.success_metrics, meanings)
        return _with(answer, {"parameters": shown, "more_parameters": named, "success_metrics": metrics})

    rich = _richest(len(_RICHNESS), told, ROOM)

    def valued(level: int) -> Surfaces:
        return _with(rich, {"audience_values": detail.audience(_VALUED[level]) or None})

    return _richest(len(_VALUED), valued, ROOM_OF_VALUES)


def _with(answer: Surfaces, parts: dict[str, object]) -> Surfaces:
    assert answer.best is not None
    return answer.model_copy(update={"best": answer.best.model_copy(update=parts)})


def _richest(levels: int, told: Callable[[int], Surfaces], room: int) -> Surfaces:
    """What is told at the first level that fits, or at the last."""
    made = cache(told)
    # Each level is smaller than the one before, so that three tries do in place of ten.
    least = bisect_left(range(levels), True, key=lambda level: size_of(made(level)) <= room)
    return made(min(least, levels - 1))


def _no_texts(_: Catalogue) -> dict[tuple[str, str], str]:
    return {}


_value_texts = Latest(_no_texts)
"""(surface, parameter) -> what may be set, of a catalogue."""


def schema_text(schema: JsonObject) -> str:
    """A schema in one line: enums literally, bounds as ranges."""
    options = schema.get("enum")
    if isinstance(options, list):
        return listed((_option(option) for option in options), SHOWN_OPTIONS)
    kind = str(schema.get("type", "any"))
    items = schema.get("items")
    if kind == "array" and isinstance(items, dict):
        unique = "distinct " if schema.get("uniqueItems") else ""
        return f"list{_bounds(schema, 'minItems', 'maxItems')} of {unique}{schema_text(items)}"
    properties = schema.get("properties")
    if kind == "object" and isinstance(properties, dict):
        parts = [f"{name}: {schema_text(part)}" for name, part in properties.items() if isinstance(part, dict)]
        return "{" + "; ".join(parts) + "}"
    pattern = f" matching {schema['pattern']}" if "pattern" in schema else ""
    return kind + (_bounds(schema, "minimum", "maximum") or _bounds(schema, "minLength", "maxLength")) + pattern


def _option(value: JsonValue) -> str:
    return value if isinstance(value, str) else canonical(value)


def _bounds(schema: JsonObject, low: str, high: str) -> str:
    if low not in schema and high not in schema:
        return ""
    return f" {schema.get(low, '')}..{schema.get(high, '')}"
