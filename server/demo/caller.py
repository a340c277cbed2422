"""A real MCP client on the real server, which keeps count of what its calls cost."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import Implementation, TextContent
from pydantic import JsonValue, TypeAdapter

from ...core.documents import JsonObject
from ..version import VERSION
from . import screen
from .person import Person

ANSWER_WITHIN = 60.0
"""Seconds after which a server that does not answer has failed."""
_CALL = re.compile(r"\w+\(.*?\)(?=$|[; ])")
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Reply:
    tool: str
    body: JsonObject
    failed: bool
    size: int
    seconds: float

    @property
    def following(self) -> tuple[str, JsonObject] | None:
        """The call that the reply's `next` holds, copied as a model would; None when it holds none that is complete."""
        return pasted(str(self.body.get("next", "")))


def pasted(text: str) -> tuple[str, JsonObject] | None:
    """(tool, arguments) of the call that a text begins with."""
    found = _CALL.match(text)
    if found is None or "..." in found.group():
        return None
    try:
        call = ast.parse(found.group(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return None
        given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        return call.func.id, _OBJECT.validate_python(given)
    except (SyntaxError, ValueError):
        return None


class Caller:
    """Calls tools, prints what happens, and remembers it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.replies: list[Reply] = []

    async def call(self, tool: str, arguments: JsonObject, *, whole: bool = True) -> Reply:
        """Call a tool; a refusal is a reply too. `whole` False prints only the first line of the answer."""
        screen.call(len(self.replies) + 1, tool, arguments)
        began = time.perf_counter()
        result = await self._client.call_tool(tool, dict(arguments))
        seconds = time.perf_counter() - began
        text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        body = _OBJECT.validate_python(result.structured_content or {})
        compact = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        reply = Reply(tool, body, bool(result.is_error), len(text.encode()) + len(compact.encode()), seconds)
        screen.reply(text, reply.size, seconds, whole=whole or reply.failed)
        self.replies.append(reply)
        return reply


@asynccontextmanager
async def connected(home: Path, person: Person) -> AsyncGenerator[Caller]:
    """A client of a server process of its own, which serves `home` over stdio and ends with the block."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "crossfade.server.cli.main", "serve"],
        env=environment(home),
    )
    client = Client(
        server,
        elicitation_callback=person.answer,
        client_info=Implementation(name="crossfade-demo", version=VERSION),
        read_timeout_seconds=ANSWER_WITHIN,
    )
    async with client:
        yield Caller(client)


def environment(home: Path) -> dict[str, str]:
    """The whole environment, except that no setting of a real installation reaches the demo's server."""
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("CROSSFADE_")}
    return {**own, "CROSSFADE_HOME": str(home)}
