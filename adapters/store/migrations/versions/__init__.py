"""One revision of the store's tables a file."""
