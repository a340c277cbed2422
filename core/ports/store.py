"""The store, as the core sees it: transactions that read, and transactions that also write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Literal, Protocol

from pydantic import Field

from ..documents import JsonObject
from ..model.experiment import Change, Record, State
from ..model.override import Override, Review
from ..model.plan import Approval, AuditEvent, BucketRange, Operation, Place, Plan, Step
from ..model.strict import StrictModel


class HeldRange(StrictModel):
    """Buckets that an experiment holds in a layer; `until` is its planned end, a forecast."""

    layer: str
    lo: int
    hi: int
    key: str
    until: date | None


class LayerUse(StrictModel):
    """How much of a layer is held, by how many experiments, and the first of their keys."""

    layer: str
    taken: int
    count: int
    first: str


class ReleasedRange(StrictModel):
    """Buckets that an experiment held in a layer until a day."""

    lo: int
    hi: int
    key: str
    day: date


class Summary(StrictModel):
    """What lists, searches and coordination need of an experiment, without its spec."""

    key: str
    version: int
    state: State
    name: str
    surface: str
    layer: str
    environment: str
    owner: str
    touched: list[str]
    audience: JsonObject | str
    updated: datetime


class Match(Summary):
    """An experiment that was found by words; the smaller its score, the better it fits."""

    score: float


class Member(StrictModel):
    """A live experiment, as others are told of it; `until` is its planned end, a forecast."""

    key: str
    owner: str
    until: date | None


class LiveGroup(StrictModel):
    """Live experiments of one layer that set the same parameters: a surface with thousands has few of these."""

    surface: str
    layer: str
    touched: list[str]
    count: int
    members: list[Member] = Field(default_factory=list[Member], description="some of them, once they are asked for")


class Placement(StrictModel):
    """An entry that an experiment has in a backend now, with what is needed to take it out again."""

    key: str
    place: Place
    entry: JsonObject
    opens_traffic: bool


DueKind = Literal["start", "ramp", "end"]


class Due(StrictModel):
    """What is to be done with an experiment at a moment, without anybody being asked again."""

    key: str
    kind: DueKind
    at: datetime
    stage: int | None = Field(default=None, description="of a ramp: the stage to go to, the first being 0")
    handle: str = Field(description="the plan whose yes it rests on")
    again: datetime = Field(description="it is not tried before this moment")
    tries: int = 0
    reason: str | None = Field(default=None, description="why the last try did nothing")


class Exposure(StrictModel):
    """How far an experiment that was launched lets its units in: at a stage of its ramp, the first being 0."""

    key: str
    stage: int
    stages: int = Field(description="all stages, the last included, in which everybody is in")
    coverage: float = Field(description="share of the reserved units that are let in, 0-1")
    since: datetime


class Heartbeat(StrictModel):
    """The last sign of life of a process that carries out what is due."""

    name: str
    at: datetime
    every: float = Field(description="seconds between two signs")


class Imported(StrictModel):
    """What somebody else runs on a surface in an assigner, as it was when it was last looked at. It holds no bucket."""

    environment: str
    backend: str
    key: str = Field(description="its name there")
    surface: str
    touched: list[str]
    audience: JsonObject = Field(description="everybody whom it can reach, and more where that cannot be told")
    share: float | None = Field(description="of its audience, 0-1; None when that cannot be told")
    since: datetime = Field(description="it was seen then for the first time, or began, if that is known")


class Reader(Protocol):
    """One consistent view of the store."""

    def experiment(self, key: str, version: int | None = None) -> Record | None:
        """The record, or the record as it was at `version`."""
        ...

    def search(
        self,
        *,
        surface: str | None = None,
        states: frozenset[State] | None = None,
        owner: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[Summary]:
        """Newest update first, ties by key; `after` is the (updated, key) of the last one seen."""
        ...

    def matching(
        self,
        text: str,
        *,
        surface: str | None = None,
        states: frozenset[State] | None = None,
        owner: str | None = None,
        touching: Sequence[str] = (),
        after: tuple[float, str] | None = None,
        newest: int | None = None,
        limit: int,
    ) -> list[Match]:
        """The experiments in which words of the text occur (in key, name, tags, hypothesis, owner, metric, parameters
        or surface), best first by BM25 or a rank that weighs rarity as it does, ties by key.

        Not all words need occur; a word stands for all that begin with it; case and accents do not count. The text is
        never syntax. `touching` leaves out those that change none of these parameters. `after` is the (score, key) of
        the last one seen; `newest` bounds how many are ranked, the last created first, where the best of a bounded
        number will do.
        """
        ...

    def keys(self) -> list[str]: ...

    def live_on(self, surface: str, environment: str) -> int:
        """How many experiments hold buckets on a surface."""
        ...

    def live_audiences(self, environment: str, surfaces: Sequence[str]) -> list[str]:
        """The audiences of the experiments that hold buckets on the surfaces, each once, as JSON text in which names
        are in order."""
        ...

    def live_beside(
        self, environment: str, surfaces: Sequence[str], audiences: Sequence[str], today: date, start: date
    ) -> list[LiveGroup]:
        """The experiments of the surfaces that hold buckets and have one of the audiences, without those that plan to
        end before `start`, in groups. One that should have ended before today runs on, so it counts."""
        ...

    def members(
        self, group: LiveGroup, environment: str, audiences: Sequence[str], today: date, start: date, limit: int
    ) -> list[Member]:
        """The first experiments of a group, by key."""
        ...

    def released(self, layer: str, since: datetime) -> list[ReleasedRange]:
        """What was given back in a layer since a moment, after units may have met a variant there."""
        ...

    def last_release(self, key: str) -> datetime | None:
        """When an experiment gave buckets back last."""
        ...

    def held(self, *layers: str) -> list[HeldRange]:
        """Ranges held in the layers now, by layer and `lo`."""
        ...

    def uses(self, *layers: str) -> list[LayerUse]:
        """How much of each layer is held now; layers that are free are left out."""
        ...

    def ranges_of(self, key: str) -> list[BucketRange]: ...

    def proposed(self, layer: str, key: str, now: datetime) -> list[BucketRange]:
        """What launches of other experiments propose to take in a layer, by plans that can still be applied: of drafts
        as they are, not expired, not declined, not begun. Of very many plans, the newest."""
        ...

    def plan(self, handle: str) -> Plan | None: ...

    def approval(self, handle: str) -> Approval | None: ...

    def declined(self, key: str, change: Change, now: datetime) -> list[Plan]:
        """The plans of a change that a person said no to and that have not expired, the newest first; 20 at most."""
        ...

    def overrides(self, key: str, spec: str) -> list[Override]:
        """What people lifted of an experiment whose spec has this digest, by code and pointer."""
        ...

    def reviews(self, key: str, spec: str) -> list[Review]:
        """What teams said of the spec of this digest, by team."""
        ...

    def operation(self, operation_id: str) -> Operation | None: ...

    def fence_of(self, operation_id: str) -> int | None:
        """The fence under which an operation is carried out, without all else of it; None when there is none."""
        ...

    def operation_of(self, handle: str) -> Operation | None:
        """The operation that applies a plan."""
        ...

    def applied_plan(self, key: str, changes: frozenset[Change]) -> Plan | None:
        """The plan of the last operation of these kinds that was applied to an experiment."""
        ...

    def active_operation(self, key: str) -> Operation | None:
        """The unfinished operation of an experiment; there is at most one."""
        ...

    def last_operation(self, key: str) -> Operation | None: ...

    def last_turn(self, key: str) -> tuple[str, int] | None:
        """(id, fence) of an experiment's last operation, without all else of it."""
        ...

    def abandoned(self, now: datetime) -> list[str]:
        """Ids of unfinished operations whose lease has run out."""
        ...

    def stuck(self) -> list[tuple[str, Change, str | None]]:
        """(experiment, change, reason) of each whose last operation waits for a person, by key."""
        ...

    def placements(self, key: str) -> list[Placement]: ...

    def steps_of(self, key: str) -> list[Step]:
        """Every step that an operation of the experiment ever had, oldest first."""
        ...

    def previews(self, key: str) -> dict[str, list[str]]:
        """Variant -> named test units."""
        ...

    def test_units(self) -> dict[str, dict[str, list[str]]]:
        """Key -> variant -> named test units, of the experiments that have some, by key."""
        ...

    def due(self, now: datetime) -> list[Due]:
        """What is to be done now and may be tried, the earliest first, ties by key."""
        ...

    def agenda(self, key: str) -> list[Due]:
        """All that is to be done with an experiment, the earliest first."""
        ...

    def exposures(self, keys: Sequence[str]) -> dict[str, Exposure]:
        """Key -> how far it is let in, of those that were launched."""
        ...

    def imported(self, environment: str) -> list[Imported]:
        """What others run in the assigners of an environment, by surface and key."""
        ...

    def heartbeats(self) -> list[Heartbeat]:
        """The last sign of each process that gave one in the last week, the newest first."""
        ...

    def audit_of(self, subject: str, limit: int) -> list[AuditEvent]:
        """Newest first."""
        ...


class Writer(Reader, Protocol):
    """A view that also writes; all of it becomes durable together, or none."""

    def insert_experiment(self, record: Record) -> None:
        """Raises Conflict when the key is taken."""
        ...

    def update_experiment(self, record: Record, expected_version: int) -> None:
        """Write the record (its version may be the same or the next one).

        Raises:
            Conflict: the stored version is not `expected_version`.
        """
        ...

    def hold(self, layer: str, ranges: list[BucketRange], key: str, until: date | None, at: datetime) -> None:
        """Take buckets.

        Raises:
            Conflict: another experiment holds one of them; the database refuses, not only this code.
        """
        ...

    def release(self, key: str, at: datetime) -> None:
        """Give back every range of an experiment; a repeat changes nothing."""
        ...

    def save_plan(self, plan: Plan) -> None: ...

    def save_approval(self, approval: Approval) -> None:
        """The first answer stands: a second one for the same handle is ignored."""
        ...

    def save_override(self, override: Override) -> None:
        """A later word on the same finding of the same spec replaces the earlier one."""
        ...

    def remove_override(self, key: str, spec: str, code: str, pointer: str) -> None:
        """Take an override back; a repeat changes nothing."""
        ...

    def save_review(self, review: Review) -> None:
        """A later word of the same team on the same spec replaces the earlier one."""
        ...

    def insert_operation(self, operation: Operation) -> None:
        """Raises Conflict when the plan already has one, or the experiment has an unfinished one."""
        ...

    def update_operation(self, operation: Operation, expected_fence: int) -> None:
        """Write the operation and its steps.

        Raises:
            Conflict: the stored fence is not `expected_fence`: another process has taken the operation over.
        """
        ...

    def put_placement(self, placement: Placement) -> None: ...

    def remove_placement(self, key: str, place: Place) -> None: ...

    def set_previews(self, key: str, previews: dict[str, list[str]]) -> None: ...

    def set_agenda(self, key: str, agenda: Sequence[Due]) -> None:
        """What is to be done with an experiment, in place of what was."""
        ...

    def set_exposure(self, key: str, exposure: Exposure | None) -> None: ...

    def set_imported(self, environment: str, backend: str, imported: Sequence[Imported]) -> None:
        """What others run in an assigner, in place of what was known."""
        ...

    def beat(self, heartbeat: Heartbeat) -> None:
        """Keep a sign of life in place of the last one of its process, and forget those that are a week older."""
        ...

    def audit(self, event: AuditEvent) -> None: ...


class Store(Protocol):
    def read(self) -> AbstractContextManager[Reader]:
        """A consistent read transaction.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        ...

    def write(self) -> AbstractContextManager[Writer]:
        """A write transaction, one at a time across threads and processes; it commits when the block ends normally
        and rolls back when it raises.

        Raises:
            StoreUnavailable: the database cannot be written (read-only, disk full, locked for over 30 s).
        """
        ...
