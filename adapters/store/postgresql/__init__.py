"""The store in a PostgreSQL database: what PostgreSQL does in its own way."""
