"""Content as one parameters document per surface in a folder."""

from .adapter import ParametersFolder

__all__ = ["ParametersFolder"]
