"""What a check is, what it sees, and how findings are made of what it yields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

from pydantic import JsonValue

from .. import audience as audiences
from ..assignment import BUCKETS
from ..documents import JsonObject, digest
from ..model.catalogue import SEVERITY, Catalogue, CheckRules, Surface
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..model.finding import SEVERITIES, Finding, Fix, Severity
from ..model.size import Size
from ..planning.buckets import free_buckets
from ..planning.drift import Delivery
from ..planning.dry_run import DryRun
from ..planning.memory import Precedent
from ..planning.neighbours import Meeting, meeting
from ..planning.size import size
from ..ports.capabilities import ANYTHING, Capabilities
from ..ports.store import HeldRange, LiveGroup, ReleasedRange
from ..wording import percent

FIX_DIGITS = 6
"""Hex digits of a patch's digest in the id of its fix: enough for the fixes of one check on one draft."""


@dataclass(frozen=True)
class Cure:
    """A merge patch on the spec that mends the fault, and what it does in numbers."""

    effect: str
    patch: JsonObject
    relaxes: bool = False


@dataclass(frozen=True)
class Fault:
    """What a check yields: where, why, and what would mend it."""

    at: str
    message: str
    got: JsonValue = None
    allowed: list[str] = field(default_factory=list[str])
    nearest: list[str] = field(default_factory=list[str])
    cures: list[Cure] = field(default_factory=list[Cure])
    about: str | None = None
    """What is wrong, where the message also says what changes while that stays (the day, the traffic of others): a
    person's word that it may stay is bound to this."""


@dataclass(frozen=True)
class Threshold:
    """A number that a check compares with. A catalogue may move it to its tighter side, within the bounds."""

    code: str
    name: str
    default: float
    least: float
    most: float
    tighter: Literal["lower", "higher"]
    unit: str

    def tightens(self, value: float, before: float) -> bool:
        """Whether a value is at least as tight as one before it."""
        return value <= before if self.tighter == "lower" else value >= before


@dataclass(frozen=True)
class Case:
    """One experiment and all that a check may look at. Nothing in it is fetched by a check."""

    key: str
    spec: Spec
    catalogue: Catalogue
    production: Mapping[str, JsonValue]
    today: date
    live: list[LiveGroup]
    """What holds buckets on this surface and on others with its unit, where the audiences meet."""
    held: list[HeldRange]
    started: date | None = None
    """The day of the launch; None of what has not been launched, and can still be changed."""
    first: bool = False
    """Whether nothing was ever launched on the surface, as far as anybody had to know."""
    agreed: frozenset[str] = frozenset()
    """Teams that said yes to this very spec."""
    chosen: frozenset[str] | None = None
    """Pointers to what the server chose and nobody has set; None when it is not known who set what."""
    released: list[ReleasedRange] = field(default_factory=list[ReleasedRange])
    precedents: list[Precedent] = field(default_factory=list[Precedent])
    trial: DryRun | None = None
    live_here: int = 0
    """Others that hold buckets on the surface, whatever their audiences."""
    strays: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a plan that opens traffic found in the layer though it is not live -> the command that takes it out."""
    elsewhere: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of a plan that opens traffic: who holds buckets of the layer, itself among them -> the backend that let its units
    in by another hash than the assigner's."""
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
    """Document that a plan writes to -> the other store that owns it."""
    deliveries: Sequence[Delivery] = ()
    """What is delivered of it beside what was delivered, once it was looked at."""

    swept: bool = True
    """Whether a process that carries out what is due shows life."""
    stage: int = 0
    """The stage of its ramp that a plan is about, the first being 0."""
    late: tuple[str, ...] = ()
    """Why what is due was tried in vain."""
    moved: tuple[float, float] | None = None
    """Of a ramp: the coverage before and after."""
    capabilities: Capabilities | None = None
    """What the assigner can express; None where the catalogue names none. Others' buckets are whole slots of it."""

    @property
    def surface(self) -> Surface:
        return self.catalogue.surfaces[self.spec.surface]

    @property
    def rules(self) -> tuple[CheckRules, CheckRules]:
        """What the catalogue tightens: for everybody, then for the surface, which tightens further."""
        return self.catalogue.checks, self.surface.policy.checks

    def limit(self, threshold: Threshold) -> float:
        """The value of a threshold that holds here."""
        return tightened_limit(threshold, *self.rules)

    @cached_property
    def parsed_audience(self) -> tuple[Audience, list[audiences.Problem]]:
        return audiences.parse(self.spec.audience, self.catalogue.attributes)

    @property
    def audience(self) -> Audience:
        return self.parsed_audience[0]

    @cached_property
    def size(self) -> Size | None:
        """The design's size; None when there is none, or when the audience cannot be read: its size would be wrong."""
        if self.parsed_audience[1]:
            return None
        return size(self.spec, self.catalogue, self.audience, self.today)

    def instead_of(self, at: str, value: str) -> str:
        """How a cure tells the value that it replaces, and that somebody asked for it, where that is known."""
        asked = self.chosen is not None and at not in self.chosen
        return f"instead of the {value} you asked for" if asked else f"instead of {value}"

    def running(self, days: int) -> str:
        """What a cure does that sets the duration."""
        return f"run {days} days {self.instead_of('/design/days', str(self.spec.design.days))}"

    def entering(self, share: float) -> str:
        """What a cure does that sets the allocation."""
        return f"enter {percent(share)} of units {self.instead_of('/allocation', percent(self.spec.allocation))}"

    @property
    def unit_attribute(self) -> str:
        return self.catalogue.unit_attribute(self.spec.surface)

    @property
    def start(self) -> date:
        """The first day of the run: as planned, else today."""
        return max(self.spec.schedule.start or self.today, self.today)

    @property
    def holds(self) -> bool:
        """Whether the experiment holds buckets already."""
        return any(part.key == self.key for part in self.held)

    @cached_property
    def meeting(self) -> Meeting:
        """The live experiments outside its layer that it would meet."""
        return meeting(self.spec, self.catalogue, self.live, self.start)

    @cached_property
    def free(self) -> int:
        """Buckets of the layer that nobody else holds."""
        return free_buckets([held for held in self.held if held.key != self.key])

    @property
    def can(self) -> Capabilities:
        """What the assigner can express; anything, where there is none to ask."""
        return self.capabilities or ANYTHING

    @property
    def slots(self) -> int:
        """Equal parts of a layer that the assigner can tell apart."""
        return self.can.slots

    @property
    def free_share(self) -> float:
        """The largest allocation that the layer has room for."""
        return self.free / BUCKETS

    @property
    def units_at_first_look(self) -> float:
        """Units in the smallest variant when the result may first be read; 0 when there is no size."""
        looks = self.spec.design.looks if self.spec.design.kind == "group_sequential" else []
        return self.size.smallest * (looks[0] if looks else 1.0) if self.size is not None else 0.0


@dataclass(frozen=True)
class Check:
    """A rule under a code that lasts. `doc` says what it asks for and why: the docstring of `run`, unless given.

    `curable` says whether the server can propose a cure that weakens nothing; a link or a review it cannot make up.
    """

    code: str
    severity: Severity
    run: Callable[[Case], Iterator[Fault]] = lambda case: iter(())
    doc: str = ""
    curable: bool = True
    thresholds: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "doc", self.doc or inspect.getdoc(self.run) or "")


def tightened_limit(threshold: Threshold, *rules: CheckRules) -> float:
    """The threshold under rules of which each tightens those before it."""
    limit = threshold.default
    for each in rules:
        given = each.get(threshold.code, {}).get(threshold.name)
        if isinstance(given, int | float):
            limit = given
    return limit


def tightened_severity(check: Check, *rules: CheckRules) -> Severity:
    """The severity under rules of which each tightens those before it."""
    severity: Severity = check.severity
    for each in rules:
        given = each.get(check.code, {}).get(SEVERITY)
        if given in SEVERITIES:
            severity = SEVERITIES[SEVERITIES.index(given)]
    return severity


def findings_of(checks: Iterable[Check], case: Case) -> list[Finding]:
    """Everything that is wrong, worst first and within a severity in the checks' order."""
    found = [
        as_finding(check.code, tightened_severity(check, *case.rules), fault)
        for check in checks
        for fault in check.run(case)
    ]
    return worst_first(found)


def worst_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def as_fix(code: str, cure: Cure) -> Fix:
    """A fix. Its id is the code and the beginning of its patch's digest: what is offered under an id is what is applied
    under it, whatever else has changed since."""
    name = f"{code}.{digest(cure.patch)[:FIX_DIGITS]}"
    return Fix(id=name, effect=cure.effect, relaxes=cure.relaxes, patch=cure.patch)


def as_finding(code: str, severity: Severity, fault: Fault) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        at=fault.at,
        message=fault.message,
        got=fault.got,
        allowed=fault.allowed,
        nearest=fault.nearest,
        about=fault.about,
        fixes=[as_fix(code, cure) for cure in sorted(fault.cures, key=lambda cure: cure.relaxes)],
    )
