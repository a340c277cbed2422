"""Delivery through Unleash: a flag an experiment, a flag with slots a layer."""

from .adapter import Unleash

__all__ = ["Unleash"]
