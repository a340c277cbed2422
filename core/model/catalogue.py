"""The catalogue: what may vary where, how it is measured, whom it reaches, and which systems deliver it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, NonNegativeInt, PositiveFloat, PositiveInt

from ..documents import JsonObject
from .strict import Key, StrictModel, Text

Role = Literal["success", "guardrail", "quality"]
DesignKind = Literal["fixed", "group_sequential"]
"""Whether the result is read once at the end, or at planned looks at which the experiment may end."""
Share = Annotated[float, Field(ge=0, le=1)]
LARGEST_EFFECT = 1_000
"""The largest relative effect or margin that anybody can mean: a thousandfold."""
LONGEST = 180
"""Days of the longest run that is still an experiment."""
LARGEST_MEAN, LARGEST_VARIANCE = 1e15, 1e30
"""Bounds of a baseline, so that no size overflows."""
Effect = Annotated[float, Field(gt=0, le=LARGEST_EFFECT)]
Days = Annotated[int, Field(gt=0, le=LONGEST)]
USUAL_EFFECT = 0.01
"""The relative effect that is looked for on a metric whose entry names none: 1 %."""

SEVERITY = "severity"
"""The name under which a rule for a check has its severity; every other name is one of the check's thresholds."""


def _severity_alone(given: JsonValue) -> JsonValue:
    """Accept `code: block` for `code: {severity: block}`."""
    return {SEVERITY: given} if isinstance(given, str) else given


CheckRules = dict[str, Annotated[dict[str, JsonValue], BeforeValidator(_severity_alone)]]
"""Code of a check -> what is tightened of it: its severity, its thresholds."""


class Attribute(StrictModel):
    """A fact about a unit at evaluation time that an audience may ask for."""

    type: Literal["string", "integer", "number", "boolean", "semver", "date"]
    description: Text
    shares: dict[str, Share] = Field(
        default_factory=dict,
        description="known values and the share of units that has each; an enumerated attribute allows no other value",
    )
    quantiles: dict[float | date, Share] = Field(
        default_factory=dict[float | date, float],
        description="for numbers and dates: value -> share of units strictly below it; linear in between; tells what "
        "an audience reaches",
    )
    open: bool = Field(default=False, description="values outside `shares` are allowed, with an unknown share")
    immutable: bool = Field(default=False, description="never changes during an experiment (country of sign-up, say)")
    present: Share = Field(default=1.0, description="share of units that carry the attribute at all")
    longest: PositiveInt | None = Field(default=None, description="characters of its longest value")
    age_of: Key | None = Field(
        default=None,
        description="unit of which it tells how old it is, in days or by the day it came to be: new units have no past "
        "that a covariate could be measured over",
    )


class Baseline(StrictModel):
    """What the metric is today, per unit over `window_days` of the metric."""

    mean: float = Field(
        ge=-LARGEST_MEAN,
        le=LARGEST_MEAN,
        description="mean per unit; for a proportion the rate, for a ratio the ratio itself",
    )
    variance: PositiveFloat | None = Field(
        default=None,
        le=LARGEST_VARIANCE,
        description="variance per unit; a proportion's is rate * (1 - rate), a ratio's the linearised one",
    )
    skew: float | None = Field(
        default=None,
        description="skewness per unit; none for a proportion, whose rate tells it",
    )
    measured: date | None = Field(default=None, description="day on which it was measured; an old one is warned of")


class Source(StrictModel):
    """Where the metric's events are: one row an event (mean, count, ratio) or a unit (proportion)."""

    table: Text
    unit: Text = Field(description="column that holds the unit's id")
    time: Text = Field(description="column that holds the event's time, UTC")
    value: Text | None = Field(default=None, description="column that is summed; none counts rows")
    denominator: Text | None = Field(default=None, description="column summed below the line, for a ratio")
    filter: Text | None = Field(default=None, description="SQL condition on the rows")


class Metric(StrictModel):
    name: Text
    description: Text
    kind: Literal["proportion", "mean", "ratio", "count"]
    unit: Key = Field(description="unit of analysis: a key of `units`")
    better: Literal["up", "down"]
    baseline: Baseline
    mde: Effect | None = Field(default=None, description="usual minimum detectable effect, relative: 0.01 = 1 %")
    margin: Effect | None = Field(default=None, description="usual non-inferiority margin, relative")
    window_days: Days = Field(default=7, description="days from a unit's first exposure on that are measured")
    freshness_hours: PositiveFloat = Field(default=24.0, description="hours until its events are all there")
    covariate: Key | None = Field(
        default=None,
        description="metric whose value over its window before a unit's first exposure explains part of this one's",
    )
    correlation: Annotated[float, Field(gt=-1, lt=1)] | None = Field(
        default=None, description="of the covariate with this metric per unit, measured with the baseline"
    )
    denominator_metric: Key | None = Field(
        default=None, description="for a ratio: the metric of what stands below the line, to be watched beside it"
    )
    owner: Key
    status: Literal["active", "deprecated"] = Field(default="active", description="a deprecated one fits no draft")
    replaced_by: Key | None = Field(default=None, description="metric to use in place of a deprecated one")
    source: Source

    @property
    def variance(self) -> float | None:
        """Variance per unit over the window, or None when the catalogue has no history of it."""
        if self.kind == "proportion":
            return self.baseline.mean * (1 - self.baseline.mean)
        return self.baseline.variance

    @property
    def unexplained(self) -> float:
        """Share of the variance that the covariate leaves, 1 without one: 1 - rho^2 (CUPED; Deng, Xu, Kohavi, Walker
        2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data", eq. 5)."""
        return 1 - self.correlation**2 if self.covariate and self.correlation else 1.0

    @property
    def skew(self) -> float | None:
        """Skewness per unit, of a proportion (1 - 2 p) / sqrt(p (1 - p)); None when nobody has measured it."""
        if self.kind != "proportion":
            return self.baseline.skew
        variance = self.variance
        return (1 - 2 * self.baseline.mean) / math.sqrt(variance) if variance and variance > 0 else None

    @property
    def usual_effect(self) -> float:
        """The relative effect to look for unless somebody names another, signed towards what is better."""
        return (self.mde or USUAL_EFFECT) * (1 if self.better == "up" else -1)


class Parameter(StrictModel):
    """One thing on a surface that may vary."""

    description: Text
    json_schema: JsonObject = Field(alias="schema", description="JSON Schema 2020-12 of its values")
    initial: JsonValue = Field(description="value in production until content delivery says otherwise")
    layer: Key
    requires: JsonObject | str | None = Field(
        default=None, description="audience that can show other values, such as clients that are new enough"
    )
    content: bool = Field(default=False, description="its texts are ids of `content`")
    component: Key | None = Field(
        default=None, description="what it changes; parameters of one component interact, also across surfaces"
    )
    interference: Text | None = Field(
        default=None, description="why units affect one another through it: a shared supply, a social graph"
    )


class Layer(StrictModel):
    """10,000 buckets; experiments in one layer never share one."""

    description: Text


class RequiredMetric(StrictModel):
    role: Role
    margin: Effect | None = Field(default=None, description="of a guardrail; else the metric's usual one")


class Policy(StrictModel):
    """Defaults and limits of statistics on a surface."""

    alpha: Annotated[float, Field(gt=0, le=0.2)] = Field(default=0.05, description="two-sided, before correction")
    power: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        default=0.8, description="chance that an effect as large as asked for ships"
    )
    max_margin: Effect = Field(default=0.05, description="widest non-inferiority margin, relative")
    design: DesignKind = Field(default="fixed", description="design of a draft that asks for none")
    days: Days = Field(default=14, description="usual duration; whole weeks")
    min_days: Days = Field(default=7, description="shorter runs need a person's word")
    max_days: Days = Field(default=28, description="longest duration the generator proposes")
    allocation: Annotated[float, Field(gt=0, le=1)] = Field(default=0.1, description="smallest usual allocation")
    checks: CheckRules = Field(default_factory=dict, description="checks that are held to more tightly here")
    max_allocation: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="largest allocation that is chosen unless somebody asks for more"
    )
    risky: bool = Field(default=False, description="a launch lets in a part of its units first, or is warned of")
    rest_days: NonNegativeInt = Field(
        default=14, description="days that buckets rest after an experiment before others take them without a warning"
    )


def last_day(start: date, days: int) -> date:
    """The last day of a run of `days` days from `start` on, as far as the calendar goes."""
    return start + timedelta(days=min(max(days, 1) - 1, (date.max - start).days))


class Blackout(StrictModel):
    """Days on which no experiment may run, both ends included: no run may contain one of them."""

    start: date
    end: date
    why: Text


class Route(StrictModel):
    """Which backends deliver in one environment: one assigns units, any number hold content by variant."""

    assigner: Key
    content: list[Key] = Field(default_factory=list[Key])


class Restriction(StrictModel):
    """Units that may be in no experiment of a surface."""

    audience: JsonObject | str
    why: Text


class Surface(StrictModel):
    """A part of the product that users meet."""

    name: Text
    description: Text
    owner: Key
    tags: list[Text] = Field(default_factory=list[Text])
    unit: Key = Field(description="what is randomised: a key of `units`")
    interference: Text | None = Field(
        default=None, description="why its units affect one another: a shared supply, a social graph"
    )
    accrual: dict[PositiveInt, PositiveInt] = Field(
        description="day -> cumulative unique eligible units since the start; days 1, 7, 14 and 28 at least"
    )
    parameters: dict[Key, Parameter] = Field(min_length=1)
    layers: dict[Key, Layer] = Field(min_length=1)
    required_metrics: dict[Key, RequiredMetric] = Field(default_factory=dict[Key, RequiredMetric])
    suggested_metrics: list[Key] = Field(default_factory=list[Key])
    policy: Policy = Policy()
    reviewers: list[Key] = Field(default_factory=list[Key], description="teams to ask before a launch")
    required_reviewers: list[Key] = Field(default_factory=list[Key], description="teams that must agree to a launch")
    required_links: list[Key] = Field(default_factory=list[Key], description="names of links that a spec should have")
    max_live: PositiveInt = Field(default=50, description="most experiments that hold buckets at once")
    blackouts: list[Blackout] = Field(default_factory=list[Blackout])
    restricted: list[Restriction] = Field(default_factory=list[Restriction])
    new_units: bool = Field(
        default=False, description="only units that have just come to be meet it, so that no covariate helps"
    )
    aa_tested: date | None = Field(
        default=None, description="day on which an A/A test last showed that units are split and counted soundly here"
    )
    delivery: dict[Key, Route] = Field(
        default_factory=dict[Key, Route], description="per environment, else its default"
    )

    def blackout_of(self, start: date, days: int) -> Blackout | None:
        """The first blackout that a run of `days` days from `start` on would meet."""
        end = last_day(start, days)
        met = [each for each in self.blackouts if start <= each.end and end >= each.start]
        return min(met, key=lambda each: each.start, default=None)

    def clear_start(self, start: date, days: int) -> date:
        """The first day from `start` on from which a run of `days` days meets no blackout."""
        while (met := self.blackout_of(start, days)) is not None:
            start = met.end + timedelta(days=1)
        return start


class ContentItem(StrictModel):
    """Something that variants show by its id: a banner, a playlist, a text in several languages."""

    description: Text
    status: Literal["draft", "ready", "archived"] = "ready"
    locales: list[Text] | None = Field(default=None, description="locales that it exists in; without, all")
    markets: list[Text] | None = Field(default=None, description="markets that it may be shown in; without, all")
    expires: date | None = Field(default=None, description="last day on which it is shown")


class Holdout(StrictModel):
    """A share of units that no experiment enters, to measure what all of them did together."""

    description: Text
    surfaces: list[Key] = Field(min_length=1)
    share: Annotated[float, Field(gt=0, lt=0.5)]
    salt: Text = Field(description="what its units are drawn by; never changed, never used twice")
    ends: date = Field(description="last day on which a launch still keeps its units out")


class Backend(StrictModel):
    """One delivery or content system; `kind` names the adapter, which checks the settings."""

    kind: Key
    settings: JsonObject = Field(default_factory=dict[str, JsonValue])


class Environment(StrictModel):
    backends: dict[Key, Backend] = Field(min_length=1)
    default: Route


class Catalogue(StrictModel):
    units: dict[Key, Key] = Field(description="unit -> the attribute that holds its id")
    attributes: dict[Key, Attribute]
    metrics: dict[Key, Metric]
    surfaces: dict[Key, Surface]
    holdouts: dict[Key, Holdout] = Field(default_factory=dict[Key, Holdout])
    content: dict[Text, ContentItem] = Field(default_factory=dict[Text, ContentItem])
    content_attributes: dict[Literal["locale", "market"], Key] = Field(
        default_factory=dict[Literal["locale", "market"], Key],
        description="the attributes that hold a unit's locale and market",
    )
    environments: dict[Key, Environment] = Field(min_length=1)
    default_environment: Key
    checks: CheckRules = Field(default_factory=dict, description="checks that everybody is held to more tightly")

    def route(self, surface: str, environment: str) -> Route:
        """Who delivers a surface in an environment."""
        return self.surfaces[surface].delivery.get(environment) or self.environments[environment].default

    @property
    def backend_names(self) -> list[str]:
        """Of all environments, sorted."""
        return sorted({name for each in self.environments.values() for name in each.backends})

    def environments_with(self, backend: str) -> list[str]:
        """Those that have a backend of this name."""
        return [name for name, each in self.environments.items() if backend in each.backends]

    def margin_of(self, surface: str, metric: str) -> float:
        """The margin of a metric as a surface's guardrail unless somebody names another: the surface's for it, else the
        metric's own, else the widest that the surface allows, and never a wider one."""
        required = self.surfaces[surface].required_metrics.get(metric)
        widest = self.surfaces[surface].policy.max_margin
        return (required.margin if required else None) or min(self.metrics[metric].margin or widest, widest)

    def holdouts_of(self, surface: str, on: date | None = None) -> dict[str, Holdout]:
        """The holdouts of a surface that have not ended on a day; without a day, all of them."""
        return {
            key: holdout
            for key, holdout in sorted(self.holdouts.items())
            if surface in holdout.surfaces and (on is None or on <= holdout.ends)
        }

    def unit_attribute(self, surface: str) -> str:
        """The attribute that holds the id of the surface's unit."""
        return self.units[self.surfaces[surface].unit]
