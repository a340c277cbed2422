"""The MCP server: our tools, resources and prompts on the SDK's MCPServer, with answers and errors of our own shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult, TextContent
from pydantic import BaseModel, ValidationError

from ..core.app.refusing import refusal
from ..core.app.services import Services
from ..core.documents import MAX_BYTES, require_storable
from ..core.errors import CrossfadeError, Invalid, NotAllowed, StoreUnavailable
from ..core.names import nearest
from ..tools.all_tools import TOOLS
from ..tools.text import text_of
from .logs import logger
from .mcp_reference import add_completions, add_prompts, add_resources
from .stdio import Incoming
from .tool_errors import claims_among, expected, rejected_arguments, unexpected
from .tool_schemas import tool_of
from .tracing import traced
from .version import VERSION

INSTRUCTIONS = (
    "Crossfade runs product experiments. From an idea to running: find_surfaces, create_experiment, update_experiment "
    "(only if a finding blocks), plan_change, apply_plan. A draft is not live: only apply_plan with status applied "
    "makes it so, after a person agrees. Every reply ends with `next`. Shares are 0-1: 0.01 = 1 %."
)

UNCHANGING = 3_600_000
"""Milliseconds for which a client may keep what only a new version of the server changes."""
FIXED_LISTS: tuple[CacheableMethod, ...] = (
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "server/discover",
)


class CrossfadeServer(MCPServer[Services]):
    """An MCPServer whose tools answer with our models and whose failures are structured."""

    def __init__(self, services: Services) -> None:
        self._tools = {tool.name: tool for tool in map(tool_of, TOOLS)}

        @asynccontextmanager
        async def lifespan(_: MCPServer[Services]) -> AsyncGenerator[Services]:
            yield services

        super().__init__(
            "crossfade",
            title="Crossfade",
            version=VERSION,
            instructions=INSTRUCTIONS,
            tools=list(self._tools.values()),
            lifespan=lifespan,
            log_level="WARNING",
            cache_hints={method: CacheHint(ttl_ms=UNCHANGING, scope="public") for method in FIXED_LISTS},
        )
        add_resources(self)
        add_prompts(self)
        add_completions(self, services)

    async def serve(
        self, incoming: ContextReceiveStream[Incoming], outgoing: ContextSendStream[SessionMessage]
    ) -> None:
        """Serve one connection over two streams until the client closes it."""
        server = self._lowlevel_server
        await server.run(incoming, outgoing, server.create_initialization_options())

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Services, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Raises MCPError (-32602) for an unknown prompt, and for arguments that it needs or does not know."""
        prompts = {prompt.name: prompt.arguments or [] for prompt in await self.list_prompts()}
        if name not in prompts:
            raise _unknown("prompt", name, list(prompts))
        known = [argument.name for argument in prompts[name]]
        for given in arguments or {}:
            if given not in known:
                raise _unknown("argument", given, known)
        for argument in prompts[name]:
            if argument.required and argument.name not in (arguments or {}):
                message = f"{name} needs the argument {argument.name}."
                raise MCPError(code=INVALID_PARAMS, message=message, data={"allowed": known})
        return await super().get_prompt(name, arguments, context)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Services, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Expected failures come back as structured `isError` results.

        Raises:
            MCPError: there is no such tool (-32602, with the nearest names).
        """
        tool = self._tools.get(name)
        if tool is None:
            raise _unknown("tool", name, list(self._tools))
        if context is None:
            raise MCPError(code=INVALID_PARAMS, message="A tool is called within a request.")
        try:
            # A document may come as JSON in one text, so a text may be as long as a document here.
            require_storable(arguments, "the call", MAX_BYTES)
            with traced(context):
                answer = await tool.run(arguments, context)
        except Invalid as error:
            return expected(error, name, tool.parameters, arguments)
        except ToolError as error:
            claims = claims_among(error)
            if claims:
                refused = await anyio.to_thread.run_sync(_refused, context, name, arguments, claims)
                return expected(refused, name, tool.parameters, arguments)
            return _failed(tool, arguments, error)
        if isinstance(answer, InputRequiredResult):
            return answer
        assert isinstance(answer, BaseModel)
        structured = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
        return CallToolResult(content=[TextContent(type="text", text=text_of(answer))], structured_content=structured)


def _unknown(what: str, name: str, known: list[str]) -> MCPError:
    close = nearest(name, known)
    meant = f" Did you mean {close[0]}?" if close else ""
    data = {"got": name[:100], "allowed": known, "nearest": close}
    return MCPError(code=INVALID_PARAMS, message=f"There is no {what} of that name.{meant}", data=data)


def _refused(context: Context[Services, Any], tool: str, arguments: dict[str, Any], claims: list[str]) -> NotAllowed:
    """The refusal of arguments that decide what only a person decides; it needs no store that works."""
    key = arguments.get("key")
    named = key if isinstance(key, str) else None
    logger().info("tool_refused", tool=tool, code="only_a_person", pointer=claims[0])
    try:
        return context.request_context.lifespan_context.app.refuse(tool, named, claims)
    except StoreUnavailable:
        return refusal("crossfade", named, claims)


def _failed(tool: Tool, arguments: dict[str, Any], error: ToolError) -> CallToolResult:
    cause = error.__cause__
    if isinstance(cause, CrossfadeError):
        logger().info("tool_refused", tool=tool.name, code=cause.code, pointer=cause.pointer)
        return expected(cause, tool.name, tool.parameters, arguments)
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        logger().info("tool_arguments_rejected", tool=tool.name, faults=len(cause.errors()))
        return rejected_arguments(tool.name, tool.parameters, arguments, cause)
    if cause is None or isinstance(cause, ToolError):
        return expected(CrossfadeError(str(error)), tool.name, tool.parameters, arguments)
    logger().error("tool_failed", tool=tool.name, exc_info=cause)
    return unexpected(tool.name)
