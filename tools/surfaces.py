"""Tools to find what can be varied, and what has been tried."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..core.model.answers import Experiment, Experiments, Surfaces
from ..core.model.experiment import State
from .spec import Effect, ToolContext, ToolSpec, app_of


def find_surfaces(
    ctx: ToolContext,
    query: Annotated[str, Field(description='Words about the change, or a surface key: "home shelf order"')] = "",
    limit: Annotated[int, Field(ge=1, le=20, description="Other surfaces to name")] = 2,
    cursor: Annotated[str | None, Field(description="From the last reply")] = None,
) -> Surfaces:
    """Find surfaces: where in the product something can be varied. Start here. The best match comes with
    its parameters, what they may be and are in production, traffic, free allocation, metrics, audience attributes."""
    return app_of(ctx).find_surfaces(query, limit, cursor)


def find_experiments(
    ctx: ToolContext,
    query: Annotated[str, Field(description="Words of key, name or hypothesis; any may match")] = "",
    surface: Annotated[str | None, Field(description="Surface key")] = None,
    state: State | None = None,
    owner: Annotated[str | None, Field(description="Team")] = None,
    limit: Annotated[int, Field(ge=1, le=50, description="Experiments to list")] = 8,
    cursor: Annotated[str | None, Field(description="From the last reply")] = None,
) -> Experiments:
    """List experiments: the best match for the words first, else the last changed."""
    return app_of(ctx).find_experiments(query, surface, state, owner, limit, cursor)


def get_experiment(
    ctx: ToolContext,
    key: Annotated[str, Field(description="Experiment key")],
    full: Annotated[bool, Field(description="Also every finding, the spec, and why values were chosen")] = False,
    version: Annotated[int | None, Field(ge=1, description="An earlier version")] = None,
) -> Experiment:
    """Show one experiment: state, what blocks it, variants, metrics, buckets held, what is delivered where."""
    return app_of(ctx).get_experiment(key, full=full, version=version)


TOOLS = (
    ToolSpec(find_surfaces, "Find surfaces", Effect.READS),
    ToolSpec(find_experiments, "Find experiments", Effect.READS),
    ToolSpec(get_experiment, "Get experiment", Effect.READS),
)
