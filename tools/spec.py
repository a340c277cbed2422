"""What a tool is before the server makes an MCP tool of it: a function, a title, and its effect on the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mcp.server.mcpserver import Context
from mcp.types import ToolAnnotations

from ..core.app.crossfade import Crossfade
from ..core.app.services import Services


class Effect(Enum):
    """(read only, destructive, idempotent, open world): all four hints, never left to a default."""

    READS = (True, False, True, False)
    WRITES = (False, False, True, False)
    """Drafts and plans: nothing that users meet."""
    CHANGES_TRAFFIC = (False, True, True, True)


@dataclass(frozen=True)
class ToolSpec:
    """`run` gives back a model of `core.model.answers`; its docstring is what a model reads about the tool."""

    run: Callable[..., Any]
    title: str
    effect: Effect

    @property
    def annotations(self) -> ToolAnnotations:
        read_only, destructive, idempotent, open_world = self.effect.value
        return ToolAnnotations(
            title=self.title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        )


def as_list(given: object) -> object:
    """One text for a list of it, which models send now and then."""
    return [given] if isinstance(given, str) else given


ToolContext = Context[Services, Any]


def app_of(ctx: Context[Services, Any]) -> Crossfade:
    return ctx.request_context.lifespan_context.app
