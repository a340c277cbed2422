"""MCP over stdio in which every line gets an answer: a line that is no message is answered, not swallowed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream, create_context_streams
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

_ID = re.compile(r'"id"\s*:\s*(-?\d{1,18}|"[^"\\]{0,200}")')

Incoming = SessionMessage | Exception
Streams = tuple[ContextReceiveStream[Incoming], ContextSendStream[SessionMessage]]


@asynccontextmanager
async def answering_stdio() -> AsyncGenerator[Streams]:
    """`stdio_server`, with an error reply to each line that does not parse as a JSON-RPC message."""
    async with stdio_server() as (incoming, outgoing):
        forward, messages = create_context_streams[Incoming](0)

        async def sort() -> None:
            async with forward:
                async for item in incoming:
                    if isinstance(item, Exception):
                        await outgoing.send(SessionMessage(refusal(item)))
                    else:
                        await forward.send(item)

        async with anyio.create_task_group() as group:
            group.start_soon(sort)
            yield messages, outgoing
            group.cancel_scope.cancel()


def refusal(error: Exception) -> JSONRPCError:
    """-32700 for what is no JSON, -32600 for JSON that is no request; with the id wherever one can be made out."""
    line = _line(error)
    try:
        json.loads(line)
        code, message = INVALID_REQUEST, "This is JSON but not a JSON-RPC 2.0 message that this server takes."
    except (ValueError, RecursionError):
        code, message = PARSE_ERROR, "This line is not valid JSON (one message a line, UTF-8, nesting below 200)."
    return JSONRPCError(jsonrpc="2.0", id=_id(line), error=ErrorData(code=code, message=message))


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        given = error.errors(include_url=False, include_context=False)[0].get("input")
        if isinstance(given, str):
            return given
        if isinstance(given, dict | list):
            return json.dumps(given, default=str)
    return ""


def _id(line: str) -> int | str | None:
    found = _ID.search(line[:10_000])
    return json.loads(found.group(1)) if found else None
