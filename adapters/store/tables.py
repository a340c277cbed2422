"""The tables. Their history is in `migrations`; a test holds both equal. What only PostgreSQL needs is there alone: to
name it here would load SQLAlchemy's part for it at every start."""

from __future__ import annotations

import re
from datetime import date, datetime

from pydantic import JsonValue
from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, Text, UniqueConstraint, text
from sqlalchemy.orm import declared_attr, registry
from sqlmodel import Field, SQLModel

from .columns import JsonText, Moment, Wide

IS_LIVE = text("released_at IS NULL")
"""The range is held now. As text, here and in queries: SQLite uses a partial index only for the very same condition."""
IS_RELEASED = text("released_at IS NOT NULL")
IS_UNFINISHED = text("status = 'running'")
"""The operation is under way; the other statuses, `needs_attention` too, wait for a person or for nothing."""


class StoreTable(SQLModel, registry=registry()):
    """A registry of our own, so that no other SQLModel table in the process mixes with these. Each class has the name
    of the core's model that it keeps, and its table the same name in small letters."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - SQLModel says ClassVar
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class Meta(StoreTable, table=True):
    """One row: which store this is, whatever becomes of its path."""

    store_id: str = Field(primary_key=True)
    created: datetime = Field(sa_type=Moment)


class Experiment(StoreTable, table=True):
    """Which version of an experiment stands, and what lists need of it. The document is elsewhere: with it, a list of a
    thousand would read four thousand pages for its hundred."""

    key: str = Field(primary_key=True)
    version: int
    state: str
    name: str
    surface: str
    layer: str
    environment: str
    owner: str
    touched: JsonValue = Field(sa_type=JsonText)
    audience: JsonValue = Field(sa_type=JsonText)
    updated: datetime = Field(sa_type=Moment)

    __table_args__ = (
        Index("ix_experiment_updated", text("updated DESC"), "key"),
        Index("ix_experiment_place", "surface", "environment", "state"),
    )


class LiveGroup(StoreTable, table=True):
    """Live experiments of one layer with one audience and the same parameters. Triggers on `experiment` keep the groups
    and their members, so that a draft is told of ten thousand neighbours without a look at each."""

    id: int | None = Field(default=None, primary_key=True)
    environment: str
    surface: str
    layer: str
    touched: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    count: int

    __table_args__ = (
        UniqueConstraint("environment", "surface", "layer", "touched", "audience", name="uq_live_group"),
        # Read alone, without a look at the rows.
        Index("ix_live_group_count", "environment", "surface", "layer", "touched", "audience", "count"),
        Index("ix_live_group_audience", "environment", "audience", "surface"),
    )


class LiveMember(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    group_id: int = Field(foreign_key="live_group.id")

    __table_args__ = (Index("ix_live_member_group", "group_id", "key"),)


class ExperimentText(StoreTable, table=True):
    """What is searched of an experiment. The full-text index `experiment_search` has no copy of it: triggers keep the
    index, and its rows have the ids of these."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, foreign_key="experiment.key")
    names: str = Field(sa_type=Text)
    hypothesis: str = Field(sa_type=Text)
    details: str = Field(sa_type=Text)
    surface: str = Field(sa_type=Text)


class ExperimentVersion(StoreTable, table=True):
    """The record as it last was at each version, the one that stands too."""

    key: str = Field(primary_key=True, foreign_key="experiment.key")
    version: int = Field(primary_key=True)
    state: str
    document: JsonValue = Field(sa_type=JsonText)
    generated: JsonValue = Field(sa_type=JsonText)
    request_digest: str
    launches: int
    started: datetime | None = Field(sa_type=Moment)
    created: datetime = Field(sa_type=Moment)
    updated: datetime = Field(sa_type=Moment)


class BucketRange(StoreTable, table=True):
    """Ranges held now and before. A trigger refuses a live range that meets another one of its layer."""

    id: int | None = Field(default=None, primary_key=True)
    layer: str
    lo: int
    hi: int
    experiment: str = Field(foreign_key="experiment.key")
    until: date | None
    taken_at: datetime = Field(sa_type=Moment)
    released_at: datetime | None = Field(sa_type=Moment)

    __table_args__ = (
        CheckConstraint("0 <= lo AND lo < hi AND hi <= 10000", name="ck_bucket_range_bounds"),
        Index("ix_bucket_range_live", "layer", "lo", "hi", sqlite_where=IS_LIVE),
        Index("ix_bucket_range_holder", "experiment", sqlite_where=IS_LIVE),
        Index("ix_bucket_range_until", "until", sqlite_where=IS_LIVE),
        Index("ix_bucket_range_released", "layer", "released_at", sqlite_where=IS_RELEASED),
        Index("ix_bucket_range_past", "experiment", "released_at", sqlite_where=IS_RELEASED),
    )


class Plan(StoreTable, table=True):
    seq: int | None = Field(default=None, primary_key=True)
    handle: str = Field(unique=True)
    digest: str
    key: str = Field(foreign_key="experiment.key")
    change: str
    environment: str
    version: int
    covered: JsonValue = Field(sa_type=JsonText)
    ranges: JsonValue = Field(sa_type=JsonText)
    layer: str
    steps: JsonValue = Field(sa_type=JsonText)
    created: datetime = Field(sa_type=Moment)
    expires: datetime = Field(sa_type=Moment)

    __table_args__ = (Index("ix_plan_key", "key", "created"), Index("ix_plan_layer", "layer", "expires"))


class Approval(StoreTable, table=True):
    handle: str = Field(primary_key=True, foreign_key="plan.handle")
    approved: bool
    assurance: str
    by: str
    at: datetime = Field(sa_type=Moment)


class Override(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    spec: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    pointer: str = Field(primary_key=True, sa_type=Text)
    reason: str = Field(sa_type=Text)
    by: str
    assurance: str
    at: datetime = Field(sa_type=Moment)
    fault: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class Review(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    spec: str = Field(primary_key=True)
    team: str = Field(primary_key=True)
    approved: bool
    note: str = Field(sa_type=Text)
    by: str
    assurance: str
    at: datetime = Field(sa_type=Moment)


class Operation(StoreTable, table=True):
    """The journal of an apply: one per plan, one unfinished per experiment."""

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    handle: str = Field(unique=True, foreign_key="plan.handle")
    key: str = Field(foreign_key="experiment.key")
    change: str
    status: str
    direction: str
    fence: int = Field(sa_type=Wide)  # begins with the milliseconds of a clock
    lease_owner: str
    lease_until: datetime = Field(sa_type=Moment)
    expires: datetime = Field(sa_type=Moment)
    from_state: str
    to_state: str
    by: str
    assurance: str
    reason: str | None
    started: datetime = Field(sa_type=Moment)
    finished: datetime | None = Field(sa_type=Moment)
    failure: JsonValue = Field(sa_type=JsonText, nullable=True)

    __table_args__ = (
        Index("ix_operation_key", "key"),
        Index("uq_operation_unfinished", "key", unique=True, sqlite_where=IS_UNFINISHED),
        Index("ix_operation_lease", "lease_until", sqlite_where=IS_UNFINISHED),
    )


class OperationStep(StoreTable, table=True):
    operation: str = Field(primary_key=True, foreign_key="operation.id")
    position: int = Field(primary_key=True)
    step: JsonValue = Field(sa_type=JsonText)
    status: str
    attempts: int
    error: str | None = Field(sa_type=Text)
    at: datetime | None = Field(sa_type=Moment)
    declared: datetime | None = Field(sa_type=Moment)
    queue: float = Field(sa_column_kwargs={"server_default": "0"})
    backend: float = Field(sa_column_kwargs={"server_default": "0"})
    own: float = Field(sa_column_kwargs={"server_default": "0"})


class Placement(StoreTable, table=True):
    """Keyed by the whole place: when a backend moves, the entry left at its old place is still ours to take out."""

    key: str = Field(foreign_key="experiment.key")
    place: str = Field(sa_type=Text)
    entry: JsonValue = Field(sa_type=JsonText)
    opens_traffic: bool

    __table_args__ = (PrimaryKeyConstraint("key", "place"),)


class Preview(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    units: JsonValue = Field(sa_type=JsonText)


class Due(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    kind: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=Moment)
    stage: int | None
    handle: str = Field(foreign_key="plan.handle")
    again: datetime = Field(sa_type=Moment)
    tries: int
    reason: str | None = Field(sa_type=Text)

    __table_args__ = (Index("ix_due_at", "at", "again"),)


class Exposure(StoreTable, table=True):
    key: str = Field(primary_key=True, foreign_key="experiment.key")
    stage: int
    stages: int
    coverage: float
    since: datetime = Field(sa_type=Moment)


class Heartbeat(StoreTable, table=True):
    name: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    every: float


class Imported(StoreTable, table=True):
    environment: str = Field(primary_key=True)
    backend: str = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    touched: JsonValue = Field(sa_type=JsonText)
    audience: JsonValue = Field(sa_type=JsonText)
    share: float | None
    since: datetime = Field(sa_type=Moment)


class Audit(StoreTable, table=True):
    """Append-only: triggers refuse to change or remove a row."""

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Moment)
    who: str
    what: str
    subject: str
    before: JsonValue = Field(sa_type=JsonText, nullable=True)
    after: JsonValue = Field(sa_type=JsonText, nullable=True)

    __table_args__ = (Index("ix_audit_subject", "subject", "seq"),)


_TABLES = StoreTable.metadata.tables
META = _TABLES["meta"]
EXPERIMENT = _TABLES["experiment"]
EXPERIMENT_VERSION = _TABLES["experiment_version"]
EXPERIMENT_TEXT = _TABLES["experiment_text"]
LIVE_GROUP = _TABLES["live_group"]
LIVE_MEMBER = _TABLES["live_member"]
BUCKET_RANGE = _TABLES["bucket_range"]
PLAN = _TABLES["plan"]
APPROVAL = _TABLES["approval"]
OVERRIDE = _TABLES["override"]
REVIEW = _TABLES["review"]
OPERATION = _TABLES["operation"]
OPERATION_STEP = _TABLES["operation_step"]
PLACEMENT = _TABLES["placement"]
PREVIEW = _TABLES["preview"]
DUE = _TABLES["due"]
EXPOSURE = _TABLES["exposure"]
HEARTBEAT = _TABLES["heartbeat"]
IMPORTED = _TABLES["imported"]
AUDIT = _TABLES["audit"]
