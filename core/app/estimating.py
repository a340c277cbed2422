"""Estimate what a surface's units can find, before anything is drafted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from .. import audience as audiences
from ..checks.shape import read_spec
from ..documents import JsonObject, canonical
from ..model.answers import Estimate, SizeOption
from ..model.brief import Brief
from ..model.catalogue import Catalogue
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..model.size import Size
from ..planning.buckets import BUCKETS, free_by_layer, layer_name
from ..planning.generate import generate
from ..planning.size import DAY_LIMIT, allocation_needed, days_needed, lasting, size
from ..planning.slots import rounded_up, whole_slots
from ..ports.capabilities import ANYTHING, Capabilities
from ..statistics.multiplicity import adjusted_alpha
from . import calls
from .cases import production_of
from .dependencies import Dependencies
from .question import OPEN, SHOWN_AUDIENCE, Question, read_question

MENU_DAYS, MENU_ALLOCATIONS = 3, 2
"""Most durations and allocations in the menu."""
SHOWN_METRICS = 3
"""Most metrics whose covariate is told, and success metrics whose detectable effect is, for each option."""


def estimate(deps: Dependencies, asked: Question) -> Estimate:
    """A menu of durations and allocations, what the asked effects need, and what decides.

    It sizes the very spec that `create_experiment` would draft: the surface's guardrails and policy included.

    Raises:
        NotFound: no such surface or metric, with the nearest.
        Invalid: an effect, a share, days, variants or an audience that cannot be; `more` has every other slip, and
            `next` asks what was probably meant.
    """
    catalogue = deps.catalogue.current()
    known, audience = read_question(catalogue, asked)
    return _sizer(_situation(deps, catalogue, known.surface), known, audience).answer(
        {given: name for given, name in zip(asked.metrics, known.metrics, strict=True) if given != name}
    )


@dataclass(frozen=True)
class _Situation:
    """A surface as it is now, read once for every size that is tried."""

    catalogue: Catalogue
    surface: str
    production: JsonObject
    room: int
    """Free buckets of the emptiest layer."""
    today: date
    can: Capabilities


def _situation(deps: Dependencies, catalogue: Catalogue, surface: str) -> _Situation:
    environment = catalogue.default_environment
    can = deps.capabilities(catalogue, surface, environment) or ANYTHING
    names = [layer_name(environment, surface, layer) for layer in catalogue.surfaces[surface].layers]
    with deps.store.read() as view:
        held = whole_slots(view.held(*names), can.slots)
    room = max(free_by_layer(held, names).values())
    production = production_of(deps, catalogue, surface, environment)
    return _Situation(catalogue, surface, production, room, deps.clock.now().date(), can)


def _sizer(now: _Situation, asked: Question, audience: Audience) -> _Sizer:
    return _Sizer(now, now.catalogue, _drafted(now, asked), audience, now.room / BUCKETS, asked, now.can.slots)


def _drafted(now: _Situation, asked: Question) -> Spec:
    """The spec that a brief with these numbers would become."""
    brief = Brief(
        surface=asked.surface,
        change="An estimate",
        because="Its size is asked for",
        variants={name: {} for name in asked.treatments},
        success_metrics=dict(asked.metrics),
        audience=asked.audience,
        allocation=asked.allocation,
        duration_days=asked.days,
    )
    layers = dict.fromkeys(now.catalogue.surfaces[now.surface].layers, now.room)
    spec = read_spec(generate(brief, now.catalogue, now.production, layers, None, now.today, now.can).document)
    assert isinstance(spec, Spec)
    return spec


@dataclass(frozen=True)
class _Sizer:
    """Sizes one spec under several durations and allocations; `spec` has those that the generator chose."""

    now: _Situation
    catalogue: Catalogue
    spec: Spec
    audience: Audience
    free: float
    asked: Question
    slots: int

    def answer(self, renamed: dict[str, str]) -> Estimate:
        now = self._sized(self.spec)
        limiting = max(now.metrics, key=lambda each: each.needed, default=None)
        enough = self._enough(now)
        reached, _ = audiences.share(self.audience, self.catalogue.attributes)
        success = [each for each in now.metrics if each.role == "success"]
        alpha = adjusted_alpha(self.spec.design.alpha, len(self.asked.metrics), self.asked.variants - 1)
        return Estimate(
            surface=self.spec.surface,
            read_as=renamed or None,
            reached=round(reached, 4) if self.audience != [[]] else None,
            alpha=round(alpha, 5),
            power=round(now.each, 4),
            effects={each.metric: each.effect * (-1 if self._falls(each.metric) else 1) for each in success},
            margins={each.metric: each.effect for each in now.metrics if each.role == "guardrail"} or None,
            needs={each.metric: math.ceil(each.needed) for each in now.metrics},
            cuped=self._cuped(now),
            limiting=limiting.metric if limiting else None,
            menu=[self._option(each) for each in self._menu()],
            enough=self._option(enough) if enough is not None else None,
            next=self._next(enough),
        )

    def _cuped(self, sized: Size) -> dict[str, float] | None:
        """What the covariates of the metrics that need most take off."""
        found = {
            each.metric: round(each.cuped, 4)
            for each in sorted(sized.metrics, key=lambda each: -each.needed)
            if each.cuped is not None
        }
        return dict(list(found.items())[:SHOWN_METRICS]) or None

    def _falls(self, metric: str) -> bool:
        return self.catalogue.metrics[metric].better == "down"

    def _with(self, days: int, allocation: float) -> Spec:
        weekly = self.spec.design.kind == "group_sequential"
        longer = lasting(self.spec, self.catalogue, days, weekly=weekly)
        return longer.model_copy(update={"allocation": round(allocation, 4)})

    def _sized(self, spec: Spec) -> Size:
        sized = size(spec, self.catalogue, self.audience, self.now.today)
        assert sized is not None
        return sized

    def _menu(self) -> list[Spec]:
        """Whole weeks that the policy allows, each with the usual allocation and with all that is free."""
        policy = self.catalogue.surfaces[self.spec.surface].policy
        weeks = range(max(7, policy.min_days), policy.max_days + 1, 7) if self.asked.days is None else [self.asked.days]
        least = rounded_up(policy.allocation, self.slots)
        usual = {least, self.free or least}
        shares = sorted(usual) if self.asked.allocation is None else [self.asked.allocation]
        return [
            self._with(days, share) for days in _spread(list(weeks), MENU_DAYS) for share in shares[:MENU_ALLOCATIONS]
        ]

    def _enough(self, now: Size) -> Spec | None:
        """The shortest run, and then the fewest units, that resolve everything; None when 180 days do not."""
        if now.sufficient:
            return self.spec
        today = self.now.today
        widest = self.spec.model_copy(update={"allocation": self.asked.allocation or self.free or self.spec.allocation})
        weekly = self.spec.design.kind == "group_sequential"
        days = days_needed(widest, self.catalogue, self.audience, DAY_LIMIT, today, weekly=weekly)
        if days is None:
            return None
        longer = self._with(days, widest.allocation)
        needed = allocation_needed(longer, self.catalogue, self.audience, today)
        share = rounded_up(needed, self.slots) if needed is not None else None
        smaller = self.asked.allocation is None and share is not None and share < widest.allocation
        return self._with(days, share) if smaller and share is not None else longer

    def _option(self, spec: Spec) -> SizeOption:
        sized = self._sized(spec)
        found = {
            each.metric: round(each.detects, 5)
            for each in sorted(sized.metrics, key=lambda each: -each.needed)
            if each.detects is not None
        }
        return SizeOption(
            days=spec.design.days,
            allocation=spec.allocation,
            control=round(sized.control),
            enough=sized.sufficient,
            power=round(sized.power, 3),
            detects=dict(list(found.items())[:SHOWN_METRICS]) or None,
        )

    def _next(self, enough: Spec | None) -> str:
        surface = self.catalogue.surfaces[self.spec.surface]
        if enough is not None:
            size = (enough.allocation, enough.design.days)
            long = len(canonical(self.asked.audience).encode()) > SHOWN_AUDIENCE
            shown = (next(iter(surface.parameters)), self.asked.metrics, OPEN if long else self.asked.audience)
            call = calls.create_sized(self.spec.surface, *shown, *size, self.asked.treatments)
            return f"{call}, with the audience of this call" if long else call
        less = self._less()
        if less is not None:
            return less.call
        # A guardrail's margin is not the caller's to widen, and whom a test is about is a person's to say.
        everybody = replace(self.asked, audience={})
        if self.asked.audience:
            other = _sizer(self.now, everybody, [[]])
            less = everybody if other.resolves else other._less()
        if less is not None:
            return f"a person decides whether a wider audience will do; of everybody: {less.call}"
        return calls.surface(self.spec.surface)

    @property
    def resolves(self) -> bool:
        """Whether some run is enough."""
        return self._enough(self._sized(self.spec)) is not None

    def _less(self) -> Question | None:
        """The question with less asked of the units, so that some run is enough; all else stays as it was asked."""
        for changed in self._changes():
            if _sizer(self.now, changed, self.audience).resolves:
                return changed
        return None

    def _changes(self) -> Iterator[Question]:
        asked = self.asked
        wider = replace(asked, allocation=None) if asked.allocation and asked.allocation < self.free else None
        if wider is not None:
            yield wider
        if asked.variants > 2:
            yield replace(asked, variants=2)
        if wider is not None and asked.variants > 2:
            yield replace(wider, variants=2)
        larger = self._larger()
        if larger is not None:
            yield larger

    def _larger(self) -> Question | None:
        """The question with effects that the longest run finds; None when a guardrail is what lacks units."""
        largest = self._sized(self._with(DAY_LIMIT, self.asked.allocation or self.free or self.spec.allocation))
        lacking = [each for each in largest.metrics if each.needed > largest.control]
        larger = {
            each.metric: math.ceil(each.detects * 1.01e4) / 1e4 * (-1 if self._falls(each.metric) else 1)
            for each in lacking
            if each.detects is not None
        }
        return replace(self.asked, metrics={**self.asked.metrics, **larger}) if len(larger) == len(lacking) else None


def _spread(values: Sequence[int], count: int) -> list[int]:
    """At most `count` of the values, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(step * (len(values) - 1) / (count - 1))] for step in range(count)]
