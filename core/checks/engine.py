"""What a check is, what it sees, and how findings are made of what it yields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from pydantic import JsonValue

from .. import audience as audiences
from ..documents import JsonObject, digest
from ..model.catalogue import Catalogue, Surface
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..model.finding import SEVERITIES, Finding, Fix, Severity
from ..model.size import Size
from ..planning.buckets import free_buckets
from ..planning.size import size
from ..ports.store import HeldRange, LiveGroup

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


@dataclass(frozen=True)
class Case:
    """One experiment and all that a check may look at. Nothing in it is fetched by a check."""

    key: str
    spec: Spec
    catalogue: Catalogue
    production: Mapping[str, JsonValue]
    today: date
    live: list[LiveGroup]
    held: list[HeldRange]
    started: date | None = None
    """The day of the launch; None of what has not been launched, and can still be changed."""
    strays: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a plan that opens traffic found in the layer though it is not live -> the command that takes it out."""

    @property
    def surface(self) -> Surface:
        return self.catalogue.surfaces[self.spec.surface]

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
    found = [as_finding(check.code, check.severity, fault) for check in checks for fault in check.run(case)]
    return worst_first(found)


def worst_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def as_finding(code: str, severity: Severity, fault: Fault) -> Finding:
    """A finding. The id of a fix is the code and the beginning of its patch's digest: what is offered under an id is
    what is applied under it, whatever else has changed since."""
    fixes = [
        Fix(id=f"{code}.{digest(cure.patch)[:FIX_DIGITS]}", effect=cure.effect, relaxes=cure.relaxes, patch=cure.patch)
        for cure in sorted(fault.cures, key=lambda cure: cure.relaxes)
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
