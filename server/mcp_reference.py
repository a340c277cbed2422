"""Resources, prompts and completions on the MCP server."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.prompts import Prompt
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from ..core.app.reference import Kind
from ..core.app.services import Services
from ..core.errors import CrossfadeError, NotFound
from ..prompts.all_prompts import PROMPTS
from ..prompts.spec import PromptSpec
from ..resources.all_resources import RESOURCES
from ..resources.spec import ResourceSpec

MAX_COMPLETIONS = 100


def add_resources(server: MCPServer[Services]) -> None:
    for spec in RESOURCES:
        server.resource(
            spec.uri,
            name=spec.title.lower().replace(" ", "-"),
            title=spec.title,
            description=" ".join((spec.read.__doc__ or "").split()),
            mime_type=spec.mime_type,
        )(_with_resource_errors(spec.read))


def add_prompts(server: MCPServer[Services]) -> None:
    for spec in PROMPTS:
        description = " ".join((spec.write.__doc__ or "").split())
        server.add_prompt(Prompt.from_function(_with_prompt_errors(spec), title=spec.title, description=description))


def add_completions(server: MCPServer[Services], services: Services) -> None:
    """Names for every variable of a resource template and every prompt argument that is a name."""
    by_uri = {spec.uri: spec for spec in RESOURCES}
    by_prompt = {spec.write.__name__: spec for spec in PROMPTS}

    async def complete(
        ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _: CompletionContext | None
    ) -> Completion:
        kind = _kind(ref, argument.name, by_uri, by_prompt)
        if kind is None:
            return Completion(values=[], total=0, has_more=False)
        names = await anyio.to_thread.run_sync(lambda: services.app.names(kind))
        return completion(names, argument.value)

    server.completion()(complete)


def completion(names: list[str], typed: str) -> Completion:
    """Names that begin with what was typed, then those that hold it."""
    wanted = typed.lower()
    first = [name for name in names if name.startswith(wanted)]
    found = first + [name for name in names if wanted in name and not name.startswith(wanted)]
    return Completion(values=found[:MAX_COMPLETIONS], total=len(found), has_more=len(found) > MAX_COMPLETIONS)


def _kind(
    ref: PromptReference | ResourceTemplateReference,
    argument: str,
    by_uri: dict[str, ResourceSpec],
    by_prompt: dict[str, PromptSpec],
) -> Kind | None:
    if isinstance(ref, ResourceTemplateReference):
        resource = by_uri.get(ref.uri)
        return resource.completes if resource else None
    prompt = by_prompt.get(ref.name)
    return prompt.completes.get(argument) if prompt else None


def _with_resource_errors(read: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(read)
    def reading(*args: Any, **kwargs: Any) -> str:
        try:
            return read(*args, **kwargs)
        except NotFound as error:
            raise ResourceNotFoundError(_sentence(error)) from error
        except CrossfadeError as error:
            raise ResourceError(_sentence(error)) from error

    return reading


def _with_prompt_errors(spec: PromptSpec) -> Callable[..., Any]:
    @functools.wraps(spec.write)
    def writing(*args: Any, **kwargs: Any) -> Any:
        try:
            return spec.write(*args, **kwargs)
        except CrossfadeError as error:
            raise MCPError(code=INVALID_PARAMS, message=_sentence(error), data=error.as_dict()) from error

    return writing


def _sentence(error: CrossfadeError) -> str:
    near = f" Nearest: {', '.join(error.nearest)}." if error.nearest else ""
    return f"{error.message}{near}"
