"""The trace of whoever calls a tool reaches the systems that are called for it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.server.mcp_server import CrossfadeServer

from ..servers.proxy import FaultProxy

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-00"
BRIEF: dict[str, Any] = {
    "surface": "gallery",
    "change": "The audio guide comes first",
    "because": "Visitors do not find the guide",
    "variants": {"guide": {"guide_first": True}},
    "success_metrics": {"ticket_rate": None},
}

pytestmark = pytest.mark.file_store("the server of the test opens a file by itself")


def traces(proxy: FaultProxy) -> set[str | None]:
    found = {call.headers.get("traceparent") for call in proxy.calls}
    proxy.inject(None)
    return found


async def test_each_call_carries_its_own_trace_from_its_meta(app: Crossfade, proxy: FaultProxy) -> None:
    async with Client(CrossfadeServer(Services(lambda: app))) as client:
        await client.call_tool("create_experiment", {**BRIEF, "key": "traced"}, meta={"traceparent": TRACE})
        assert traces(proxy) == {TRACE}
        await client.call_tool("plan_change", {"key": "traced", "change": "launch"}, meta={"traceparent": OTHER})
        assert traces(proxy) == {OTHER}
        await client.call_tool("plan_change", {"key": "traced", "change": "launch"})
        assert traces(proxy) == {None}
        await client.call_tool("plan_change", {"key": "traced", "change": "launch"}, meta={"traceparent": "x\r\ny: z"})
        assert traces(proxy) == {None}


async def test_over_http_the_header_counts_where_the_call_says_nothing(app: Crossfade, proxy: FaultProxy) -> None:
    served = CrossfadeServer(Services(lambda: app)).streamable_http_app()
    over = httpx2.AsyncClient(transport=httpx2.ASGITransport(served), headers={"traceparent": TRACE})
    speaking = streamable_http_client("http://127.0.0.1:8000/mcp", http_client=over)
    async with served.router.lifespan_context(served), over, Client(speaking) as client:
        await client.call_tool("create_experiment", {**BRIEF, "key": "traced"})
        assert traces(proxy) == {TRACE}
        await client.call_tool("plan_change", {"key": "traced", "change": "launch"}, meta={"traceparent": OTHER})
        assert traces(proxy) == {OTHER}
