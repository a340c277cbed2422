"""Content as one parameters document per surface."""

from .adapter import Parameters

__all__ = ["Parameters"]
