"""What a prompt is before the server makes an MCP prompt of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context, Message, UserMessage
from mcp.types import EmbeddedResource, TextResourceContents

from ..core.app.crossfade import Crossfade
from ..core.app.reference import Kind
from ..core.app.services import Services
from ..core.documents import JsonObject, canonical

PromptContext = Context[Services, Any]


@dataclass(frozen=True)
class PromptSpec:
    """`write` makes the messages; its docstring describes the prompt. `completes`: argument -> kind of name."""

    write: Callable[..., list[Message]]
    title: str
    completes: dict[str, Kind]


def app_of(ctx: Context[Services, Any]) -> Crossfade:
    return ctx.request_context.lifespan_context.app


def attached(uri: str, document: JsonObject) -> Message:
    """A message that holds a resource, so that the prompt needs no further read."""
    contents = TextResourceContents(uri=uri, mime_type="application/json", text=canonical(document))
    return UserMessage(EmbeddedResource(type="resource", resource=contents))
