"""What a token of Unleash may do: the doctor tells of rights that it lacks, and a launch leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..servers.unleash import ADMIN_TOKEN, ENVIRONMENT, FLAGS, SDK_TOKEN, TOKEN_ENV, UnleashServer
from ..servers.unleash_sdk import Product
from .museum import Museum, SetClock, opened, visiting
from .test_unleash import FILE, KEY

pytestmark = pytest.mark.backends

EDITOR = "A person sets a token of the admin API that may change flags of this project: an Editor's personal one, say."


def museum_of(folder: Path, server: UnleashServer, environment: str = ENVIRONMENT, project: str = "default") -> Museum:
    museum = opened(folder)
    file = museum.own_catalogue()
    settings = f"url: '{server.url}', token_env: {TOKEN_ENV}, environment: {environment}, project: {project}"
    file.write_text(file.read_text().replace(FILE, f"{{ kind: unleash, settings: {{ {settings} }} }}"))
    return museum


def flags(server: UnleashServer) -> list[str]:
    return [each["name"] for each in server.admin("GET", FLAGS).json()["features"]]


async def test_an_editors_personal_token_is_enough_for_a_launch_test_units_an_import_and_a_stop(
    tmp_path: Path, unleash: UnleashServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_ENV, unleash.user_token("editor"))
    museum = museum_of(tmp_path, unleash)
    app = museum.app(SetClock())
    [told] = [each for each in app.health().backends if each.name == "flags"]
    assert (told.works, told.reachable, told.authorised) == (True, True, True)
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        assert app.preview(KEY, "guide", ["tester-1"], "curator").status == "applied"
        assert Product(unleash.state()).variant(KEY, {"visitor_id": "tester-1"}) == "guide"
        assert app.import_from("flags", by="curator")[0].kept == []
        stopped = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "stop"))
        assert stopped.body["status"] == "applied", stopped.text
        await visitor.launch("again", change="The guide comes first again")


async def test_a_viewers_token_is_refused_with_the_rights_that_it_lacks_and_leaves_nothing(
    tmp_path: Path, unleash: UnleashServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_ENV, unleash.user_token("viewer"))
    museum = museum_of(tmp_path, unleash)
    [told] = [each for each in museum.app(SetClock()).health().backends if each.name == "flags"]
    assert (told.works, told.reachable, told.authorised, told.next) == (False, True, False, EDITOR)
    assert told.problem is not None
    assert "lacks rights to change it" in told.problem
    assert '"CREATE_FEATURE", "UPDATE_FEATURE", "DELETE_FEATURE", "UPDATE_FEATURE_DEPENDENCY"' in told.problem
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        applied = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "launch"))
        assert (applied.body["status"], applied.body["state"]) == ("undone", "draft"), applied.text
        assert "Unleash does not let this token do that." in applied.text
        assert museum.app(SetClock()).import_from("flags", by="curator")[0].kept == []  # which only reads
    assert flags(unleash) == []


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (SDK_TOKEN, "Unleash does not let this token do that."),
        ("user:0123456789abcdef", "Unleash does not know the token."),
    ],
)
def test_a_token_that_products_use_or_nobody_is_told_from_one_of_the_admin_api(
    tmp_path: Path, unleash: UnleashServer, monkeypatch: pytest.MonkeyPatch, token: str, problem: str
) -> None:
    monkeypatch.setenv(TOKEN_ENV, token)
    [told, _] = museum_of(tmp_path, unleash).app(SetClock()).health().backends
    assert (told.works, told.reachable, told.authorised, told.next) == (False, True, False, EDITOR)
    assert told.problem is not None
    assert told.problem.startswith(problem)
    assert token not in told.problem


@pytest.mark.parametrize(
    ("environment", "project", "problem"),
    [
        ("elsewhere", "default", 'The project in Unleash has no such environment. Got "elsewhere"'),
        (ENVIRONMENT, "nowhere", 'Unleash has no such project. Got "nowhere"'),
    ],
)
async def test_an_environment_or_a_project_that_is_not_there_is_told_before_anything_is_written(
    tmp_path: Path,
    unleash: UnleashServer,
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    project: str,
    problem: str,
) -> None:
    monkeypatch.setenv(TOKEN_ENV, ADMIN_TOKEN)
    museum = museum_of(tmp_path, unleash, environment, project)
    [told, _] = museum.app(SetClock()).health().backends
    assert (told.works, told.problem) == (False, problem)
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        applied = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "launch"))
        assert (applied.body["status"], applied.body["state"]) == ("undone", "draft"), applied.text
        assert problem.partition(" Got")[0] in applied.text
    assert flags(unleash) == []
