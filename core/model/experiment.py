"""An experiment: its spec, its states, and the record that the store keeps."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, ValidationError

from ..documents import JsonObject, digest
from .catalogue import LARGEST_EFFECT, DesignKind, Role
from .strict import Key, StrictModel, Text

EXPERIMENT_KEY = r"^[a-z][a-z0-9-]{2,62}$"
ExperimentKey = Annotated[str, StringConstraints(pattern=EXPERIMENT_KEY)]
VARIANT_KEY = r"^[a-z0-9][a-z0-9_-]{0,62}$"
VariantKey = Annotated[str, StringConstraints(pattern=VARIANT_KEY)]

State = Literal["draft", "scheduled", "running", "paused", "stopped"]
Change = Literal["launch", "ramp", "pause", "resume", "stop", "reconcile", "preview"]
"""`ramp` changes what share of the reserved units is let in, and neither weights nor buckets. `reconcile` puts back
what was delivered, where somebody else changed it. `preview` changes what named test units see and nothing else; it is
made at a terminal only."""

TRANSITIONS: dict[tuple[State, Change], State] = {
    ("draft", "launch"): "running",
    ("scheduled", "launch"): "running",
    ("scheduled", "pause"): "paused",
    ("running", "pause"): "paused",
    ("running", "ramp"): "running",
    ("paused", "resume"): "running",
    ("running", "stop"): "stopped",
    ("paused", "stop"): "stopped",
    ("scheduled", "stop"): "stopped",
    ("stopped", "stop"): "stopped",
    ("scheduled", "reconcile"): "scheduled",
    ("running", "reconcile"): "running",
    ("paused", "reconcile"): "paused",
    ("draft", "preview"): "draft",
    ("running", "preview"): "running",
}
"""What a change makes of a state. A plan that opens traffic later leaves `scheduled` instead, which holds the buckets.
Each launch passes through it; when one is stuck there between forward and back, a stop is the way out. What is stopped
can be stopped again, should a backend have got some of it back."""

LIVE: frozenset[State] = frozenset({"scheduled", "running", "paused"})
"""States that hold buckets."""

LAUNCHED: frozenset[State] = frozenset({"scheduled", "running", "paused", "stopped"})
"""States of what units have met, or are about to."""

NARROWING: frozenset[Change] = frozenset({"pause", "stop"})
"""Changes that take exposure away: they need no person."""


def changes_from(state: State) -> list[Change]:
    """The changes that get an experiment on from a state."""
    return [change for (before, change), after in TRANSITIONS.items() if before == state != after]


DESCRIPTIVE = ("name", "owner", "tags", "links", "alerts")
"""Fields of a spec on which neither assignment nor analysis rests: safe to change while units are in."""


def substance(document: JsonObject) -> str:
    """Digest of a spec without its descriptive fields: the same as long as units get, and people conclude, the same."""
    return digest({name: value for name, value in document.items() if name not in DESCRIPTIVE})


class Hypothesis(StrictModel):
    """ "Because `because`, `change` will move `metric` in `direction`." """

    change: Text
    metric: str
    direction: Literal["increase", "decrease"]
    because: Text


class Variant(StrictModel):
    name: Text | None = None
    weight: float = Field(description="share of the allocation, 0-1; all weights sum to 1")
    control: bool = False
    parameters: JsonObject = Field(
        default_factory=dict[str, JsonValue], description="only what differs from production"
    )


Relative = Annotated[float, Field(ge=-LARGEST_EFFECT, le=LARGEST_EFFECT)]


class MetricUse(StrictModel):
    role: Role
    mde: Relative | None = Field(default=None, description="relative minimum detectable effect, signed: 0.01 = up 1 %")
    margin: Relative | None = Field(
        default=None, description="relative non-inferiority margin of a guardrail: 0.01 = 1 %"
    )


class Design(StrictModel):
    kind: DesignKind = "fixed"
    alpha: float = Field(description="two-sided significance level before correction")
    power: float
    days: int = Field(description="duration in days, at the longest")
    correction: Literal["bonferroni", "holm", "none"] = Field(
        default="bonferroni", description="what keeps alpha over several success metrics and treatments"
    )
    looks: list[float] = Field(
        default_factory=list[float],
        description="group_sequential: shares of the units by which the result may be read, growing, the last 1",
    )
    spending: Literal["power", "obrien_fleming", "pocock"] = Field(
        default="power", description="group_sequential: how alpha is spent over the looks"
    )
    rho: Annotated[float, Field(gt=0, le=10)] = Field(
        default=2.0, description="exponent of the power spending: alpha * look ** rho"
    )


StopRule = Literal["srm", "guardrail"]
STOP_RULES: tuple[StopRule, ...] = ("srm", "guardrail")


class Decision(StrictModel):
    """When the treatment ships: so many success metrics are superior, and so many guardrails are non-inferior."""

    success: Literal["any", "all"] = "any"
    guardrails: Literal["all"] = "all"

    def __str__(self) -> str:
        return f"ship if {self.success} success superior, {self.guardrails} guardrails non-inferior"


LONGEST_STAGE = 90 * 24
"""Hours; what is longer is no stage of a ramp but a run of its own."""


class Stage(StrictModel):
    """A stage of a ramp before the last one, in which all of the allocation is let in."""

    coverage: float = Field(description="share of the allocation that is let in, 0-1")
    hours: int | None = None
    days: int | None = Field(default=None, description="or hours; with neither it lasts until a person goes on")

    @property
    def lasts(self) -> timedelta | None:
        """How long the stage lasts; None until somebody goes on. A day is 24 hours: the time is UTC."""
        if self.hours is None and self.days is None:
            return None
        hours = (self.hours or 0) + 24 * (self.days or 0)
        return timedelta(hours=min(max(hours, 0), LONGEST_STAGE))


class Schedule(StrictModel):
    start: date | None = Field(default=None, description="first day, UTC; none means on launch")
    end: date | None = Field(default=None, description="last day, UTC; none means until somebody stops it")


class Spec(StrictModel):
    """Everything that makes an experiment reproducible; the server generates what a brief leaves out."""

    name: Text
    hypothesis: Hypothesis
    surface: Key
    layer: Key
    unit: Key
    environment: Key
    audience: JsonObject | str = Field(
        default_factory=dict[str, JsonValue],
        description='attribute -> value, [values], {"not": ...}, {"gte", "gt", "lte", "lt"} or {"exists": false}, '
        'all of which must hold; {"any": [...]}, {"all": [...]} and {"not": {...}} of such maps; or text: '
        '"colour in (red, blue) and (size < 9 or shape = round)"',
    )
    allocation: float = Field(description="share of eligible units that enter, 0-1")
    variants: dict[VariantKey, Variant]
    metrics: dict[str, MetricUse]
    design: Design
    ramp: list[Stage] = Field(
        default_factory=list[Stage], description="stages before everybody is let in; none lets all in at once"
    )
    schedule: Schedule = Schedule()
    decision: Decision | None = Field(default=None, description="when the treatment ships, settled before the run")
    stop: list[StopRule] = Field(default_factory=list[StopRule], description="what shall pause the run on its own")
    alerts: list[Text] = Field(default_factory=list[Text], description="teams or channels that are told of alarms")
    owner: str = ""
    tags: list[Text] = Field(default_factory=list[Text])
    links: dict[Key, Text] = Field(default_factory=dict[Key, Text])
    iterates: ExperimentKey | None = Field(default=None, description="key of the experiment this one follows")

    @property
    def coverages(self) -> list[float]:
        """Share of the allocation that each stage lets in, the last included: everybody."""
        return [*(stage.coverage for stage in self.ramp), 1.0]

    @property
    def whole_days(self) -> int:
        """Days of the run on which everybody is let in, at least 1: the first of them begins when the ramp ends."""
        ramp = sum((stage.lasts or timedelta() for stage in self.ramp), timedelta())
        return max(1, self.design.days - -(-ramp // timedelta(days=1)))

    @property
    def control(self) -> str | None:
        """Key of the control variant, or None when there is not exactly one."""
        controls = [key for key, variant in self.variants.items() if variant.control]
        return controls[0] if len(controls) == 1 else None

    @property
    def touched(self) -> list[str]:
        """Parameters that any variant sets, sorted."""
        return sorted({name for variant in self.variants.values() for name in variant.parameters})

    @classmethod
    def of(cls, document: JsonObject) -> Spec | None:
        """The spec that a document is, None where it breaks the schema."""
        try:
            return cls.model_validate(document)
        except ValidationError:
            return None


def equal_weights(keys: list[str], steps: int | None = None) -> dict[str, float]:
    """Equal weights of six digits, or of whole steps, that sum to exactly 1; the last takes the remainder.

    Args:
        steps: equal steps of a weight, at least as many as there are keys; None for six digits.
    """
    each = round(1 / len(keys), 6) if steps is None else steps // len(keys) / steps
    return dict.fromkeys(keys[:-1], each) | {keys[-1]: round(1 - each * (len(keys) - 1), 6)}


class Record(StrictModel):
    """An experiment in the store. `document` is the spec as written, which may still break its own schema."""

    key: str
    version: int
    state: State
    document: JsonObject
    generated: dict[str, str] = Field(description="pointer -> why the server chose the value")
    request_digest: str = Field(description="digest of the create call, which makes a repeat recognisable")
    launches: int = 0
    started: datetime | None = None
    created: datetime
    updated: datetime

    @property
    def surface(self) -> str:
        return str(self.document.get("surface", ""))

    @property
    def owner(self) -> str:
        return str(self.document.get("owner", ""))
