"""Experiments as resources, and the schema of their specs."""

from __future__ import annotations

from ..core.app.reference import spec_schema
from ..core.documents import canonical
from .spec import ResourceContext, ResourceSpec, app_of


def experiment(key: str, ctx: ResourceContext) -> str:
    """An experiment in full: its spec, why each generated value was chosen, what it holds and what is delivered."""
    return canonical(app_of(ctx).experiment_document(key))


def experiment_drift(key: str, ctx: ResourceContext) -> str:
    """What was delivered of an experiment, document by document, what is there now, and where they differ."""
    return canonical(app_of(ctx).drift_document(key))


def schema_experiment() -> str:
    """JSON Schema of a full experiment spec, as validate_experiment takes it."""
    return canonical(spec_schema())


def operation(id: str, ctx: ResourceContext) -> str:
    """A change of an experiment, step by step: what was done, what failed, and where the time went, in seconds."""
    return canonical(app_of(ctx).operation_document(id))


RESOURCES = (
    ResourceSpec("experiment://{key}", experiment, "Experiment", completes="experiment"),
    ResourceSpec("experiment://{key}/drift", experiment_drift, "Drift", completes="experiment"),
    ResourceSpec("operation://{id}", operation, "Operation"),
    ResourceSpec("schema://experiment", schema_experiment, "Experiment schema", "application/schema+json"),
)
