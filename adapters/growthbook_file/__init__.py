"""Delivery as a GrowthBook SDK payload in a file."""

from .adapter import GrowthbookFile

__all__ = ["GrowthbookFile"]
