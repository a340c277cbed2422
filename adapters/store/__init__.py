"""The store: the project's own tables, in a SQLite file or a PostgreSQL database."""
