"""Queries about what others run in the assigners."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from ...core.ports.store import Imported
from .rows import columns_of
from .tables import IMPORTED

_HERE = IMPORTED.c.environment == bindparam("of_environment")
IMPORTS = select(*columns_of(IMPORTED, Imported)).where(_HERE).order_by(IMPORTED.c.surface, IMPORTED.c.key)
ADD_IMPORTS = insert(IMPORTED)
REMOVE_IMPORTS = delete(IMPORTED).where(_HERE, IMPORTED.c.backend == bindparam("of_backend"))
