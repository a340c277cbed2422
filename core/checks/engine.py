"""What a check is, what it sees, and how findings are made of what it yields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from pydantic import JsonValue

from .. import audience as audiences
from ..documents import JsonObject
from ..model.catalogue import Catalogue, Surface
from ..model.delivery import Condition
from ..model.experiment import Spec
from ..model.finding import SEVERITIES, Finding, Fix, Severity
from ..model.size import Size
from ..planning.buckets import free_buckets
from ..planning.dry_run import DryRun
from ..planning.memory import Precedent
from ..planning.neighbours import Meeting, meeting
from ..planning.size import size
from ..ports.store import HeldRange, LiveGroup, ReleasedRange


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
    released: list[ReleasedRange] = field(default_factory=list[ReleasedRange])
    precedents: list[Precedent] = field(default_factory=list[Precedent])
    trial: DryRun | None = None
    live_here: int = 0
    """Others that hold buckets on the surface, whatever their audiences."""

    @property
    def surface(self) -> Surface:
        return self.catalogue.surfaces[self.spec.surface]

    @cached_property
    def parsed_audience(self) -> tuple[list[Condition], list[audiences.Problem]]:
        return audiences.parse(self.spec.audience, self.catalogue.attributes)

    @property
    def audience(self) -> list[Condition]:
        return self.parsed_audience[0]

    @cached_property
    def size(self) -> Size | None:
        """The design's size; None when there is none, or when the audience cannot be read: its size would be wrong."""
        if self.parsed_audience[1]:
            return None
        return size(self.spec, self.catalogue, self.audience, self.today)

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


@dataclass(frozen=True)
class Check:
    """A rule under a code that lasts. `doc` says what it asks for and why: the docstring of `run`, unless given."""

    code: str
    severity: Severity
    run: Callable[[Case], Iterator[Fault]] = lambda case: iter(())
    doc: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "doc", self.doc or inspect.getdoc(self.run) or "")


def findings_of(checks: Iterable[Check], case: Case) -> list[Finding]:
    """Everything that is wrong, worst first and within a severity in the checks' order."""
    found = [
        as_finding(check.code, check.severity, fault, number)
        for check in checks
        for number, fault in enumerate(check.run(case), start=1)
    ]
    return worst_first(found)


def worst_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def as_finding(code: str, severity: Severity, fault: Fault, number: int) -> Finding:
    """A finding; fix ids are the code with a number, `.1` the first cure of the first fault, `.1b` its second."""
    ordered = sorted(fault.cures, key=lambda cure: cure.relaxes)
    fixes = [
        Fix(id=f"{code}.{number}{_letter(rank)}", effect=cure.effect, relaxes=cure.relaxes, patch=cure.patch)
        for rank, cure in enumerate(ordered)
    ]
    return Finding(
        code=code,
        severity=severity,
        at=fault.at,
        message=fault.message,
        got=fault.got,
        allowed=fault.allowed,
        nearest=fault.nearest,
        fixes=fixes,
    )


def _letter(rank: int) -> str:
    return "" if rank == 0 else "bcdefghij"[rank - 1]
