"""The tools as a client sees them: on record as snapshots, and held to the rules that every tool keeps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from inline_snapshot import external_file
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Tool
from pydantic import JsonValue

from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.serving import make_server
from crossfade.server.settings import Settings
from crossfade.tools.all_tools import TOOLS

NAMES = [spec.run.__name__ for spec in TOOLS]
SNAPSHOTS = Path(__file__).parent / "snapshots"
HOW_TO_UPDATE = (
    "The published tool is not the one on record. Every client notices the difference, so say it in CHANGELOG.md; "
    "then: .venv/bin/pytest tests/contract/test_tools.py --inline-snapshot=create,fix"
)
LONGEST_DESCRIPTION = 600
HEAVY = (
    "alembic",
    "duckdb",
    "growthbook",
    "jsonschema_rs",
    "numpy",
    "pandas",
    "scipy",
    "sqlalchemy",
    "sqlmodel",
    "statsmodels",
)

each_tool = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> CrossfadeServer:
    return make_server(Settings(home=tmp_path_factory.mktemp("home")), "test")[0]


@pytest.fixture(scope="module")
def tools(server: CrossfadeServer) -> dict[str, Tool]:
    async def listed() -> dict[str, Tool]:
        async with Client(server) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return anyio.run(listed)


def nodes(schema: JsonValue, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(pointer, node) of every schema in a schema: a map of properties is none itself, its values are."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from nodes(inner, f"{at}/{index}")
    elif isinstance(schema, dict):
        if not at.endswith("/properties"):
            yield at, schema
        for name, inner in schema.items():
            yield from nodes(inner, f"{at}/{name}")


def both_schemas(tool: Tool) -> dict[str, dict[str, Any]]:
    return {"input": tool.input_schema, "output": tool.output_schema or {}}


@each_tool
def test_the_published_tool_is_the_one_on_record(name: str, tools: dict[str, Tool]) -> None:
    published = tools[name].model_dump(mode="json", by_alias=True, exclude_none=True)
    assert published == external_file(f"snapshots/{name}.json"), HOW_TO_UPDATE


def test_there_is_a_record_for_each_tool_and_no_other() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(NAMES)


async def test_tools_are_listed_in_one_order_and_on_one_page(server: CrossfadeServer, tmp_path: Path) -> None:
    lists: list[list[str]] = []
    for each in (server, server, make_server(Settings(home=tmp_path / "other"), "test")[0]):
        async with Client(each) as client:
            page = await client.list_tools()
            assert page.next_cursor is None
            lists.append([tool.name for tool in page.tools])
    assert lists == [NAMES] * 3


@each_tool
def test_a_name_is_a_verb_and_a_noun(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert len(name) <= 64


@each_tool
def test_every_hint_is_given(name: str, tools: dict[str, Tool]) -> None:
    tool = tools[name]
    assert tool.annotations is not None
    hints = tool.annotations.model_dump(by_alias=True)
    assert [hint for hint, value in hints.items() if hint.endswith("Hint") and not isinstance(value, bool)] == []
    assert tool.title
    assert tool.title == tool.annotations.title
    assert not (tool.annotations.read_only_hint and tool.annotations.destructive_hint)


def test_only_the_tool_that_changes_traffic_is_destructive(tools: dict[str, Tool]) -> None:
    assert [name for name, tool in tools.items() if tool.annotations and tool.annotations.destructive_hint] == [
        "apply_plan"
    ]


@each_tool
def test_a_description_is_short_and_begins_with_what_the_tool_is_about(name: str, tools: dict[str, Tool]) -> None:
    """Hosts search the first sentence and cut long descriptions."""
    description = tools[name].description or ""
    assert 0 < len(description) < LONGEST_DESCRIPTION
    noun = name.rsplit("_", 1)[-1].removesuffix("s")
    first = re.split(r"(?<=[.:]) ", description)[0].lower()
    assert noun in first, f'"{first}" does not speak of a {noun}'
    assert len(first) <= 160


@each_tool
def test_a_description_tells_and_does_not_command(name: str, tools: dict[str, Tool]) -> None:
    assert re.findall(r"\b(ALWAYS|NEVER|MUST|IMPORTANT|before any other tool)\b", tools[name].description or "") == []


@each_tool
def test_every_parameter_says_what_it_takes(name: str, tools: dict[str, Tool]) -> None:
    parameters: dict[str, dict[str, Any]] = tools[name].input_schema["properties"]
    assert [name for name, schema in parameters.items() if not (schema.get("description") or schema.get("enum"))] == []


@each_tool
def test_unknown_arguments_are_outside_the_input_schema(name: str, tools: dict[str, Tool]) -> None:
    assert tools[name].input_schema["type"] == "object"
    assert tools[name].input_schema["additionalProperties"] is False


@each_tool
def test_schemas_are_sound_and_hold_no_padding(name: str, tools: dict[str, Tool]) -> None:
    """Titles, `null` beside "not given" and definitions used by reference cost tokens and say nothing."""
    padding: list[str] = []
    for half, schema in both_schemas(tools[name]).items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for at, node in nodes(schema):
            padding += [f"{half}{at}/{key}" for key in ("title", "$defs", "$ref") if key in node]
            if "default" in node and node["default"] is None:
                padding.append(f"{half}{at}/default")
            if {"type": "null"} in node.get("anyOf", []) and "default" in node:
                padding.append(f"{half}{at}/anyOf")
    assert padding == []


@each_tool
def test_the_output_schema_describes_an_object_that_ends_with_next(name: str, tools: dict[str, Tool]) -> None:
    output = tools[name].output_schema
    assert output is not None
    assert output["type"] == "object"
    answers = [node for _, node in nodes(output) if "next" in node.get("properties", {})]
    assert [("next" in answer["required"]) for answer in answers] == [True]


@each_tool
async def test_an_argument_that_does_not_exist_is_refused(name: str, server: CrossfadeServer) -> None:
    async with Client(server) as client:
        reply = await client.call_tool(name, {"zzz": 1})
    assert reply.is_error
    body: dict[str, Any] = reply.structured_content or {}
    assert (body["code"], body["pointer"], body["retryable"]) == ("invalid_arguments", "/zzz", False)
    assert "zzz" in str(body["got"])


@pytest.mark.parametrize(
    ("tool", "arguments", "at", "nearest"),
    [
        ("find_surfaces", {"qury": "home"}, "/qury", "query"),
        ("create_experiment", {"surfce": "home"}, "/surfce", "surface"),
        ("create_experiment", {"success_metric": {}}, "/success_metric", "success_metrics"),
        ("update_experiment", {"key": "abc", "version": 1, "fix": ["a.1"]}, "/fix", "fixes"),
        ("get_experiment", {"Key": "abc"}, "/Key", "key"),
        ("plan_change", {"key": "abc", "change": "start"}, "/change", "launch"),
        ("plan_change", {"key": "abc", "change": "end"}, "/change", "stop"),
        ("plan_change", {"key": "abc", "change": "Launch"}, "/change", "launch"),
        ("find_experiments", {"state": "runing"}, "/state", "running"),
    ],
)
async def test_a_slip_is_answered_with_what_was_probably_meant(
    tool: str, arguments: dict[str, Any], at: str, nearest: str, server: CrossfadeServer
) -> None:
    async with Client(server) as client:
        reply = await client.call_tool(tool, arguments)
    assert reply.is_error
    body: dict[str, Any] = reply.structured_content or {}
    assert body["code"] == "invalid_arguments"
    assert body["pointer"] == at
    assert body["nearest"][0] == nearest
    assert nearest in body["allowed"]


@pytest.mark.parametrize(("name", "nearest"), [("create_experimnt", ["create_experiment"]), ("zzzzzz", [])])
async def test_a_tool_that_does_not_exist_is_a_protocol_error(
    name: str, nearest: list[str], server: CrossfadeServer
) -> None:
    async with Client(server) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool(name, {})
    assert caught.value.code == INVALID_PARAMS
    assert caught.value.data["nearest"][:1] == nearest
    assert caught.value.data["allowed"] == NAMES


LISTING = """
import asyncio, json, sys
from pathlib import Path
from mcp import Client
from crossfade.server.serving import make_server
from crossfade.server.settings import Settings

async def list_tools() -> int:
    server, _ = make_server(Settings(home=Path(sys.argv[1])), "test")
    async with Client(server) as client:
        return len((await client.list_tools()).tools)

count = asyncio.run(list_tools())
print(json.dumps({"tools": count, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_listing_the_tools_loads_no_heavy_library(tmp_path: Path) -> None:
    """Hosts start the server and list its tools long before anybody calls one."""
    ran = subprocess.run([sys.executable, "-c", LISTING, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["tools"] == len(NAMES)
    assert sorted(set(report["modules"]) & set(HEAVY)) == []
    assert list(tmp_path.iterdir()) == [], "listing writes nothing"
