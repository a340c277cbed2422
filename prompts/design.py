"""Design an experiment from an idea."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Message, UserMessage
from pydantic import Field

from .spec import PromptContext, PromptSpec, app_of, attached

STEPS = """Take this idea to a running experiment: {idea}

1. find_surfaces with words of the idea{hint}. Pick parameters and values that exist; never invent names.
2. create_experiment: what users will notice, why that should move the metric, only what differs from production.
   Leave allocation and duration out unless somebody asked for them: the server sizes the run.
3. If something blocks, call the `next` of the reply, once. Prefer fixes that do not relax the test.
4. plan_change with change="launch"; tell in two sentences what would change where, and what is still warned of.
5. apply_plan. A person answers, not you. Report the status word as it came."""


def design_experiment(
    idea: Annotated[str, Field(description="What might work better, in plain words")],
    ctx: PromptContext,
    surface: Annotated[str, Field(description="Surface key, if known")] = "",
) -> list[Message]:
    """Take an idea to a running experiment in five calls."""
    hint = f"; start with the surface {surface}, attached" if surface else ""
    messages: list[Message] = [UserMessage(STEPS.format(idea=idea, hint=hint))]
    if surface:
        messages.append(attached(f"surface://{surface}", app_of(ctx).surface_document(surface)))
    return messages


PROMPTS = (PromptSpec(design_experiment, "Design an experiment", {"surface": "surface"}),)
