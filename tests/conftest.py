"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A deadline would judge a test by how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
