"""What people decide about a spec: overrides of findings, and reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Texts sort by code point in both databases, whatever the collation of this one.
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "override",
        sa.Column("key", NAME, nullable=False),
        sa.Column("spec", NAME, nullable=False),
        sa.Column("code", NAME, nullable=False),
        sa.Column("pointer", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("assurance", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", "spec", "code", "pointer"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    op.create_table(
        "review",
        sa.Column("key", NAME, nullable=False),
        sa.Column("spec", NAME, nullable=False),
        sa.Column("team", NAME, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("assurance", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", "spec", "team"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
