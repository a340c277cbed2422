"""What the use cases answer: small, complete, and ending with the next call. An absent part is left out, never null."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from ..documents import JsonObject
from .experiment import Change, State
from .finding import Severity
from .strict import StrictModel

Asked = Literal["given", "declined", "awaiting_person"]
Status = Literal["applied", "undone", "declined", "awaiting_approval", "needs_attention"]


class FixView(StrictModel):
    id: str
    effect: str
    relaxes: bool | None = Field(default=None, description="weakens the test")


class FindingView(StrictModel):
    code: str
    severity: Severity
    at: str
    message: str
    got: JsonValue = None
    allowed: list[str] | None = None
    nearest: list[str] | None = None
    overridden: str | None = Field(default=None, description="who lets it stand, and why")
    fixes: list[FixView] | None = None


class SizeView(StrictModel):
    days: int
    control: int = Field(description="units in the control")
    power: float = Field(description="least chance to ship when each effect is there")
    detects: dict[str, float] | None = Field(default=None, description="metric -> smallest relative effect found")


class Checked(StrictModel):
    """A draft or a bare spec after all checks."""

    key: str | None = None
    version: int | None = None
    state: State | None = None
    ready: bool
    findings: list[FindingView]
    more_findings: list[str] | None = Field(default=None, description="no room: `code at (its fix)`")
    total: int | None = Field(default=None, description="findings, when some have no room")
    generated: dict[str, str] | None = Field(default=None, description="pointer -> value chosen and why")
    changed: dict[str, list[JsonValue]] | None = Field(default=None, description="pointer -> [before, after]")
    more_changed: list[str] | None = None
    size: SizeView | None = None
    next: str


class SizeOption(StrictModel):
    days: int
    allocation: float
    control: int = Field(description="units in the control")
    enough: bool = Field(description="every effect and margin is resolved")
    power: float = Field(description="chance to ship, at least")
    detects: dict[str, float] | None = Field(default=None, description="metric -> smallest effect found")


class Estimate(StrictModel):
    """What the units of a surface can find."""

    surface: str
    read_as: dict[str, str] | None = Field(default=None, description="given -> metric")
    reached: float | None = Field(default=None, description="share of units in the audience")
    alpha: float = Field(description="of each success test, two-sided, corrected")
    power: float = Field(description="of each test, corrected")
    effects: dict[str, float] = Field(description="metric -> effect asked")
    margins: dict[str, float] | None = Field(default=None, description="guardrail -> margin")
    needs: dict[str, int] = Field(description="metric -> units in the control")
    cuped: dict[str, float] | None = Field(default=None, description="metric -> share of variance taken off")
    limiting: str | None = None
    menu: list[SizeOption]
    enough: SizeOption | None = Field(default=None, description="the shortest such run")
    next: str


class ParameterView(StrictModel):
    name: str
    layer: str
    description: str
    values: str = Field(description="what may be set, enums literally")
    production: JsonValue = None


class LayerView(StrictModel):
    layer: str
    free: float
    held_by: list[str] | None = None
    more_free_on: str | None = Field(default=None, description="when the usual allocation should be free")


class SurfaceView(StrictModel):
    key: str
    name: str
    description: str
    owner: str
    unit: str
    units: dict[str, int] = Field(description="day -> cumulative unique eligible units")
    parameters: list[ParameterView]
    more_parameters: list[str] | None = Field(default=None, description="name, and values = production if room allows")
    layers: list[LayerView]
    success_metrics: dict[str, str] = Field(description="suggested metric -> its usual signed effect, and meaning")
    required_metrics: dict[str, str] = Field(description="metric -> role and margin")
    audience: list[str] = Field(description="attributes an audience may use")
    audience_values: dict[str, str] | None = Field(default=None, description="values of some, as room allows")
    reviewers: list[str] | None = None
    blackouts: list[str] | None = None
    holdouts: dict[str, float] | None = None
    recent: list[str] | None = Field(default=None, description="latest experiments, as `key state`")


class Surfaces(StrictModel):
    best: SurfaceView | None = None
    others: dict[str, str] = Field(description="key -> name, the next best fit first")
    cursor: str | None = None
    next: str


class ExperimentLine(StrictModel):
    key: str
    state: State
    name: str
    surface: str
    owner: str
    updated: str
    stage: str | None = None


class Experiments(StrictModel):
    experiments: list[ExperimentLine]
    cursor: str | None = None
    next: str


class VariantView(StrictModel):
    weight: float
    control: bool | None = None
    parameters: JsonObject | None = None


class OperationView(StrictModel):
    id: str
    change: str
    status: str
    reason: str | None = None
    took: str | None = None


class Experiment(StrictModel):
    key: str
    version: int
    state: State
    ready: bool | None = Field(default=None, description="a draft's: nothing blocks it")
    overridden: dict[str, str] | None = Field(default=None, description="finding -> why a person lets it stand")
    findings: list[FindingView] | None = Field(default=None, description="what blocks or goes wrong; full: all")
    more_findings: list[str] | None = None
    total: int | None = None
    name: str
    surface: str
    owner: str
    hypothesis: str | None = Field(default=None, description="this and what follows are absent while it is no spec")
    audience: str | None = Field(default=None, description="in normal form; update_experiment takes text or a map")
    allocation: float | None = None
    days: int | None = None
    variants: dict[str, VariantView] | None = None
    more_variants: list[str] | None = None
    metrics: dict[str, str] | None = None
    buckets: list[str] | None = None
    delivered: list[str] | None = Field(default=None, description="documents that hold our entry now")
    previews: dict[str, list[str]] | None = None
    stage: str | None = None
    due: list[str] | None = Field(default=None, description="what comes unasked")
    operation: OperationView | None = None
    spec: JsonObject | None = None
    generated: dict[str, str] | None = None
    next: str


class StepView(StrictModel):
    action: str
    target: str = Field(description="backend/document")
    does: list[str] | None = Field(default=None, description="what the write means")
    undo: str
    opens_traffic: bool | None = None
    before: JsonObject | None = Field(default=None, description="with full: our entry before, absent when none")
    after: JsonObject | None = Field(default=None, description="with full: our entry after, absent when removed")


class PlanView(StrictModel):
    key: str
    change: Change
    ready: bool
    override: Asked | None = Field(default=None, description="with ask: what the person said")
    digest: str | None = None
    expires: str | None = None
    environment: str | None = None
    steps: list[StepView]
    findings: list[FindingView]
    more_findings: list[str] | None = None
    total: int | None = None
    next: str


class Applied(StrictModel):
    """`status` is the truth about the change; every other field explains it."""

    status: Status
    key: str
    change: Change
    state: State
    operation: str | None = None
    steps: dict[str, str] | None = Field(default=None, description="target -> done, undone or what is left")
    approval: str | None = Field(default=None, description="how the yes or no was given")
    reason: str | None = None
    next: str


class Explanation(StrictModel):
    """Why a unit gets what it gets. Where `because` is "assigner", that is not known: `variant` and `parameters` say
    nothing then."""

    key: str
    unit: str
    state: State
    variant: str | None
    because: str
    detail: str
    steps: list[str]
    parameters: JsonObject
