"""The trace that a call belongs to, for whoever calls further systems on its behalf."""

from __future__ import annotations

import re
from contextvars import ContextVar

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The caller's `traceparent` (W3C Trace Context), or None."""
_SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(text: object) -> str | None:
    """The text, when it is a traceparent of version 00 whose ids are not all zeros; anything else is nobody's trace."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return None
    _, trace, span, _ = text.split("-")
    return text if set(trace) != {"0"} and set(span) != {"0"} else None
