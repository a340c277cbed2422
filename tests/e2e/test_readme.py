"""The README's own catalogue loads, and an experiment launches on it, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import mcp.types as types
from mcp import Client
from mcp.client import ClientRequestContext

from crossfade.server.cli.main import main
from crossfade.server.serving import make_server
from crossfade.server.settings import Settings

README = Path(__file__).parents[2] / "README.md"
FILE = re.compile(r"`catalogue/(\w+\.yaml)`[^\n]*\n```yaml\n(.*?)```", re.DOTALL)


def write_catalogue(home: Path) -> Path:
    folder = home / "catalogue"
    folder.mkdir(parents=True)
    for name, text in FILE.findall(README.read_text()):
        (folder / name).write_text(text)
    return folder


def test_the_catalogue_in_the_readme_has_no_problem(tmp_path: Path) -> None:
    folder = write_catalogue(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.yaml", "shop.yaml", "surfaces.yaml"]
    assert main(["check", str(folder)]) == 0


async def test_an_experiment_on_the_readmes_catalogue_ends_running(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    server, _ = make_server(Settings(home=tmp_path), "test")

    async def agree(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"approve": True})

    async with Client(server, elicitation_callback=agree) as client:

        async def call(tool: str, **arguments: object) -> dict[str, object]:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result.content
            return result.structured_content or {}

        draft = await call(
            "create_experiment",
            surface="product_page",
            change="Reviews stand below the pictures",
            because="Visitors look for reviews before they buy",
            variants={"reviews-up": {"reviews_position": "below_pictures"}},
            success_metrics={"order_rate": None},
        )
        assert draft["ready"], draft
        plan = await call("plan_change", key=draft["key"], change="launch")
        applied = await call("apply_plan", digest=plan["digest"])
    assert applied["status"] == "applied"
    assert (tmp_path / "delivery" / "growthbook.json").exists()
