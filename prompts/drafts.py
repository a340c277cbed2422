"""Repair a draft, and review one."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Message, UserMessage
from pydantic import Field

from ..core.documents import JsonObject
from ..core.model.finding import BLOCKING
from .spec import PromptContext, PromptSpec, app_of, attached

REPAIR = """Make the attached draft {key} ready to launch.

- Blocked by: {blocks}.
- Try `next` of the attached reply first. A fix marked as relaxing the test is a last resort: say what it costs.
- Change nothing that no finding asks for. check://CODE explains a check.
- Stop when the reply says READY, and sum up what changed and why."""

REVIEW = """Review the attached experiment {key} as somebody who answers for its surface. Judge, with a sentence each:

1. Would the result change a decision? Is the mechanism plausible, and could the opposite happen?
2. Do the variants differ only in what the hypothesis speaks of?
3. Are the success metric, its effect and the guardrails the right ones? What could be harmed that nobody measures?
4. Who is left out by the audience, and is that intended?
5. Is the run long enough for habits and weekdays, and what else runs beside it?

End with: approve, approve with changes (name them as update_experiment calls), or reject, and the one main reason."""


def _document(key: str, ctx: PromptContext) -> JsonObject:
    return app_of(ctx).get_experiment(key, full=True).model_dump(mode="json", exclude_none=True)


def repair_findings(
    key: Annotated[str, Field(description="Experiment key of a draft")], ctx: PromptContext
) -> list[Message]:
    """Cure what blocks a draft, without weakening the test."""
    document = _document(key, ctx)
    findings = app_of(ctx).get_experiment(key, full=True).findings or []
    listed = ", ".join(f"{each.code} {each.at}" for each in findings if each.severity in BLOCKING) or "nothing"
    return [UserMessage(REPAIR.format(key=key, blocks=listed)), attached(f"experiment://{key}", document)]


def review_experiment(key: Annotated[str, Field(description="Experiment key")], ctx: PromptContext) -> list[Message]:
    """Review an experiment as an owner of its surface would."""
    document = _document(key, ctx)
    surface = str(document["surface"])
    return [
        UserMessage(REVIEW.format(key=key)),
        attached(f"experiment://{key}", document),
        attached(f"surface://{surface}", app_of(ctx).surface_document(surface)),
    ]


PROMPTS = (
    PromptSpec(repair_findings, "Repair findings", {"key": "experiment"}),
    PromptSpec(review_experiment, "Review an experiment", {"key": "experiment"}),
)
