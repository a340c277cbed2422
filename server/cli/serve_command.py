"""`crossfade serve`: the MCP server over stdio or HTTP."""

from __future__ import annotations

import argparse
import sys

from .topics import Commands


def add(commands: Commands) -> None:
    command = commands.add_parser("serve", help="run the MCP server (stdio, or --http)")
    command.add_argument("--http", action="store_true", help="streamable HTTP at /mcp instead of stdio")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=port_number, default=8080)
    command.set_defaults(run=run)


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65_536:
        raise ValueError
    return port


def run(parsed: argparse.Namespace) -> int:
    import anyio

    from ..serving import serve_http, serve_stdio

    if not parsed.http:
        anyio.run(serve_stdio)
        return 0
    try:
        anyio.run(serve_http, parsed.host, parsed.port)
    except BaseExceptionGroup as ended:
        if ended.split(SystemExit)[1] is not None:
            raise
        print(f"crossfade: cannot listen on {parsed.host}:{parsed.port}", file=sys.stderr)  # the reason stands above
        return 1
    return 0
