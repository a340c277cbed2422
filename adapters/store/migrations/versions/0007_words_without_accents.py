"""Texts are searched without accents: FTS5 left those of scripts that are not Latin. Triggers bring the index along."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FIELDS = ("names", "hypothesis", "details", "surface")
ACCENTS = dict.fromkeys(range(0x300, 0x370))
TEXTS = sa.table("experiment_text", sa.column("id"), *map(sa.column, FIELDS))


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(TEXTS)).mappings().all():
        found = {name: str(row[name]) for name in FIELDS}
        folded = {name: _folded(text) for name, text in found.items()}
        if folded != found:
            connection.execute(sa.update(TEXTS).where(TEXTS.c.id == row["id"]).values(folded))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(ACCENTS))
