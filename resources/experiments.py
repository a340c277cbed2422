"""Experiments as resources, and the schema of their specs."""

from __future__ import annotations

from ..core.app.reference import spec_schema
from ..core.documents import JsonObject, canonical
from .spec import ResourceContext, ResourceSpec, app_of


def experiment(key: str, ctx: ResourceContext) -> str:
    """An experiment in full: its spec, why each generated value was chosen, what it holds and what is delivered."""
    answer: JsonObject = app_of(ctx).get_experiment(key, full=True).model_dump(mode="json", exclude_none=True)
    return canonical(answer)


def experiment_drift(key: str, ctx: ResourceContext) -> str:
    """What was delivered of an experiment, document by document, what is there now, and where they differ."""
    return canonical(app_of(ctx).drift_document(key))


def schema_experiment() -> str:
    """JSON Schema of a full experiment spec, as validate_experiment takes it."""
    return canonical(spec_schema())


RESOURCES = (
    ResourceSpec("experiment://{key}", experiment, "Experiment", completes="experiment"),
    ResourceSpec("experiment://{key}/drift", experiment_drift, "Drift", completes="experiment"),
    ResourceSpec("schema://experiment", schema_experiment, "Experiment schema", "application/schema+json"),
)
