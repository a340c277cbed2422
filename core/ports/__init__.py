"""What the core asks of the outside, as protocols that adapters match by shape."""
