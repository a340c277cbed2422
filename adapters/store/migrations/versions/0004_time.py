"""What is due, how far each experiment is let in, and signs of life of those who carry it out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# Texts sort by code point in both databases, whatever the collation of this one.
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "due",
        sa.Column("key", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("stage", sa.Integer(), nullable=True),
        sa.Column("handle", NAME, nullable=False),
        sa.Column("again", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("key", "kind", "at"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
        sa.ForeignKeyConstraint(["handle"], ["plan.handle"]),
    )
    op.create_index("ix_due_at", "due", ["at", "again"])
    op.create_table(
        "exposure",
        sa.Column("key", NAME, nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("stages", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("every", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
