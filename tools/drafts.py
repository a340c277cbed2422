"""Tools to write a draft and to check one."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, FiniteFloat, WithJsonSchema

from ..core.app.question import Question
from ..core.documents import JsonObject
from ..core.model.answers import Checked, Estimate
from ..core.model.brief import Brief, SuccessMetrics, Variants
from ..core.model.experiment import ExperimentKey
from ..core.model.strict import Text
from .spec import Effect, ToolContext, ToolSpec, app_of, as_list

# Held to their bounds with the other arguments, so that one reply names all that are wrong; the schema, which every
# user pays for, says only that they are text.
Words = Annotated[Text, WithJsonSchema({"type": "string"})]
Named = Annotated[ExperimentKey, WithJsonSchema({"type": "string"})]


def validate_experiment(
    ctx: ToolContext,
    spec: Annotated[JsonObject, Field(description="A full spec (resource schema://experiment); not stored")],
) -> Checked:
    """Check an experiment spec without storing it. Returns every finding at once, with allowed fields and values."""
    return app_of(ctx).validate_experiment(spec)


def estimate_sample_size(
    ctx: ToolContext,
    surface: Annotated[str, Field(description="Surface key")],
    metrics: Annotated[SuccessMetrics, Field(description="Metric: relative effect, or null for its default")],
    days: Annotated[int | None, Field(description="1-180; default a choice")] = None,
    allocation: Annotated[FiniteFloat | None, Field(description="0.2 = 20 %; default a choice")] = None,
    audience: Annotated[str | JsonObject | None, Field(description="As in create_experiment")] = None,
    variants: Annotated[int, Field(description="With the control")] = 2,
) -> Estimate:
    """Estimate the sample size of an experiment: what runs of some weeks detect, what effects need, what limits."""
    return app_of(ctx).estimate_sample_size(Question(surface, metrics, days, allocation, audience or {}, variants))


def create_experiment(
    ctx: ToolContext,
    surface: Annotated[str, Field(description="Surface key")],
    change: Annotated[Words, Field(description="What users will notice")],
    because: Annotated[Words, Field(description="Why that should move the metric")],
    variants: Annotated[
        Variants,
        Field(description='{"treatment": {"parameter": value}}: only what differs from production; control is added'),
    ],
    success_metrics: Annotated[
        SuccessMetrics,
        Field(description="Metric: relative effect to detect, signed (0.01 = up 1 %), or null for its default"),
    ],
    audience: Annotated[
        str | JsonObject | None,
        Field(description='"colour in (red, blue) and not (size < 9 or shape = round)", or a map; default everybody'),
    ] = None,
    allocation: Annotated[FiniteFloat | None, Field(description="Share of units that enter: 0.2 = 20 %")] = None,
    duration_days: Annotated[int | None, Field(description="Whole weeks, 7-180")] = None,
    start: Annotated[date | None, Field(description="First day; default on launch")] = None,
    owner: Annotated[str | None, Field(description="Team; default the surface's")] = None,
    key: Annotated[Named | None, Field(description="Default made from surface and change")] = None,
    iterates: Annotated[Named | None, Field(alias="from", description="Key of an experiment to iterate on")] = None,
    more: Annotated[
        JsonObject | None,
        Field(
            description='Other spec fields, a merge patch: {"variants": {"control": {"weight": 0.8}}, "tags": [...]}'
        ),
    ] = None,
) -> Checked:
    """Draft an experiment from a short brief. Generates the rest (control, required metrics, size, duration, layer),
    checks it and stores a draft; findings come with fixes. Nothing runs yet. Repeating the call is safe."""
    brief: dict[str, object] = {
        "surface": surface,
        "change": change,
        "because": because,
        "variants": variants,
        "success_metrics": success_metrics,
        "audience": audience,
        "allocation": allocation,
        "duration_days": duration_days,
        "start": start,
        "owner": owner,
        "key": key,
        "iterates": iterates,
        "more": more,
    }
    return app_of(ctx).create_experiment(Brief.read(brief))


def update_experiment(
    ctx: ToolContext,
    key: Annotated[str, Field(description="Experiment key")],
    version: Annotated[int, Field(ge=1, description="Version you read")],
    fixes: Annotated[
        list[str] | None,
        BeforeValidator(as_list),
        Field(description='Fix ids from findings: ["power.sufficient.3f2a91"]'),
    ] = None,
    changes: Annotated[JsonObject | None, Field(description='Merge patch on the spec: {"allocation": 0.2}')] = None,
) -> Checked:
    """Change a draft experiment: apply fixes by id, then changes. Returns all findings of the new version."""
    return app_of(ctx).update_experiment(key, version, fixes or [], changes or {})


TOOLS = (
    ToolSpec(estimate_sample_size, "Estimate sample size", Effect.READS),
    ToolSpec(validate_experiment, "Validate experiment", Effect.READS),
    ToolSpec(create_experiment, "Create experiment", Effect.WRITES),
    ToolSpec(update_experiment, "Update experiment", Effect.WRITES),
)
