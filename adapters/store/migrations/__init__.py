"""The history of the store's tables, as Alembic reads it."""
