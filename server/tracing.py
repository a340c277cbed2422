"""Whose trace a request belongs to: what the backends are told of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from mcp.server.mcpserver import Context

from ..core.app.services import Services
from ..core.tracing import TRACEPARENT, traceparent_of


@contextmanager
def traced(context: Context[Services, Any]) -> Generator[None]:
    """Within the block, backends are called on behalf of the request's trace: that of its `_meta`, which is the
    caller's own word for this one call, else that of its HTTP header; none where it has none."""
    meta: Mapping[str, Any] = context.request_context.meta or {}
    headers = context.headers or {}
    found = traceparent_of(meta.get("traceparent")) or traceparent_of(headers.get("traceparent"))
    token = TRACEPARENT.set(found)
    try:
        yield
    finally:
        TRACEPARENT.reset(token)
