"""What a resource is before the server makes an MCP resource of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context

from ..core.app.crossfade import Crossfade
from ..core.app.reference import Kind
from ..core.app.services import Services

ResourceContext = Context[Services, Any]


@dataclass(frozen=True)
class ResourceSpec:
    """`read` takes the variables of `uri` by name; its docstring describes the resource. `completes` says what kind of
    name the variable is, None for a resource without one."""

    uri: str
    read: Callable[..., str]
    title: str
    mime_type: str = "application/json"
    completes: Kind | None = None


def app_of(ctx: Context[Services, Any]) -> Crossfade:
    return ctx.request_context.lifespan_context.app
