"""The MCP Inspector, a client that is none of ours, takes the whole way through the server in both protocol eras."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from crossfade.prompts.all_prompts import PROMPTS
from crossfade.resources.all_resources import RESOURCES
from crossfade.tools.all_tools import TOOLS

from .inspector import Inspector, install, over_http, over_stdio, together

pytestmark = pytest.mark.clients

WAYS = [("stdio", "modern"), ("stdio", "legacy"), ("http", "modern"), ("http", "legacy")]
TOOL_ERROR = 5
PROMPT_NAMES = {spec.write.__name__ for spec in PROMPTS}
URIS = {spec.uri for spec in RESOURCES}
LISTS = {
    "resources/list": ("resources", "uri", {uri for uri in URIS if "{" not in uri}),
    "resources/templates/list": ("resourceTemplates", "uriTemplate", {uri for uri in URIS if "{" in uri}),
    "prompts/list": ("prompts", "name", PROMPT_NAMES),
}
"""Method -> the member of its result, what names an entry there, and the names."""


@dataclass(frozen=True)
class Launch:
    """What the tools said on the way to a running experiment."""

    key: str
    metric: str
    operation: str
    statuses: list[str]


@dataclass(frozen=True)
class Share:
    """Lists to ask for, resources to read, and prompts to get (name and options)."""

    lists: list[str]
    uris: list[str]
    prompts: list[list[str]]


@pytest.fixture(scope="module")
def client() -> list[str]:
    return install()


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def inspector(
    request: pytest.FixtureRequest, client: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Inspector]:
    transport, era = request.param
    home = tmp_path_factory.mktemp(f"{transport}-{era}")
    if transport == "stdio":
        yield Inspector(client, over_stdio(home), era, home)
    else:
        with over_http(home) as target:
            yield Inspector(client, target, era, home)


@pytest.fixture(scope="module")
def launch(inspector: Inspector) -> Launch:
    """From words to a running experiment, each argument from an earlier answer."""
    found, listed = together(
        lambda: inspector.call("find_surfaces", query="home shelf order"),
        lambda: inspector.call("find_experiments"),
    )
    assert listed["experiments"] == []
    best = found["best"]
    metric = next(iter(best["success_metrics"]))
    drafted = inspector.call("create_experiment", **brief(best, metric))
    key: str = drafted["key"]
    assert not drafted["ready"]
    fixes = [fix["id"] for finding in drafted["findings"] for fix in finding.get("fixes", [])][:1]
    mended = inspector.call("update_experiment", key=key, version=drafted["version"], fixes=fixes)
    assert mended["ready"], mended["findings"]
    shown = inspector.call("get_experiment", key=key, full=True)
    sized = inspector.call("estimate_sample_size", surface=best["key"], metrics={metric: None})
    assert sized["menu"]
    checked, planned = together(
        lambda: inspector.call("validate_experiment", spec=shown["spec"]),
        lambda: inspector.call("plan_change", key=key, change="launch"),
    )
    assert checked["ready"], checked["findings"]
    waiting = inspector.call("apply_plan", digest=planned["digest"])
    inspector.approve(planned["digest"])
    applied = inspector.call("apply_plan", digest=planned["digest"])
    return Launch(key, metric, applied["operation"], [waiting["status"], applied["status"], applied["state"]])


def brief(best: dict[str, Any], metric: str) -> dict[str, Any]:
    """A brief with one slip: a shelf that is spelled with `_`."""
    order: list[str] = best["parameters"][0]["production"]
    assert best["parameters"][0]["name"] == "shelf_order"
    return {
        "surface": best["key"],
        "change": "Personal mixes come first on Home",
        "because": "Most sessions begin with them",
        "variants": {"mixes-first": {"shelf_order": [order[1].replace("-", "_"), order[0], *order[2:]]}},
        "success_metrics": {metric: None},
    }


def test_the_schemas_of_the_tools_are_portable(inspector: Inspector) -> None:
    tools = inspector.answer("tools/list", "--strict")["tools"]
    assert [tool["name"] for tool in tools] == [spec.run.__name__ for spec in TOOLS]


def test_an_experiment_runs_only_after_a_yes_in_the_terminal(inspector: Inspector, launch: Launch) -> None:
    assert launch.statuses == ["awaiting_approval", "applied", "running"]
    assert inspector.called == {spec.run.__name__ for spec in TOOLS}, "the way leads through every tool"


def test_a_tool_error_is_told_as_one(inspector: Inspector) -> None:
    if inspector.era == "modern":
        outcome = inspector.try_tool("get_experiment", key="nobody-knows")
        expected = {"code": "not_found", "pointer": "/key", "got": "nobody-knows"}
    else:
        outcome = inspector.try_tool("find_surfaces", qury="home")
        expected = {"code": "invalid_arguments", "pointer": "/qury", "nearest": ["query"]}
    assert outcome.exit == TOOL_ERROR, outcome.complaint
    assert outcome.result["isError"]
    assert expected.items() <= outcome.result["structuredContent"].items()


def test_what_is_listed_can_be_read(inspector: Inspector, launch: Launch) -> None:
    share = shares(launch)[way_of(inspector)]
    listed = together(*(partial(inspector.answer, method) for method in share.lists))
    for method, result in zip(share.lists, listed, strict=True):
        entries, name, expected = LISTS[method]
        assert {entry[name] for entry in result[entries]} == expected
    read = together(*(partial(inspector.answer, "resources/read", "--uri", uri) for uri in share.uris))
    for uri, result in zip(share.uris, read, strict=True):
        [content] = result["contents"]
        assert content["uri"] == uri
        assert content["text"].startswith("# " if content["mimeType"] == "text/markdown" else "{")
    got = together(*(partial(inspector.answer, "prompts/get", "--prompt-name", *prompt) for prompt in share.prompts))
    assert all(result["messages"] for result in got)


def test_together_the_four_ways_read_everything() -> None:
    every = shares(Launch("experiment", "metric", "operation", []))
    assert list(every) == WAYS
    uris = [uri for share in every.values() for uri in share.uris]
    assert sorted(map(scheme, uris)) == sorted(scheme(spec.uri) for spec in RESOURCES)
    assert {prompt[0] for share in every.values() for prompt in share.prompts} == PROMPT_NAMES
    for era in ("modern", "legacy"):
        asked = {method for (_, each), share in every.items() if each == era for method in share.lists}
        assert asked == set(LISTS)


def shares(launch: Launch) -> dict[tuple[str, str], Share]:
    """What each way reads: a process a question takes seconds, so no question is asked four times."""
    key = f"key={launch.key}"
    design = ["design_experiment", "--prompt-args", "idea=lead with mixes", "surface=home"]
    review = ["review_experiment", "--prompt-args", key]
    repair = ["repair_findings", "--prompt-args", key]
    return {
        ("stdio", "modern"): Share(["prompts/list"], ["schema://experiment"], []),
        ("stdio", "legacy"): Share(["resources/list"], ["surface://home", f"operation://{launch.operation}"], []),
        ("http", "modern"): Share(
            ["resources/list", "resources/templates/list"],
            [f"experiment://{launch.key}", f"experiment://{launch.key}/drift", "backend://payload"],
            [design, review],
        ),
        ("http", "legacy"): Share(
            ["prompts/list", "resources/templates/list"],
            [f"metric://{launch.metric}", "check://payload.schema"],
            [repair],
        ),
    }


def scheme(uri: str) -> str:
    return uri.partition("://")[0]


def way_of(inspector: Inspector) -> tuple[str, str]:
    return "http" if "--server-url" in inspector.target else "stdio", inspector.era
