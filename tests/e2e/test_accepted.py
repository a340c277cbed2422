"""A client is told that its change is kept before anything of it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import mcp.types as types
import pytest
from mcp import Client

from crossfade.core.app.services import Services
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.wiring import build

from .museum import Visitor, opened


async def yes(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"approve": True})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_first_that_is_heard_of_an_apply_is_that_the_journal_has_it(
    tmp_path: Path, mode: Literal["auto", "legacy"]
) -> None:
    museum = opened(tmp_path)
    app = build(museum.settings, "mcp:test")
    heard: list[tuple[float, float | None, str | None]] = []
    kept: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if not heard:
            with app.dependencies.store.read() as view:
                operation = view.last_operation("guide-first")
            assert operation is not None
            kept.append(f"accepted: {operation.id}")
        heard.append((progress, total, message))

    server = CrossfadeServer(Services(lambda: app))
    async with Client(server, elicitation_callback=yes, mode=mode) as client:
        visitor = Visitor(client, [])
        await visitor.draft()
        digest = await visitor.planned()
        result = await client.call_tool("apply_plan", {"digest": digest}, progress_callback=hear)
        assert result.structured_content is not None
        assert result.structured_content["status"] == "applied"
    [accepted] = kept
    assert accepted == f"accepted: {result.structured_content['operation']}"
    assert heard == [(0, 2, accepted), (1, 2, "1 of 2 steps"), (2, 2, "2 of 2 steps")]
