"""An override is bound to the fault that a person was shown. One from before that is bound to none, and has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("override", sa.Column("fault", TEXT, nullable=False, server_default=""))
