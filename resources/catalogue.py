"""Catalogue entries as resources."""

from __future__ import annotations

from ..core.documents import canonical
from .spec import ResourceContext, ResourceSpec, app_of


def surface(key: str, ctx: ResourceContext) -> str:
    """A surface in full: parameters with their JSON Schemas, policy, accrual, delivery, and what is free now."""
    return canonical(app_of(ctx).surface_document(key))


def metric(key: str, ctx: ResourceContext) -> str:
    """A metric in full: definition, baseline, variance, source, owner."""
    return canonical(app_of(ctx).metric_document(key))


def backend(name: str, ctx: ResourceContext) -> str:
    """A backend by environment: whether it can be reached and lets us in, whose documents it holds, what it can."""
    return canonical(app_of(ctx).backend_document(name))


RESOURCES = (
    ResourceSpec("surface://{key}", surface, "Surface", completes="surface"),
    ResourceSpec("metric://{key}", metric, "Metric", completes="metric"),
    ResourceSpec("backend://{name}", backend, "Backend", completes="backend"),
)
