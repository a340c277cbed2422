"""The store: the project's own tables, in SQLite."""
