"""Tools that plan a change of traffic, and carry it out after a person's yes."""

from __future__ import annotations

from typing import Annotated, Literal

import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import AcceptedElicitation, Context, DeclinedElicitation, Elicit, ElicitationResult, Resolve
from pydantic import BaseModel, Field

from ..core.app.services import Services
from ..core.model.answers import Applied, PlanView
from .spec import Effect, ToolContext, ToolSpec, app_of


def plan_change(
    ctx: ToolContext,
    key: Annotated[str, Field(description="Experiment key")],
    change: Literal["launch", "pause", "resume", "stop"],
    full: Annotated[bool, Field(description="Also each backend entry before and after")] = False,
) -> PlanView:
    """Plan a change of a ready experiment: what each backend gets, how it is undone, and a digest to apply. Changes
    nothing."""
    return app_of(ctx).plan_change(key, change, full=full)


class Confirm(BaseModel):
    """The person's answer; no default, so that nobody agrees by not answering."""

    approve: bool = Field(description="Apply this plan to the backends?")


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
        who = ctx.session.client_params.client_info.name if ctx.session.client_params else "host"
        await anyio.to_thread.run_sync(lambda: app.approve(digest, approved=approved, assurance="host", by=who))

    def tell(done: int, of: int, direction: str) -> None:
        message = f"{done} of {of} steps" + (", undoing" if direction == "undo" else "")
        anyio.from_thread.run(ctx.report_progress, float(done), float(of), message)

    return await anyio.to_thread.run_sync(lambda: app.apply_plan(digest, tell))


TOOLS = (
    ToolSpec(plan_change, "Plan a change", Effect.WRITES),
    ToolSpec(apply_plan, "Apply a plan", Effect.CHANGES_TRAFFIC),
)
