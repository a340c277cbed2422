"""The first tables, and that by which the database itself keeps buckets apart and the audit whole."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Texts sort by code point in both databases, whatever the collation of this one.
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

RANGES_APART = """
CREATE TRIGGER bucket_range_apart_on_{name} BEFORE {event} ON bucket_range WHEN NEW.released_at IS NULL
BEGIN
    SELECT RAISE(ABORT, 'bucket_range_overlap') WHERE EXISTS (
        SELECT 1 FROM bucket_range
        WHERE layer = NEW.layer AND released_at IS NULL AND lo < NEW.hi AND hi > NEW.lo {other}
    );
END
"""

AUDIT_KEPT = """
CREATE TRIGGER audit_kept_on_{name} BEFORE {event} ON audit {when}
BEGIN
    SELECT RAISE(ABORT, 'audit_is_append_only');
END
"""

# A range is a segment of a plane: its buckets across, its layer's number up. A box is looked up a hundred times as fast
# as layer and range in two columns of a GiST index. The number has the 52 bits that a coordinate keeps exactly.
RANGES_APART_POSTGRESQL = """
ALTER TABLE bucket_range ADD CONSTRAINT bucket_range_overlap EXCLUDE USING gist (
    box(
        point(lo, hashtextextended(layer, 0) & 4503599627370495),
        point(hi - 1, hashtextextended(layer, 0) & 4503599627370495)
    ) WITH &&
) WHERE (released_at IS NULL)
"""

AUDIT_KEPT_POSTGRESQL = """
CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_is_append_only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER audit_kept_on_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION audit_kept();
"""


def upgrade() -> None:
    _create_meta()
    _create_experiments()
    _create_ranges()
    _create_plans()
    _create_operations()
    _create_delivered()
    _create_audit()


def _create_meta() -> None:
    meta = op.create_table(
        "meta",
        sa.Column("store_id", NAME, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("store_id"),
    )
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    op.bulk_insert(meta, [{"store_id": str(uuid.uuid4()), "created": now}])


def _create_experiments() -> None:
    op.create_table(
        "experiment",
        sa.Column("key", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("surface", NAME, nullable=False),
        sa.Column("layer", NAME, nullable=False),
        sa.Column("environment", NAME, nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("touched", TEXT, nullable=False),
        sa.Column("audience", TEXT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_experiment_updated", "experiment", [sa.text("updated DESC"), "key"])
    if _is_postgresql():  # whose B-trees refuse texts as long as a draft may have them
        op.create_index("ix_experiment_place", "experiment", ["surface"], postgresql_using="hash")
    else:
        op.create_index("ix_experiment_place", "experiment", ["surface", "environment", "state"])
    op.create_table(
        "experiment_version",
        sa.Column("key", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("generated", TEXT, nullable=False),
        sa.Column("request_digest", NAME, nullable=False),
        sa.Column("launches", sa.Integer(), nullable=False),
        sa.Column("started", MOMENT, nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", "version"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )


def _create_ranges() -> None:
    op.create_table(
        "bucket_range",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("layer", NAME, nullable=False),
        sa.Column("lo", sa.Integer(), nullable=False),
        sa.Column("hi", sa.Integer(), nullable=False),
        sa.Column("experiment", NAME, nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("0 <= lo AND lo < hi AND hi <= 10000", name="ck_bucket_range_bounds"),
        sa.ForeignKeyConstraint(["experiment"], ["experiment.key"]),
    )
    live = sa.text("released_at IS NULL")
    op.create_index(
        "ix_bucket_range_live", "bucket_range", ["layer", "lo", "hi"], sqlite_where=live, postgresql_where=live
    )
    op.create_index("ix_bucket_range_holder", "bucket_range", ["experiment"], sqlite_where=live, postgresql_where=live)
    if _is_postgresql():
        op.execute(RANGES_APART_POSTGRESQL)
        return
    op.execute(RANGES_APART.format(name="insert", event="INSERT", other=""))
    # Not on a change of `until`, a forecast that moves no bucket.
    moved = "UPDATE OF layer, lo, hi, released_at"
    op.execute(RANGES_APART.format(name="update", event=moved, other="AND id <> OLD.id"))


def _create_plans() -> None:
    op.create_table(
        "plan",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("handle", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("change", NAME, nullable=False),
        sa.Column("environment", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("covered", TEXT, nullable=False),
        sa.Column("ranges", TEXT, nullable=False),
        sa.Column("layer", NAME, nullable=False),
        sa.Column("steps", TEXT, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("handle"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    op.create_index("ix_plan_key", "plan", ["key", "created"])
    op.create_table(
        "approval",
        sa.Column("handle", NAME, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("assurance", NAME, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("handle"),
        sa.ForeignKeyConstraint(["handle"], ["plan.handle"]),
    )


def _create_operations() -> None:
    op.create_table(
        "operation",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("handle", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("change", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("direction", NAME, nullable=False),
        sa.Column("fence", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("lease_owner", NAME, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("from_state", NAME, nullable=False),
        sa.Column("to_state", NAME, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("assurance", NAME, nullable=False),
        sa.Column("reason", NAME, nullable=True),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("handle"),
        sa.ForeignKeyConstraint(["handle"], ["plan.handle"]),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    unfinished = sa.text("status = 'running'")
    op.create_index("ix_operation_key", "operation", ["key"])
    op.create_index(
        "uq_operation_unfinished",
        "operation",
        ["key"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_index(
        "ix_operation_lease", "operation", ["lease_until"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_table(
        "operation_step",
        sa.Column("operation", NAME, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("operation", "position"),
        sa.ForeignKeyConstraint(["operation"], ["operation.id"]),
    )


def _create_delivered() -> None:
    op.create_table(
        "placement",
        sa.Column("key", NAME, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("entry", TEXT, nullable=False),
        sa.Column("opens_traffic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", "place"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    op.create_table(
        "preview",
        sa.Column("key", NAME, nullable=False),
        sa.Column("units", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", NAME, nullable=False),
        sa.Column("what", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("before", TEXT, nullable=True),
        sa.Column("after", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject", "seq"])
    if _is_postgresql():
        op.execute(AUDIT_KEPT_POSTGRESQL)
        return
    op.execute(AUDIT_KEPT.format(name="update", event="UPDATE", when=""))
    op.execute(AUDIT_KEPT.format(name="delete", event="DELETE", when=""))
    # INSERT OR REPLACE removes the old row without asking the DELETE trigger.
    replaces = "WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)"
    op.execute(AUDIT_KEPT.format(name="replace", event="INSERT", when=replaces))


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
