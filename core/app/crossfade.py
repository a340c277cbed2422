"""Crossfade: one method for each thing that somebody can ask of it."""

from __future__ import annotations

from pydantic import JsonValue

from ..documents import JsonObject
from ..model.answers import Applied, Checked, Experiment, Experiments, Explanation, PlanView, Surfaces
from ..model.brief import Brief
from ..model.experiment import Change, State
from ..model.plan import Approval, Assurance, Operation
from . import (
    applying,
    approving,
    drafts,
    experiments,
    explaining,
    plan_view,
    previewing,
    reference,
    saga,
    stopping,
    surfaces,
)
from .dependencies import Dependencies


class Crossfade:
    """Every method is synchronous and safe to call from several threads; its errors are `CrossfadeError`s."""

    def __init__(self, dependencies: Dependencies) -> None:
        self.dependencies = dependencies

    def find_surfaces(self, query: str = "", limit: int = 2, cursor: str | None = None) -> Surfaces:
        return surfaces.find_surfaces(self.dependencies, query, limit, cursor)

    def find_experiments(
        self,
        query: str = "",
        surface: str | None = None,
        state: State | None = None,
        owner: str | None = None,
        limit: int = 8,
        cursor: str | None = None,
    ) -> Experiments:
        return experiments.find_experiments(self.dependencies, query, surface, state, owner, limit, cursor)

    def get_experiment(self, key: str, *, full: bool = False, version: int | None = None) -> Experiment:
        return experiments.get_experiment(self.dependencies, key, full=full, version=version)

    def validate_experiment(self, spec: JsonObject) -> Checked:
        return drafts.validate(self.dependencies, spec)

    def create_experiment(self, brief: Brief) -> Checked:
        return drafts.create(self.dependencies, brief)

    def update_experiment(self, key: str, version: int, fixes: list[str], changes: JsonObject) -> Checked:
        return drafts.update(self.dependencies, key, version, fixes, changes)

    def plan_change(self, key: str, change: Change, *, full: bool = False) -> PlanView:
        return plan_view.plan_view(self.dependencies, key, change, full=full)

    def question(self, handle: str) -> str | None:
        return approving.question(self.dependencies, handle)

    def plan_summary(self, handle: str) -> str:
        return approving.plan_summary(self.dependencies, handle)

    def approve(self, handle: str, *, approved: bool, assurance: Assurance, by: str) -> Approval:
        return approving.approve(self.dependencies, handle, approved=approved, assurance=assurance, by=by)

    def apply_plan(self, handle: str, progress: saga.Progress | None = None) -> Applied:
        return applying.apply(self.dependencies, handle, progress)

    def stop(self, key: str) -> Applied:
        return stopping.stop_now(self.dependencies, key)

    def live_on(self, surface: str) -> list[str]:
        return stopping.live_on(self.dependencies, surface)

    def live_surfaces(self) -> list[str]:
        """Keys of the surfaces on which something holds buckets."""
        return stopping.live_surfaces(self.dependencies)

    def resume_abandoned(self) -> list[Operation]:
        return applying.resume_abandoned(self.dependencies)

    def explain(self, key: str, unit: str, attributes: dict[str, JsonValue]) -> Explanation:
        return explaining.explain(self.dependencies, key, unit, attributes)

    def surface_document(self, key: str) -> JsonObject:
        return reference.surface_document(self.dependencies, key)

    def metric_document(self, key: str) -> JsonObject:
        return reference.metric_document(self.dependencies, key)

    def names(self, kind: reference.Kind) -> list[str]:
        return reference.names(self.dependencies, kind)

    def preview(self, key: str, variant: str | None, units: list[str], by: str) -> Applied:
        return previewing.preview(self.dependencies, key, variant, units, by)
