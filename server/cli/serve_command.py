"""`crossfade serve`: the MCP server over stdio or HTTP."""

from __future__ import annotations

import argparse

from .topics import Commands


def add(commands: Commands) -> None:
    command = commands.add_parser("serve", help="run the MCP server (stdio, or --http)")
    command.add_argument("--http", action="store_true", help="streamable HTTP at /mcp instead of stdio")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8080)
    command.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    import anyio

    from ..serving import serve_http, serve_stdio

    if parsed.http:
        anyio.run(serve_http, parsed.host, parsed.port)
    else:
        anyio.run(serve_stdio)
    return 0
