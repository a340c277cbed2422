"""Tools that plan a change of traffic, and carry it out after a person's yes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Literal

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import AcceptedElicitation, Context, DeclinedElicitation, Elicit, ElicitationResult, Resolve
from pydantic import BaseModel, BeforeValidator, Field

from ..core.app.overriding import Doubt, Verdict
from ..core.app.saga import Caller
from ..core.app.services import Services
from ..core.model.answers import Applied, PlanView
from ..core.model.experiment import Change
from ..core.model.override import MAX_REASON
from .spec import Effect, ToolContext, ToolSpec, app_of, as_list


class Unasked(BaseModel):
    """No question was put: nothing is to be asked, or nobody can be."""


def can_elicit(ctx: Context[Services, object]) -> bool:
    """Whether this client can put a form to a person now: it says so, and there is a way back to it."""
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    modern = ctx.protocol_version is not None and ctx.protocol_version >= "2026-07-28"
    return modern or ctx.session.can_send_request


def client_name(ctx: ToolContext) -> str:
    return ctx.session.client_params.client_info.name if ctx.session.client_params else "host"


# The docstrings of forms are shown to the person. A yes or no has no default: nobody agrees by not answering.
class Decide(BaseModel):
    """Whether this may stand, and why."""

    override: bool = Field(description="Let this stand?")
    reason: str = Field(default="", description=f"Why: needed for a yes, at most {MAX_REASON} characters")


async def what_to_ask(ctx: ToolContext, key: str, change: Change, ask: list[str] | None) -> Doubt | None:
    """What the person decides about, read before the question is put, so that the answer is about nothing newer."""
    return await anyio.to_thread.run_sync(app_of(ctx).doubt, key, change, ask or [])


async def ask_to_override(
    ctx: ToolContext, asked: Annotated[Doubt | None, Resolve(what_to_ask)]
) -> Elicit[Decide] | Unasked:
    return Elicit(asked.question, Decide) if asked is not None and can_elicit(ctx) else Unasked()


def plan_change(
    ctx: ToolContext,
    key: Annotated[str, Field(description="Experiment key")],
    change: Literal["launch", "ramp", "pause", "resume", "stop", "reconcile"],
    asked: Annotated[Doubt | None, Resolve(what_to_ask)],
    decision: Annotated[ElicitationResult[Decide], Resolve(ask_to_override)],
    full: Annotated[bool, Field(description="Also each backend entry before and after")] = False,
    stage: Annotated[int | None, Field(description="Of a ramp, from 1; default the next")] = None,
    ask: Annotated[
        list[str] | None,
        BeforeValidator(as_list),
        Field(description="Codes of block_unless_overridden findings: a person is asked whether they may stay"),
    ] = None,
) -> PlanView:
    """Plan a change of a ready experiment: what each backend gets, how it is undone, and a digest to apply. Changes
    nothing."""
    return app_of(ctx).plan_change(key, change, full=full, stage=stage, asked=asked, verdict=_verdict(ctx, decision))


def _verdict(ctx: ToolContext, decision: ElicitationResult[Decide]) -> Verdict | None:
    """What the person decided; a form that was closed decides nothing."""
    if isinstance(decision, DeclinedElicitation):
        return Verdict(lifted=False, reason="", assurance="host", by=client_name(ctx))
    if not isinstance(decision, AcceptedElicitation) or isinstance(decision.data, Unasked):
        return None
    said = decision.data
    return Verdict(lifted=said.override, reason=said.reason, assurance="host", by=client_name(ctx))


class Confirm(BaseModel):
    """Your answer to the plan."""

    approve: bool = Field(description="Apply this plan to the backends?")


async def ask(ctx: ToolContext, digest: str) -> Elicit[Confirm] | Unasked:
    """The question to the person, bound to the digest. It runs again in each round, so it changes nothing."""
    if not can_elicit(ctx):
        return Unasked()
    question = await anyio.to_thread.run_sync(app_of(ctx).question, digest)
    return Elicit(question, Confirm) if question is not None else Unasked()


async def apply_plan(
    ctx: ToolContext,
    digest: Annotated[str, Field(description="From plan_change: p-0123456789")],
    answer: Annotated[ElicitationResult[Confirm], Resolve(ask)],
) -> Applied:
    """Apply a plan to the backends, all steps or none. A person is asked first; you cannot answer for them. Repeating
    the call is safe and continues where it stopped. `status` is the truth: only "applied" means it was done."""
    app = app_of(ctx)
    # A form that was closed is no answer: the plan waits on, and the next call asks again.
    if isinstance(answer, DeclinedElicitation) or (
        isinstance(answer, AcceptedElicitation) and not isinstance(answer.data, Unasked)
    ):
        approved = isinstance(answer, AcceptedElicitation) and answer.data.approve
        who = client_name(ctx)
        await anyio.to_thread.run_sync(lambda: app.approve(digest, approved=approved, assurance="host", by=who))

    return await _heard(ctx, app.apply_plan, digest)


async def _heard(ctx: ToolContext, apply: Callable[[str, Caller], Applied], digest: str) -> Applied:
    """The call in a thread, which tells the client that the change is kept, then of each step, and learns that the
    client has cancelled it."""
    cancelled = threading.Event()

    def accept(operation: str, done: int, of: int) -> None:
        anyio.from_thread.run(ctx.report_progress, float(done), float(of), f"accepted: {operation}")

    def tell(done: int, of: int, direction: str) -> None:
        message = f"{done} of {of} steps" + (", undoing" if direction == "undo" else "")
        anyio.from_thread.run(ctx.report_progress, float(done), float(of), message)

    async def wait_for_cancel() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    outcome: Applied | Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(wait_for_cancel)
        try:
            # The thread is waited for whatever happens: it knows by itself when to turn back.
            outcome = await anyio.to_thread.run_sync(apply, digest, Caller(tell, cancelled.is_set, accept))
        except Exception as error:  # which the group would wrap
            outcome = error
        group.cancel_scope.cancel()
    if isinstance(outcome, Applied):
        return outcome
    raise outcome or RuntimeError("the call was cancelled")


TOOLS = (
    ToolSpec(plan_change, "Plan a change", Effect.WRITES),
    ToolSpec(apply_plan, "Apply a plan", Effect.CHANGES_TRAFFIC),
)
