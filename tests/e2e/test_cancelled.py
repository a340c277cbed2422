"""A client that cancels apply_plan gets an undo while no user has met anything, and the truth afterwards."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import mcp.types as types
import pytest
from mcp import Client

from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.parameters import Parameters
from crossfade.core.app.services import Services
from crossfade.core.documents import JsonObject
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.wiring import build

from .museum import Visitor, opened

KEY = "guide-first"


class Gate:
    """Holds the first write of a backend until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def hold(self, monkeypatch: pytest.MonkeyPatch, backend: type[Any]) -> None:
        write: Any = backend.write

        def held(own: object, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
            if not self.reached.is_set():
                self.reached.set()
                assert self.opened.wait(20)
            write(own, settings, document, entry, **change)

        monkeypatch.setattr(backend, "write", held)


async def yes(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"approve": True})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("backend", "state", "ends"), [(Parameters, "draft", "undone"), (GrowthbookPayload, "running", "applied")]
)
async def test_a_cancelled_launch_is_undone_unless_its_traffic_is_opening(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: Literal["auto", "legacy"],
    backend: type[Any],
    state: str,
    ends: str,
) -> None:
    museum, gate = opened(tmp_path), Gate()
    gate.hold(monkeypatch, backend)
    server = CrossfadeServer(Services(lambda: build(museum.settings, "mcp:test")))
    async with Client(server, elicitation_callback=yes, mode=mode) as client:
        visitor = Visitor(client, [])
        await visitor.draft(KEY)
        plan = await visitor.call("plan_change", key=KEY, change="launch")
        async with anyio.create_task_group() as group:

            async def apply() -> None:
                await client.call_tool("apply_plan", {"digest": plan.body["digest"]})

            async def cancel() -> None:
                with anyio.CancelScope(shield=True):
                    assert await anyio.to_thread.run_sync(gate.reached.wait, 20)
                    group.cancel_scope.cancel()
                    for _ in range(100):  # in which the server, on the same loop, learns of it
                        await anyio.lowlevel.checkpoint()
                    gate.opened.set()

            group.start_soon(apply)
            group.start_soon(cancel)
        again = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (again.body["status"], again.body["state"]) == (ends, state)
        if ends == "undone":
            assert again.body["reason"] == "the call was cancelled before traffic opened"
            assert json.loads(museum.texts.read_text()).get("experiments", {}) == {}
