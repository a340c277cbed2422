"""Run the MCP server, and beside it a sweeper that finishes what dead processes left and carries out what is due."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.to_thread

from ..core.app.crossfade import Crossfade
from ..core.app.services import Services
from ..core.app.ticking import Round
from ..core.errors import CrossfadeError
from .logs import configure_logs, logger
from .mcp_server import CrossfadeServer
from .settings import Settings
from .stdio import answering_stdio
from .wiring import build

SETTLE = 1.0
"""Seconds before the first sweep: a client's first calls come first."""


def make_server(settings: Settings, actor: str, *, sweeps: bool = False) -> tuple[CrossfadeServer, Services]:
    """
    Args:
        sweeps: whether `sweeping` runs beside the server.
    """
    configure_logs(settings.log_level)

    def wired() -> Crossfade:
        app = build(settings, actor)
        if sweeps:  # at once: the first call may be one that asks whether anybody sweeps
            with suppress(CrossfadeError):
                app.beat(app.dependencies.runner, settings.lease_seconds)
        return app

    services = Services(wired)
    return CrossfadeServer(services), services


async def serve_stdio() -> None:
    settings = Settings()
    server, services = make_server(settings, "mcp:stdio", sweeps=True)
    async with sweeping(services, settings), answering_stdio() as (incoming, outgoing):
        await server.serve(incoming, outgoing)


async def serve_http(host: str, port: int) -> None:
    settings = Settings()
    server, services = make_server(settings, "mcp:http", sweeps=True)
    async with sweeping(services, settings):
        await server.run_streamable_http_async(host=host, port=port)


async def _sweep_once(services: Services, settings: Settings) -> None:
    where = settings.database
    if not (services.built or isinstance(where, str) or where.exists()):
        return
    done = await anyio.to_thread.run_sync(lambda: _tick(services.app, settings))
    for operation in done.finished:
        logger().warning("operation_swept", operation=operation.id, status=operation.status)
    for carried in done.carried:
        due = carried.due
        told = {"key": due.key, "kind": due.kind, "due": due.at.isoformat(), "detail": carried.detail}
        logger().warning("due_carried_out" if carried.done else "due_waits", **told)


def _tick(app: Crossfade, settings: Settings) -> Round:
    return app.tick(app.dependencies.runner, settings.lease_seconds)


async def _sweep(services: Services, settings: Settings) -> None:
    try:
        await _sweep_once(services, settings)
    except CrossfadeError as error:
        logger().warning("sweep_failed", code=error.code, reason=error.message)
    except Exception:  # the server goes on without its sweeper rather than end with it
        logger().exception("sweep_broke")


@asynccontextmanager
async def sweeping(services: Services, settings: Settings) -> AsyncGenerator[None]:
    """Tick soon after the start and once a lease, for as long as the block runs."""

    async def sweep() -> None:
        await anyio.sleep(SETTLE)
        while True:
            with suppress(OSError):  # of the log, which may lie on the very disk that is full
                await _sweep(services, settings)
            await anyio.sleep(settings.lease_seconds)

    async with anyio.create_task_group() as group:
        group.start_soon(sweep)
        yield
        group.cancel_scope.cancel()
