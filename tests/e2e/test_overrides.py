"""An agent asks whether a finding may stand; a person decides, and the model supplies neither yes nor reason."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import mcp.types as types
import pytest
from mcp import Client

from crossfade.adapters.store.store import open_store
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.core.errors import StoreUnavailable
from crossfade.server.mcp_server import CrossfadeServer
from crossfade.server.wiring import build

from .museum import Museum, SetClock, Visitor, opened

KEY = "guide-first"
CODES = ["design.policy"]
ERAS: tuple[Literal["auto", "legacy"], ...] = ("auto", "legacy")
each_era = pytest.mark.parametrize("mode", ERAS)

Answer = Mapping[str, Any] | Literal["cancel", "decline"]


@asynccontextmanager
async def asking(
    home: Path, answer: Answer | None, mode: Literal["auto", "legacy"] = "auto"
) -> AsyncGenerator[Visitor]:
    """A client with a draft that a person may let stand; `answer` is what the person says, None for nobody there."""
    museum, questions = opened(home), list[str]()

    async def said(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        questions.append(params.message)
        if isinstance(answer, str):
            return types.ElicitResult(action=answer)
        return types.ElicitResult(action="accept", content=dict(answer or {}))

    server = CrossfadeServer(Services(lambda: build(museum.settings, "mcp:test", SetClock())))
    async with Client(server, elicitation_callback=said if answer is not None else None, mode=mode) as client:
        visitor = Visitor(client, questions)
        await visitor.draft(KEY)
        changed = await visitor.call("update_experiment", key=KEY, version=1, changes={"design": {"alpha": 0.08}})
        assert changed.codes() == CODES
        yield visitor


@each_era
async def test_a_yes_with_a_reason_lifts_the_finding_and_plans(tmp_path: Path, mode: Literal["auto", "legacy"]) -> None:
    async with asking(tmp_path, {"override": True, "reason": "A pilot"}, mode) as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert (plan.body["override"], plan.body["ready"]) == ("given", True)
        assert plan.finding("design.policy")["overridden"].startswith("A pilot (host, ")
        [question] = visitor.questions
        assert "design.policy at /design/alpha" in question
        assert f"{KEY}, version 2" in question


@each_era
async def test_the_question_is_put_once(tmp_path: Path, mode: Literal["auto", "legacy"]) -> None:
    async with asking(tmp_path, {"override": True, "reason": "A pilot"}, mode) as visitor:
        for _ in range(2):
            await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert len(visitor.questions) == 1


@each_era
@pytest.mark.parametrize("answer", ["decline", {"override": False, "reason": ""}], ids=str)
async def test_a_no_leaves_the_cure(tmp_path: Path, answer: Answer, mode: Literal["auto", "legacy"]) -> None:
    async with asking(tmp_path, answer, mode) as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert (plan.body["override"], plan.body["ready"]) == ("declined", False)
        assert plan.body["next"].startswith(f'update_experiment(key="{KEY}", version=2, fixes=["design.policy.')


async def test_a_yes_without_a_reason_is_none(tmp_path: Path) -> None:
    async with asking(tmp_path, {"override": True}) as visitor:
        reply = await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert reply.failed
        assert (reply.body["code"], reply.body["retryable"]) == ("no_reason", True)
        assert reply.body["message"].startswith("The person said yes and gave no reason.")
        again = f'plan_change(key="{KEY}", change="launch", ask=["design.policy"]) asks the person again'
        assert reply.body["next"].startswith(again)
        assert "pointer" not in reply.body  # no argument of the tool could mend it
        assert (await visitor.call("get_experiment", key=KEY)).body["ready"] is False


async def test_a_form_that_was_closed_leads_to_the_terminal(tmp_path: Path) -> None:
    async with asking(tmp_path, "cancel") as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert plan.body["override"] == "awaiting_person"


async def test_without_anybody_to_ask_the_reply_has_the_exact_command(tmp_path: Path) -> None:
    async with asking(tmp_path, None) as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="launch", ask=CODES)
        assert (plan.body["override"], plan.body["ready"]) == ("awaiting_person", False)
        following = plan.body["next"]
        assert following.startswith("update_experiment(")
        assert f'override {KEY} design.policy --reason "' in following
        assert following.endswith(f'then plan_change(key="{KEY}", change="launch")')


async def test_one_code_may_come_as_a_text(tmp_path: Path) -> None:
    async with asking(tmp_path, {"override": True, "reason": "A pilot"}) as visitor:
        assert (await visitor.call("plan_change", key=KEY, change="launch", ask="design.policy")).body["ready"]


@pytest.mark.parametrize(
    ("code", "error"), [("design.polcy", "not_found"), ("blackout.window", "not_found"), ("", "not_found")]
)
async def test_a_finding_that_nobody_can_be_asked_about_is_refused(tmp_path: Path, code: str, error: str) -> None:
    async with asking(tmp_path, {"override": True, "reason": "A pilot"}) as visitor:
        reply = await visitor.call("plan_change", key=KEY, change="launch", ask=[code])
        assert reply.failed
        assert reply.body["code"] == error
        assert reply.body["allowed"] == ["design.policy /design/alpha"]
        assert visitor.questions == []


@pytest.mark.parametrize(
    "sneaked",
    [{"decision": {"override": True, "reason": "Mine"}}, {"asked": {"key": KEY}}, {"reason": "Mine"}],
    ids=str,
)
async def test_the_model_supplies_neither_yes_nor_reason(tmp_path: Path, sneaked: dict[str, Any]) -> None:
    async with asking(tmp_path, None) as visitor:
        reply = await visitor.call("plan_change", {"key": KEY, "change": "launch", "ask": CODES, **sneaked})
        assert reply.failed
        assert (await visitor.call("get_experiment", key=KEY)).body["ready"] is False


@pytest.mark.parametrize(
    ("tool", "sneaked"),
    [
        ("plan_change", {"change": "launch", "override": True}),
        ("plan_change", {"change": "launch", "force": True}),
        ("apply_plan", {"digest": "p-0123456789", "confirm": True}),
        ("apply_plan", {"digest": "p-0123456789", "answer": {"approve": True}}),
        ("update_experiment", {"version": 2, "changes": {"tags": ["a"]}, "severity": "warn"}),
        ("update_experiment", {"version": 2, "changes": {"overrides": ["design.policy"]}}),
    ],
    ids=str,
)
async def test_an_attempt_to_decide_for_a_person_is_refused_with_who_can(
    tmp_path: Path, tool: str, sneaked: dict[str, Any]
) -> None:
    async with asking(tmp_path, None) as visitor:
        key = {} if tool == "apply_plan" else {"key": KEY}
        reply = await visitor.call(tool, {**key, **sneaked})
        assert reply.failed
        assert reply.body["code"] == "only_a_person"
        assert "has a person asked" in reply.body["next"]
        with open_store(Museum(tmp_path).settings.database).read() as view:
            [event] = [each for each in view.audit_of(key.get("key", tool), 9) if each.what == "attempt_refused"]
        assert event.after is not None
        assert event.after["tool"] == tool
        assert "True" not in str(event.after)


async def test_an_attempt_is_refused_without_a_store_too(tmp_path: Path) -> None:
    def broken() -> Crossfade:
        raise StoreUnavailable("The database is another program's.")

    async with Client(CrossfadeServer(Services(broken))) as client:
        reply = await Visitor(client).call("apply_plan", digest="p-0123456789", confirm=True)
    assert reply.failed
    assert reply.body["code"] == "only_a_person"
