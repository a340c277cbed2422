"""What a backend said when an operation turned to undo or got stuck."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("operation", sa.Column("failure", TEXT, nullable=True))
