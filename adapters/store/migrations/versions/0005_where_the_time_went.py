"""When a step was declared, and its seconds in the queue, in the backend and in our own hands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("operation_step", sa.Column("declared", MOMENT, nullable=True))
    for name in ("queue", "backend", "own"):
        op.add_column("operation_step", sa.Column(name, sa.Float(), nullable=False, server_default="0"))
