"""How sentences say quantities."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share, 0-1, as people say it: 0.125 is "12.5 %"."""
    return f"{share * 100:.4g} %"
