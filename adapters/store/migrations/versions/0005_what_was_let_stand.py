"""An override is bound to the fault that a person was shown. One from before that is bound to none, and has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("override", sa.Column("fault", sa.Text(), nullable=False, server_default=""))
