"""Estimate what a surface's units can find, before anything is drafted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from .. import audience as audiences
from ..checks.metrics import PLAUSIBLE_MDE
from ..checks.shape import read_spec
from ..documents import JsonObject, merge_patch, require_storable
from ..errors import Invalid, NotFound
from ..model.answers import Estimate, SizeOption
from ..model.brief import Brief
from ..model.catalogue import Catalogue
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..model.size import Size
from ..names import nearest, same_name
from ..planning.buckets import BUCKETS, free_buckets, layer_name
from ..planning.generate import generate
from ..planning.size import DAY_LIMIT, allocation_needed, days_needed, lasting, size
from ..statistics.multiplicity import adjusted_alpha
from . import calls
from .cases import production_of
from .dependencies import Dependencies
from .drafts import known_surface

MOST_VARIANTS = 20
MENU_DAYS, MENU_ALLOCATIONS = 3, 2
"""Most durations and allocations in the menu."""
SHOWN_METRICS = 3
"""Most success metrics whose detectable effect is told for each option."""
MOST_METRICS = 10


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
    def call(self) -> str:
        """The call that asks this."""
        return calls.estimate(self.surface, self.metrics, self.days, self.allocation, self.audience, self.variants)


def estimate(deps: Dependencies, asked: Question) -> Estimate:
    """A menu of durations and allocations, what the asked effects need, and what decides.

    It sizes the very spec that `create_experiment` would draft: the surface's guardrails and policy included.

    Raises:
        NotFound: no such surface or metric, with the nearest.
        Invalid: an effect, a share, days, variants or an audience that cannot be; `next` asks as was probably meant.
    """
    require_storable(asked.audience, "the audience")
    catalogue = deps.catalogue.current()
    asked = replace(asked, surface=known_surface(catalogue, asked.surface))
    _require_ranges(catalogue, asked)
    known = _known_metrics(catalogue, asked)
    audience = _audience(catalogue, known)
    spec, free = _drafted(deps, catalogue, known)
    found = _Sizer(deps, catalogue, spec, audience, free, known)
    return found.answer(
        {given: name for given, name in zip(asked.metrics, known.metrics, strict=True) if given != name}
    )


def _require_ranges(catalogue: Catalogue, asked: Question) -> None:
    share, days = asked.allocation, asked.days
    if share is not None and not 0 < share <= 1:
        meant = round(share / 100, 4) if 1 < share <= 100 else None
        message = "The allocation is a share above 0 and at most 1; 0.2 means 20 % of the eligible units."
        raise Invalid(message, pointer="/allocation", got=share, next=replace(asked, allocation=meant).call)
    if days is not None and not 1 <= days <= DAY_LIMIT:
        usual = catalogue.surfaces[asked.surface].policy.days
        message = f"A run has 1 to {DAY_LIMIT} days."
        raise Invalid(message, pointer="/days", got=days, next=replace(asked, days=usual).call)
    if not 2 <= asked.variants <= MOST_VARIANTS:
        message = f"An experiment has 2 to {MOST_VARIANTS} variants, the control included."
        raise Invalid(message, pointer="/variants", got=asked.variants, next=replace(asked, variants=2).call)
    if not 0 < len(asked.metrics) <= MOST_METRICS:
        suggested = catalogue.surfaces[asked.surface].suggested_metrics or sorted(catalogue.metrics)
        message = f"Name 1 to {MOST_METRICS} success metrics."
        meant = replace(asked, metrics=dict.fromkeys(suggested[:1]))
        raise Invalid(message, pointer="/metrics", allowed=suggested[:12], next=meant.call)


def _known_metrics(catalogue: Catalogue, asked: Question) -> Question:
    """The question under the catalogue's own names, with effects signed towards what is better."""
    unit = catalogue.surfaces[asked.surface].unit
    active = {name: each for name, each in catalogue.metrics.items() if each.status == "active" and each.unit == unit}
    effects: dict[str, float | None] = {}
    for given, effect in asked.metrics.items():
        name = given if given in active else same_name(given, active)
        if name is None:
            successor = catalogue.metrics[given].replaced_by if given in catalogue.metrics else None
            close = [successor] if successor in active else nearest(given, active)
            meant = (
                {(close[0] if each == given else each): value for each, value in asked.metrics.items()} if close else {}
            )
            message = f"No metric of this name is in use per {unit}."
            call = replace(asked, metrics=meant).call if meant else calls.surface(asked.surface)
            raise NotFound(message, pointer="/metrics", got=given[:100], nearest=[*close], next=call)
        if effect is not None and abs(effect) > PLAUSIBLE_MDE:
            meant = {**asked.metrics, given: effect / 100}
            message = f"{effect:+.0%} on {name} is hardly plausible; effects are shares: 0.01 = 1 %."
            raise Invalid(message, pointer="/metrics", got=effect, next=replace(asked, metrics=meant).call)
        usual = active[name].usual_effect
        effects[name] = math.copysign(effect, usual) if effect else usual
    if len(effects) < len(asked.metrics):
        raise Invalid("Two of the names are one metric.", pointer="/metrics", next=replace(asked, metrics=effects).call)
    return replace(asked, metrics=effects)


def _audience(catalogue: Catalogue, asked: Question) -> Audience:
    conditions, problems = audiences.parse(asked.audience, catalogue.attributes)
    if problems:
        first = problems[0]
        patch = first.patch.get("audience") if first.patch else None
        meant = merge_patch(asked.audience, patch) if isinstance(patch, dict) else None
        call = replace(asked, audience=meant).call if meant else calls.surface(asked.surface)
        raise Invalid(
            first.message, pointer=first.at, got=first.got, allowed=first.allowed[:12], nearest=first.nearest, next=call
        )
    return conditions


def _drafted(deps: Dependencies, catalogue: Catalogue, asked: Question) -> tuple[Spec, float]:
    """(the spec that a brief with these numbers would become, the share of the emptiest layer that is free)."""
    surface, environment = catalogue.surfaces[asked.surface], catalogue.default_environment
    names = [layer_name(environment, asked.surface, layer) for layer in surface.layers]
    with deps.store.read() as view:
        held = view.held(*names)
    room = max(free_buckets([part for part in held if part.layer == name]) for name in names)
    treatments = ["treatment", *(f"treatment-{number}" for number in range(2, asked.variants))]
    brief = Brief(
        surface=asked.surface,
        change="An estimate",
        because="Its size is asked for",
        variants={name: {} for name in treatments},
        success_metrics=dict(asked.metrics),
        audience=asked.audience,
        allocation=asked.allocation,
        duration_days=asked.days,
    )
    production = production_of(deps, catalogue, asked.surface, environment)
    draft = generate(brief, catalogue, production, dict.fromkeys(surface.layers, room), None, deps.clock.now().date())
    spec = read_spec(draft.document)
    assert isinstance(spec, Spec)
    return spec, room / BUCKETS


@dataclass(frozen=True)
class _Sizer:
    """Sizes one spec under several durations and allocations; `spec` has those that the generator chose."""

    deps: Dependencies
    catalogue: Catalogue
    spec: Spec
    audience: Audience
    free: float
    asked: Question

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
            limiting=limiting.metric if limiting else None,
            menu=[self._option(each) for each in self._menu()],
            enough=self._option(enough) if enough is not None else None,
            next=self._next(enough),
        )

    def _falls(self, metric: str) -> bool:
        return self.catalogue.metrics[metric].better == "down"

    def _with(self, days: int, allocation: float) -> Spec:
        weekly = self.spec.design.kind == "group_sequential"
        longer = lasting(self.spec, self.catalogue, days, weekly=weekly)
        return longer.model_copy(update={"allocation": round(allocation, 4)})

    def _sized(self, spec: Spec) -> Size:
        sized = size(spec, self.catalogue, self.audience, self.deps.clock.now().date())
        assert sized is not None
        return sized

    def _menu(self) -> list[Spec]:
        """Whole weeks that the policy allows, each with the usual allocation and with all that is free."""
        policy = self.catalogue.surfaces[self.spec.surface].policy
        weeks = range(max(7, policy.min_days), policy.max_days + 1, 7) if self.asked.days is None else [self.asked.days]
        usual = {policy.allocation, self.free or policy.allocation}
        shares = sorted(usual) if self.asked.allocation is None else [self.asked.allocation]
        return [
            self._with(days, share) for days in _spread(list(weeks), MENU_DAYS) for share in shares[:MENU_ALLOCATIONS]
        ]

    def _enough(self, now: Size) -> Spec | None:
        """The shortest run, and then the fewest units, that resolve everything; None when 180 days do not."""
        if now.sufficient:
            return self.spec
        today = self.deps.clock.now().date()
        widest = self.spec.model_copy(update={"allocation": self.asked.allocation or self.free or self.spec.allocation})
        weekly = self.spec.design.kind == "group_sequential"
        days = days_needed(widest, self.catalogue, self.audience, DAY_LIMIT, today, weekly=weekly)
        if days is None:
            return None
        longer = self._with(days, widest.allocation)
        share = allocation_needed(longer, self.catalogue, self.audience, today)
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
            parameter = next(iter(surface.parameters))
            size = (enough.allocation, enough.design.days)
            return calls.create_sized(self.spec.surface, parameter, self.asked.metrics, self.asked.audience, *size)
        largest = self._sized(self._with(DAY_LIMIT, self.asked.allocation or self.free or self.spec.allocation))
        lacking = {each.metric: each for each in largest.metrics if each.needed > largest.control}
        larger: dict[str, float | None] = {
            name: round(each.detects * 1.01, 4) * (-1 if self._falls(name) else 1)
            for name, each in lacking.items()
            if each.detects is not None
        }
        if len(larger) == len(lacking):
            return replace(self.asked, metrics={**self.asked.metrics, **larger}).call
        # A guardrail's margin is not the caller's to widen.
        everybody = replace(self.asked, audience={})
        return everybody.call if self.asked.audience else calls.surface(self.spec.surface)


def _spread(values: Sequence[int], count: int) -> list[int]:
    """At most `count` of the values, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(step * (len(values) - 1) / (count - 1))] for step in range(count)]
