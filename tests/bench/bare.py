"""What everything is measured against: an MCPServer of the SDK with one tool that does nothing."""

from __future__ import annotations

from mcp.server import MCPServer

server = MCPServer[None]("bare")


@server.tool()
def noop() -> str:
    """Do nothing."""
    return "ok"


if __name__ == "__main__":
    server.run("stdio")
