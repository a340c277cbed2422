"""What people decide about a spec: overrides of findings, and reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "override",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("spec", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("assurance", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "spec", "code", "pointer"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    op.create_table(
        "review",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("spec", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("assurance", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "spec", "team"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
