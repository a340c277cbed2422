"""A plan, the operation that applies it, and what each of them covers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from ..documents import JsonObject
from .experiment import NARROWING, Change, State
from .strict import StrictModel

Assurance = Literal["host", "terminal", "none"]
"""How a yes reached us: `host` = elicitation through the MCP host, which we cannot tell from a person;
`terminal` = typed at this machine; `none` = the change needs no yes."""

RESTS_ON = "rests_on"
"""The covered part that names the plan whose yes covers this one too."""
BUCKETS = 10_000
"""Buckets of a layer."""

OperationStatus = Literal["running", "applied", "undone", "needs_attention"]
StepStatus = Literal["pending", "intended", "done", "undoing", "undone"]


class BucketRange(StrictModel):
    """Buckets lo <= b < hi of a layer."""

    lo: int = Field(ge=0, lt=BUCKETS)
    hi: int = Field(gt=0, le=BUCKETS)


def width(ranges: Iterable[BucketRange]) -> int:
    """How many buckets they are together."""
    return sum(each.hi - each.lo for each in ranges)


class Place(StrictModel):
    """One document of one backend, with all that is needed to reach it again without the catalogue."""

    backend: str = Field(description="name in the catalogue's environment")
    kind: str = Field(description="adapter")
    settings: JsonObject
    document: str = Field(description="document in that backend")


class Step(StrictModel):
    """One write of our own entry in one document. `None` is absence."""

    place: Place
    action: Literal["put", "remove"]
    entry: str = Field(description="our entry's name in the document: the experiment's key")
    before: JsonObject | None
    after: JsonObject | None
    opens_traffic: bool = False
    closes_traffic: bool = False
    summary: list[str] = Field(default_factory=list[str], description="what the write means, in a few lines")

    @property
    def target(self) -> str:
        """The document, by backend; which entry of it is meant is plain from the experiment."""
        return f"{self.place.backend}/{self.place.document}"


class Plan(StrictModel):
    """What one change of one experiment would do, exactly.

    `digest` is the SHA-256 of `covered`; its first ten hex digits after `p-` are the handle that callers use.
    """

    handle: str
    digest: str
    key: str
    change: Change
    environment: str
    version: int
    covered: JsonObject
    ranges: list[BucketRange]
    layer: str = Field(description="surface, layer and environment that the ranges belong to")
    steps: list[Step]
    created: datetime
    expires: datetime

    @property
    def narrows(self) -> bool:
        """Whether it takes exposure away and does nothing else, which needs no person's yes."""
        takes_out = self.change == "reconcile" and all(step.after is None for step in self.steps)
        return self.change in NARROWING or takes_out

    @property
    def previews(self) -> dict[str, list[str]]:
        """Variant -> test units that the change leaves the experiment with; empty for what takes exposure away."""
        kept = self.covered.get("previews")
        named = kept.items() if isinstance(kept, dict) else ()
        return {variant: [str(unit) for unit in units] for variant, units in named if isinstance(units, list)}

    @property
    def stage(self) -> int | None:
        """The stage of the ramp that the change leaves the experiment at, the first being 0."""
        kept = self.covered.get("stage")
        return kept if isinstance(kept, int) else None

    @property
    def opens(self) -> datetime | None:
        """When a launch or a resume lets the first unit in, where that is later than its apply."""
        kept = self.covered.get("opens")
        return datetime.fromisoformat(kept) if isinstance(kept, str) else None

    @property
    def rests_on(self) -> str | None:
        """The handle of the plan whose yes covers this one; None where a yes of its own does."""
        kept = self.covered.get(RESTS_ON)
        return kept if isinstance(kept, str) else None


class Approval(StrictModel):
    handle: str
    approved: bool
    assurance: Assurance
    by: str
    at: datetime


class OperationStep(StrictModel):
    """A step and what has become of it. Its seconds say where the time went, over all attempts and takers."""

    step: Step
    status: StepStatus = "pending"
    attempts: int = 0
    error: str | None = None
    at: datetime | None = Field(default=None, description="when it was last done or undone")
    declared: datetime | None = Field(default=None, description="when it was last written that it is the next one")
    queue: float = Field(default=0.0, description="seconds between that and an attempt: waits, and dead processes")
    backend: float = Field(default=0.0, description="seconds in calls of the backend")
    own: float = Field(default=0.0, description="seconds of ours around those calls")

    @property
    def seconds(self) -> float:
        return self.queue + self.backend + self.own


class Failure(StrictModel):
    """Why an operation turned to undo or is stuck: what the backend of a step said last."""

    target: str = Field(description="of the step")
    message: str
    got: JsonValue = Field(default=None, description="the backend's own words, cut and without secrets")
    remedy: str = Field(default="", description="what to do, as the backend's error says it")
    attempts: int = Field(description="writes tried")


class Operation(StrictModel):
    """The journal of one apply. `fence` grows with each new owner; a write under an older fence is refused."""

    id: str
    handle: str
    key: str
    change: Change
    status: OperationStatus
    direction: Literal["forward", "undo"] = "forward"
    fence: int
    lease_owner: str
    lease_until: datetime
    expires: datetime = Field(description="after it an operation that has not opened traffic is undone")
    from_state: State
    to_state: State
    by: str
    assurance: Assurance
    steps: list[OperationStep]
    reason: str | None = Field(default=None, description="why it turned to undo or needs attention")
    failure: Failure | None = Field(default=None, description="the same, where a backend is the reason")
    started: datetime
    finished: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """From its first transaction to its last; None of one that goes on."""
        return (self.finished - self.started).total_seconds() if self.finished else None

    @property
    def slowest(self) -> OperationStep | None:
        """The step that took longest, all its waits included."""
        return max(self.steps, key=lambda each: each.seconds, default=None)

    @property
    def settled(self) -> bool:
        """Whether it has ended. Until then some documents are as it wants them, and others not yet."""
        return self.status in ("applied", "undone")

    @property
    def opened(self) -> bool:
        """True once traffic may have opened: from the intent of the opening step on."""
        return any(each.step.opens_traffic and each.status in ("intended", "undoing", "done") for each in self.steps)


class AuditEvent(StrictModel):
    at: datetime
    who: str
    what: str
    subject: str
    before: JsonObject | None = None
    after: JsonObject | None = None
