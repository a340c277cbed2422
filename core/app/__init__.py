"""The use cases, one method each."""
