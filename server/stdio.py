"""MCP over stdio in which every line gets an answer: a line that is no message is answered, not swallowed."""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from io import TextIOWrapper
from typing import BinaryIO

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream, create_context_streams
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

NO_MESSAGE = "!\n"
"""What the SDK gets to read in place of a line that it could not take; it hands an exception on for it."""

_TOKEN = re.compile(r'[{}\[\]]|"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)', re.DOTALL)
_COLON = re.compile(r"\s*:")
_ID = re.compile(r'\s*:\s*(-?\d{1,18}(?![\d.eE])|"[^"\\\x00-\x1f]{0,200}")')

Incoming = SessionMessage | Exception
Streams = tuple[ContextReceiveStream[Incoming], ContextSendStream[SessionMessage]]


@asynccontextmanager
async def answering_stdio() -> AsyncGenerator[Streams]:
    """`stdio_server`, with an error reply to each line that is no JSON-RPC message."""
    # Nothing in this process starts a child or reads stdin, so the SDK's guard against that can be done without.
    lines = GuardedLines(os.fdopen(0, "rb", closefd=False))
    async with stdio_server(anyio.wrap_file(lines)) as (incoming, outgoing):
        forward, messages = create_context_streams[Incoming](0)

        async def sort() -> None:
            async with forward:
                async for item in incoming:
                    if isinstance(item, Exception):
                        await outgoing.send(SessionMessage(lines.refusals.popleft()))
                    else:
                        await forward.send(item)

        async with anyio.create_task_group() as group:
            group.start_soon(sort)
            yield messages, outgoing
            group.cancel_scope.cancel()


class GuardedLines(TextIOWrapper):
    """Text of a stream of lines, blank ones left out. For a line that is no message the reader gets NO_MESSAGE, and
    `refusals` the answer to it."""

    def __init__(self, buffer: BinaryIO) -> None:
        super().__init__(buffer, encoding="utf-8")
        self._lines = buffer
        self.refusals: deque[JSONRPCError] = deque()

    def readline(self, size: int = -1, /) -> str:
        while raw := self._lines.readline():
            if not raw.strip():
                continue
            refused = refusal(raw)
            if refused is None:
                return raw.decode()
            self.refusals.append(refused)
            return NO_MESSAGE
        return ""

    def close(self) -> None:
        with suppress(ValueError):  # the stream is not ours to close
            self.detach()


def refusal(line: bytes) -> JSONRPCError | None:
    """-32700 for what is no JSON, -32600 for JSON that is no message, with the id where one can be made out; None for
    a message."""
    try:
        message: JsonValue = from_json(line)
    except ValueError:
        reason = "This line is not valid JSON (one message a line, UTF-8, nesting below 200)."
        return _error(PARSE_ERROR, reason, _salvaged_id(line.decode(errors="replace")))
    try:
        jsonrpc_message_adapter.validate_json(line, by_name=False)
        known = isinstance(message, dict) and ("id" not in message or "method" not in message or _is_id(message["id"]))
    except ValidationError:
        known = False
    if known and _twice(line):
        return _error(INVALID_REQUEST, "An object in this message has two members of one name.", _id(message))
    if known:
        return None
    return _error(INVALID_REQUEST, "This is JSON but not a JSON-RPC 2.0 message that this server takes.", _id(message))


def _twice(line: bytes) -> bool:
    """Whether an object names a member twice: parsers disagree on which one counts, and a person may have read the
    other."""
    found: list[str] = []

    def note(members: list[tuple[str, JsonValue]]) -> None:
        if len({name for name, _ in members}) < len(members):
            found.append("")

    # Numbers stay texts: nothing is to be known of them here, and Python refuses to read very long ones.
    json.loads(line, object_pairs_hook=note, parse_int=str, parse_float=str)
    return bool(found)


def _error(code: int, message: str, request: int | str | None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request, error=ErrorData(code=code, message=message))


def _is_id(value: JsonValue) -> bool:
    """Otherwise the SDK takes a request whose id is null, say, for a notification, and answers nothing."""
    return isinstance(value, int | str) and not isinstance(value, bool)


def _id(message: JsonValue) -> int | str | None:
    """The id of a broken request. A broken response has one too, but of a request of ours: it must not end theirs."""
    if not isinstance(message, dict) or "result" in message or "error" in message:
        return None
    given = message.get("id")
    return given if isinstance(given, int | str) and not isinstance(given, bool) else None


def _salvaged_id(text: str) -> int | str | None:
    """The id at the top level of what was to be a request; an "id" further in belongs to an argument."""
    depth = 0
    request: int | str | None = None
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in ("{", "["):
            depth += 1
        elif mark in ("}", "]"):
            depth -= 1
        elif depth == 1 and mark == '"id"' and (found := _ID.match(text, token.end())):
            request = json.loads(found.group(1))
        elif depth == 1 and mark in ('"result"', '"error"') and _COLON.match(text, token.end()):
            return None
    return request
