"""Delivery through a GrowthBook server: an experiment, a rule in each feature that it varies, and a gate."""

from .adapter import GrowthbookRest

__all__ = ["GrowthbookRest"]
