"""Run the MCP server, and beside it a sweeper that finishes what dead processes left."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread

from ..core.app.services import Services
from ..core.errors import CrossfadeError
from .logs import configure_logs, logger
from .mcp_server import CrossfadeServer
from .settings import Settings
from .stdio import answering_stdio
from .wiring import build

SETTLE = 1.0
"""Seconds before the first sweep: a client's first calls come first."""


def make_server(settings: Settings, actor: str) -> tuple[CrossfadeServer, Services]:
    configure_logs(settings.log_level)
    services = Services(lambda: build(settings, actor))
    return CrossfadeServer(services), services


async def serve_stdio() -> None:
    settings = Settings()
    server, services = make_server(settings, "mcp:stdio")
    async with sweeping(services, settings), answering_stdio() as (incoming, outgoing):
        await server.serve(incoming, outgoing)


async def serve_http(host: str, port: int) -> None:
    settings = Settings()
    server, services = make_server(settings, "mcp:http")
    async with sweeping(services, settings):
        await server.run_streamable_http_async(host=host, port=port)


async def _sweep_once(services: Services, settings: Settings) -> None:
    where = settings.database
    if services.built or isinstance(where, str) or where.exists():
        for operation in await anyio.to_thread.run_sync(lambda: services.app.resume_abandoned()):
            logger().warning("operation_swept", operation=operation.id, status=operation.status)


@asynccontextmanager
async def sweeping(services: Services, settings: Settings) -> AsyncGenerator[None]:
    """Resume abandoned operations soon after the start and once a lease, for as long as the block runs."""

    async def sweep() -> None:
        await anyio.sleep(SETTLE)
        while True:
            try:
                await _sweep_once(services, settings)
            except CrossfadeError as error:
                logger().warning("sweep_failed", code=error.code, reason=error.message)
            except Exception:  # the server goes on without its sweeper rather than end with it
                logger().exception("sweep_broke")
            await anyio.sleep(settings.lease_seconds)

    async with anyio.create_task_group() as group:
        group.start_soon(sweep)
        yield
        group.cancel_scope.cancel()
