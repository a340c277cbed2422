"""Delivery as a GrowthBook SDK payload: one document, in a file or anywhere else."""

from .adapter import GrowthbookPayload

__all__ = ["GrowthbookPayload"]
