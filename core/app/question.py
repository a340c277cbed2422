"""What is asked of an estimate, read as it was meant; all that is wrong with it is told at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from .. import audience as audiences
from ..checks.metrics import PLAUSIBLE_MDE
from ..documents import JsonObject, canonical, merge_patch, require_storable
from ..errors import CrossfadeError, Invalid, NotFound
from ..model.catalogue import Catalogue, Metric
from ..model.delivery import Audience
from ..model.plan import BUCKETS
from ..names import meant, nearest, same_name
from ..planning.size import DAY_LIMIT
from . import calls
from .drafts import known_surface

MOST_VARIANTS = 20
MOST_METRICS = 10
LEAST_SHARE = 1 / BUCKETS
PERCENT_FROM = 2.0
"""A number from here is a percentage that was meant; one that is just above 1 is rather a share that is too large."""
MOST_MENDED = 8
"""Most faults of an audience that the proposed call mends."""
SHOWN_AUDIENCE = 600
"""Most bytes of an audience that a proposed call repeats."""
OPEN = "..."
"""What stands in a proposed call where only the caller knows what belongs there."""


@dataclass(frozen=True)
class Question:
    """What is asked: signed relative effects by metric, None for the metric's usual one; what is None is open."""

    surface: str
    metrics: Mapping[str, float | None]
    days: int | None = None
    allocation: float | None = None
    audience: JsonObject | str = field(default_factory=dict[str, JsonValue])
    variants: int = 2

    @property
    def treatments(self) -> list[str]:
        """Keys of the variants beside the control."""
        return ["treatment", *(f"treatment-{number}" for number in range(2, self.variants))]

    @property
    def call(self) -> str:
        """The call that asks this; an audience that has no room in it is left open."""
        long = len(canonical(self.audience).encode()) > SHOWN_AUDIENCE
        audience = OPEN if long else self.audience
        call = calls.estimate(self.surface, self.metrics, self.days, self.allocation, audience, self.variants)
        return f"{call}, with the audience of this call" if long else call


@dataclass
class _Reading:
    """The question as far as it is read; `meant` is what the proposed call asks, and what was right stays in it."""

    catalogue: Catalogue
    asked: Question
    meant: Question
    slips: list[CrossfadeError] = field(default_factory=list[CrossfadeError])

    @property
    def unit(self) -> str | None:
        """The unit of the surface that is asked about or was meant; None when no surface is known."""
        surface = self.catalogue.surfaces.get(self.meant.surface)
        return surface.unit if surface else None

    def means(self, **parts: object) -> None:
        self.meant = replace(self.meant, **parts)


def read_question(catalogue: Catalogue, asked: Question) -> tuple[Question, Audience]:
    """(the question under the catalogue's own names, with effects signed towards what is better; its audience).

    Raises:
        NotFound: no such surface or metric, with the nearest.
        Invalid: an effect, a share, days, variants or an audience that cannot be; `more` has what else is wrong, and
            `next` asks what was probably meant.
    """
    require_storable(asked.audience, "the audience")
    reading = _Reading(catalogue, asked, asked)
    _read_surface(reading)
    for slip in _number_slips(reading):
        reading.slips.append(slip)
    effects = _read_metrics(reading)
    audience = _read_audience(reading)
    if reading.slips:
        raise _told(reading)
    return replace(asked, surface=reading.meant.surface, metrics=effects), audience


def _told(reading: _Reading) -> CrossfadeError:
    """The first slip in full and a line for each other one."""
    first, *rest = reading.slips
    call = reading.meant.call
    if reading.unit is None:
        call = f"{calls.find_surfaces()}, then {call}"
    elif OPEN in reading.meant.metrics or reading.meant.audience == OPEN:
        call = f"{calls.surface(reading.meant.surface)}, then {call}"
    first.more, first.next = [slip.line for slip in rest], call
    return first


def _read_surface(reading: _Reading) -> None:
    try:
        reading.means(surface=known_surface(reading.catalogue, reading.asked.surface))
    except NotFound as slip:
        reading.slips.append(slip)
        reading.means(surface=meant(reading.asked.surface, reading.catalogue.surfaces) or OPEN)


def _number_slips(reading: _Reading) -> Iterator[CrossfadeError]:
    days, variants = reading.asked.days, reading.asked.variants
    yield from _share_slips(reading)
    if days is not None and not 1 <= days <= DAY_LIMIT:
        surface = reading.catalogue.surfaces.get(reading.meant.surface)
        reading.means(days=DAY_LIMIT if days > DAY_LIMIT else surface.policy.days if surface else None)
        instead = f"; `next` asks for {reading.meant.days}" if reading.meant.days is not None else ""
        yield Invalid(f"A run has 1 to {DAY_LIMIT} days{instead}.", pointer="/days", got=days)
    if not 2 <= variants <= MOST_VARIANTS:
        reading.means(variants=min(max(variants, 2), MOST_VARIANTS))
        message = f"An experiment has 2 to {MOST_VARIANTS} variants, the control included."
        yield Invalid(message, pointer="/variants", got=variants)


def _share_slips(reading: _Reading) -> Iterator[CrossfadeError]:
    """Of an allocation that is no share, or that is less than one bucket."""
    share = reading.asked.allocation
    if share is None or LEAST_SHARE <= share <= 1:
        return
    if 0 < share < LEAST_SHARE:
        reading.means(allocation=LEAST_SHARE)
        message = f"The smallest allocation is {LEAST_SHARE:g}, one bucket of {BUCKETS:,}."
    else:
        message = "The allocation is a share above 0 and at most 1; 0.2 means 20 % of the eligible units."
        reading.means(allocation=None)
        if PERCENT_FROM <= share <= 100:
            reading.means(allocation=round(share / 100, 4))
            message += f" `next` reads {share:g} as {share:g} %."
        elif share > 0:
            reading.means(allocation=1.0)
            message += " `next` asks for 1, all of them."
    yield Invalid(message, pointer="/allocation", got=share)


def _read_metrics(reading: _Reading) -> dict[str, float | None]:
    """Metric -> effect to find; `meant` gets those that are known, or likely, with the effects as they were sent."""
    active = _in_use(reading)
    effects: dict[str, float | None] = {}
    sent: dict[str, float | None] = {}
    if not 0 < len(reading.asked.metrics) <= MOST_METRICS:
        surface = reading.catalogue.surfaces.get(reading.meant.surface)
        suggested = (surface.suggested_metrics if surface else []) or sorted(active)
        message = f"Name 1 to {MOST_METRICS} success metrics."
        reading.slips.append(Invalid(message, pointer="/metrics", allowed=suggested[:12]))
        sent = dict.fromkeys(suggested[:1] if not reading.asked.metrics else ())
    for given, effect in list(reading.asked.metrics.items())[:MOST_METRICS]:
        name = _metric_meant(reading, given, active)
        if name in effects:
            # Two unknown names may look like one metric; that is no slip of its own.
            if same_name(given, active) is not None:
                reading.slips.append(Invalid("Two of the names are one metric.", pointer="/metrics", got=given[:100]))
        elif effect is not None and abs(effect) > PLAUSIBLE_MDE:
            message = f"{effect:+.0%} on {name} is hardly plausible; effects are shares: 0.01 = 1 %."
            reading.slips.append(Invalid(message, pointer="/metrics", got=effect))
            sent[name] = effect / 100
        else:
            sent[name] = effect
        usual = active[name].usual_effect if name in active else None
        effects[name] = math.copysign(effect, usual) if effect and usual else usual
    reading.means(metrics=sent)
    return effects


def _in_use(reading: _Reading) -> dict[str, Metric]:
    """The metrics that are in use for the surface's unit, or for any while no surface is known."""
    return {
        name: each
        for name, each in reading.catalogue.metrics.items()
        if each.status == "active" and reading.unit in (None, each.unit)
    }


def _metric_meant(reading: _Reading, given: str, active: Mapping[str, Metric]) -> str:
    name = given if given in active else same_name(given, active)
    if name is not None:
        return name
    known = reading.catalogue.metrics.get(given)
    successor = known.replaced_by if known else None
    close = [successor] if successor and successor in active else nearest(given, active)
    message = f"No metric of this name is in use per {reading.unit}." if reading.unit else "No metric has this name."
    reading.slips.append(NotFound(message, pointer="/metrics", got=given[:100], nearest=close))
    return close[0] if close else OPEN


def _read_audience(reading: _Reading) -> Audience:
    attributes, raw = reading.catalogue.attributes, reading.asked.audience
    conditions, problems = audiences.parse(raw, attributes)
    for each in problems:
        allowed, close = each.allowed[:12], each.nearest
        reading.slips.append(Invalid(each.message, pointer=each.at, got=each.got, allowed=allowed, nearest=close))
    left = problems
    for _ in range(MOST_MENDED):
        patch = next((each.patch.get("audience") for each in left if each.patch), None)
        if patch is None:
            break
        mended = merge_patch(raw, patch)
        raw = mended if isinstance(mended, dict | str) else raw
        _, left = audiences.parse(raw, attributes)
    reading.means(audience=OPEN if left else raw)
    return conditions
