"""What others run in the assigners, which holds no bucket."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "imported",
        sa.Column("environment", NAME, nullable=False),
        sa.Column("backend", NAME, nullable=False),
        sa.Column("surface", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("touched", TEXT, nullable=False),
        sa.Column("audience", TEXT, nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("environment", "backend", "surface", "key"),
    )
