"""The store, as the core sees it: transactions that read, and transactions that also write."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from pydantic import Field

from ..documents import JsonObject
from ..model.experiment import Change, Record, State
from ..model.plan import Approval, AuditEvent, BucketRange, Operation, Place, Plan, Step
from ..model.strict import StrictModel


class HeldRange(StrictModel):
    """Buckets that an experiment holds in a layer; `until` is its planned end, a forecast."""

    layer: str
    lo: int
    hi: int
    key: str
    until: date | None


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


class LiveGroup(StrictModel):
    """Live experiments of one layer that ask for the same audience: a surface with hundreds has few of these."""

    layer: str
    audience: JsonObject | str
    count: int
    example: str = Field(description="the first of their keys")


class Placement(StrictModel):
    """An entry that an experiment has in a backend now, with what is needed to take it out again."""

    key: str
    place: Place
    entry: JsonObject
    opens_traffic: bool


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
        words: list[str] | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[Summary]:
        """Newest update first, ties by key; `words` must all occur in key, name, surface, owner, tags or hypothesis,
        whatever their case; `after` is the (updated, key) of the last one seen."""
        ...

    def keys(self) -> list[str]: ...

    def live_beside(self, key: str, surface: str, environment: str) -> list[LiveGroup]:
        """The experiments of a surface that hold buckets, without `key`, in groups, by layer and example."""
        ...

    def held(self, *layers: str) -> list[HeldRange]:
        """Ranges held in the layers now, by layer and `lo`."""
        ...

    def ranges_of(self, key: str) -> list[BucketRange]: ...

    def plan(self, handle: str) -> Plan | None: ...

    def approval(self, handle: str) -> Approval | None: ...

    def operation(self, operation_id: str) -> Operation | None: ...

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

    def abandoned(self, now: datetime) -> list[str]:
        """Ids of unfinished operations whose lease has run out."""
        ...

    def placements(self, key: str) -> list[Placement]: ...

    def steps_of(self, key: str) -> list[Step]:
        """Every step that an operation of the experiment ever had, oldest first."""
        ...

    def previews(self, key: str) -> dict[str, list[str]]:
        """Variant -> named test units."""
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
