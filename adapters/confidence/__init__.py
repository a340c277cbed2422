"""Delivery through Confidence: a flag and a segment an experiment, an exclusivity tag a layer."""

from .adapter import Confidence

__all__ = ["Confidence"]
