"""The checks' documentation as resources."""

from __future__ import annotations

from ..core.app.reference import check_text
from .spec import ResourceSpec


def check(code: str) -> str:
    """What a check wants and why it matters, with its source."""
    return check_text(code)


RESOURCES = (ResourceSpec("check://{code}", check, "Check", "text/markdown", completes="check"),)
