"""A plan proposes buckets that no other plan of its layer proposes, so plans are found by their layer."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_plan_layer", "plan", ["layer", "expires"])
