"""The store in a SQLite file: what SQLite does in its own way."""
