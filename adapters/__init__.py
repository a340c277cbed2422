"""The outside: delivery, content, catalogue and store."""
