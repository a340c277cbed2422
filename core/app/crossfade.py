"""Crossfade: one method for each thing that somebody can ask of it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from ..documents import JsonObject
from ..errors import NotAllowed
from ..model.answers import Applied, Checked, Estimate, Experiment, Experiments, Explanation, PlanView, Surfaces
from ..model.brief import Brief
from ..model.experiment import Change, State
from ..model.finding import Finding
from ..model.health import Health
from ..model.override import Review
from ..model.plan import Approval, Assurance, Operation
from . import (
    adopting,
    applying,
    approving,
    drafts,
    drift,
    estimating,
    experiments,
    explaining,
    health,
    importing,
    operations,
    overriding,
    plan_view,
    previewing,
    reference,
    refusing,
    reviewing,
    saga,
    stopping,
    strays,
    surfaces,
    ticking,
)
from .dependencies import Dependencies


class Crossfade:
    """Every method is synchronous and safe to call from several threads; its errors are `CrossfadeError`s.

    The docstrings name those that are about the call; CatalogueBroken and StoreUnavailable can come of nearly all.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self.dependencies = dependencies

    def find_surfaces(self, query: str = "", limit: int = 2, cursor: str | None = None) -> Surfaces:
        """The surface that fits the words best, in full, and `limit` others by name. Invalid: not our cursor."""
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
        """Up to `limit`, the best match or else the latest changed first. Invalid: a cursor not of ours, many words."""
        return experiments.find_experiments(self.dependencies, query, surface, state, owner, limit, cursor)

    def get_experiment(self, key: str, *, full: bool = False, version: int | None = None) -> Experiment:
        """One experiment as it is, or was at a version; `full` adds its spec, cut if large. NotFound: no such key."""
        return experiments.get_experiment(self.dependencies, key, full=full, version=version)

    def experiment_document(self, key: str) -> JsonObject:
        """One experiment as it is, with all that there is to it, whatever its size. NotFound: no such key."""
        found = experiments.get_experiment(self.dependencies, key, full=True, version=None, whole=True)
        return found.model_dump(mode="json", exclude_none=True)

    def validate_experiment(self, spec: JsonObject) -> Checked:
        """The findings of a full spec, which is not stored; where it breaks the schema, those are findings too."""
        return drafts.validate(self.dependencies, spec)

    def estimate_sample_size(self, question: estimating.Question) -> Estimate:
        """What a surface's units can find. NotFound: its surface or a metric; Invalid: a number that cannot be."""
        return estimating.estimate(self.dependencies, question)

    def create_experiment(self, brief: Brief) -> Checked:
        """Make and store the draft of a brief. NotFound: its surface; Conflict: the key belongs to another brief."""
        return drafts.create(self.dependencies, brief)

    def update_experiment(self, key: str, version: int, fixes: list[str], changes: JsonObject) -> Checked:
        """Apply fixes, by id, and a merge patch to a draft. Conflict: another version stands; NotAllowed: no draft."""
        return drafts.update(self.dependencies, key, version, fixes, changes)

    def plan_change(
        self,
        key: str,
        change: Change,
        *,
        full: bool = False,
        stage: int | None = None,
        asked: overriding.Doubt | None = None,
        verdict: overriding.Verdict | None = None,
    ) -> PlanView:
        """Compile and store a plan, or say what blocks it; `stage`, from 1, is where a ramp goes.

        NotAllowed: the state; Invalid: no such stage; BackendFailed: cannot be read."""
        return plan_view.plan_view(self.dependencies, key, change, full=full, stage=stage, asked=asked, verdict=verdict)

    def doubt(self, key: str, change: Change, codes: Sequence[str]) -> overriding.Doubt | None:
        """What to ask a person about findings, None for nothing. NotFound: no such; NotAllowed: nobody can lift it."""
        return overriding.doubt(self.dependencies, key, change, codes)

    def override(
        self, key: str, code: str, pointer: str | None, *, reason: str, assurance: Assurance, by: str
    ) -> Finding:
        """Let a finding stand in the spec as it is. NotFound: no such; NotAllowed: nobody can; Invalid: no reason."""
        return overriding.override(self.dependencies, key, code, pointer, reason=reason, assurance=assurance, by=by)

    def draft_summary(self, key: str) -> str:
        """A draft in words for whoever reviews it. NotFound: no such key; NotAllowed: no draft."""
        return reviewing.draft_summary(self.dependencies, key)

    def review(self, key: str, team: str, *, approved: bool, note: str, assurance: Assurance, by: str) -> Review:
        """Keep a team's word on a draft as it stands. NotAllowed: the surface does not ask that team."""
        return reviewing.review(self.dependencies, key, team, approved=approved, note=note, assurance=assurance, by=by)

    def refuse(self, tool: str, key: str | None, names: Sequence[str]) -> NotAllowed:
        """The error for a call that decides what only a person decides, once the audit has the attempt."""
        return refusing.refuse(self.dependencies, tool, key, names)

    def withdraw(self, key: str, code: str, pointer: str | None, *, by: str) -> Finding:
        """Take an override back. NotFound: there is none."""
        return overriding.withdraw(self.dependencies, key, code, pointer, by=by)

    def question(self, handle: str) -> str | None:
        """What a person must say yes to first, or None when nothing is to be asked. NotFound: no such plan."""
        return approving.question(self.dependencies, handle)

    def plan_summary(self, handle: str) -> str:
        """The plan in words for the person who decides, expired or not. NotFound: no such plan."""
        return approving.plan_summary(self.dependencies, handle)

    def approve(self, handle: str, *, approved: bool, assurance: Assurance, by: str) -> Approval:
        """Keep the first answer to a plan, and give back the one that stands. NotFound: no such plan; Stale: late."""
        return approving.approve(self.dependencies, handle, approved=approved, assurance=assurance, by=by)

    def apply_plan(self, handle: str, caller: saga.Caller = saga.NOBODY) -> Applied:
        """Carry out a plan whose answer is kept; a repeat is safe. Stale: the world has changed; Conflict: held."""
        return applying.apply(self.dependencies, handle, caller)

    def stop(self, key: str) -> Applied:
        """Take an experiment out of every backend, needing no catalogue and no yes. NotFound: no such key."""
        return stopping.stop_now(self.dependencies, key)

    def leftovers(self) -> list[strays.Leftover]:
        """Entries of what is not live, in the catalogue's backends; `stop` takes them out. BackendFailed: unread."""
        return strays.leftovers(self.dependencies)

    def foreign(self) -> list[adopting.Foreign]:
        """Documents of the catalogue's backends that belong to another store. BackendFailed: one cannot be read."""
        return adopting.foreign(self.dependencies)

    def adopt(self, taken: Sequence[adopting.Foreign], *, by: str) -> None:
        """Make documents of a store that is lost ours. BackendChanged: one has another owner by now."""
        adopting.adopt(self.dependencies, taken, by)

    def import_from(self, backend: str, *, by: str) -> list[importing.Import]:
        """Keep what others run in an assigner as neighbours. NotFound: no such; NotAllowed: it cannot say."""
        return importing.import_from(self.dependencies, backend, by)

    def live_on(self, surface: str) -> list[str]:
        """Keys of what holds buckets on a surface, in any environment; 1,000 at most."""
        return stopping.live_on(self.dependencies, surface)

    def live_surfaces(self) -> list[str]:
        """Keys of the surfaces on which something holds buckets."""
        return stopping.live_surfaces(self.dependencies)

    def resume_abandoned(self) -> list[Operation]:
        """Finish the operations whose process has shown no life for a lease, and give them back as they ended."""
        return applying.resume_abandoned(self.dependencies)

    def tick(self, name: str, every: float) -> ticking.Round:
        """Finish what dead processes left, then carry out what is due; `name` shows a sign of life, and again in
        `every` seconds."""
        return ticking.tick(self.dependencies, name, every)

    def beat(self, name: str, every: float) -> None:
        """Show a sign of life of a process that ticks every so many seconds."""
        ticking.beat(self.dependencies, name, every)

    def explain(self, key: str, unit: str, attributes: dict[str, JsonValue]) -> Explanation:
        """What a unit with these attributes gets now, and why. NotFound: no such key; NotAllowed: incomplete."""
        return explaining.explain(self.dependencies, key, unit, attributes)

    def surface_document(self, key: str) -> JsonObject:
        """A surface as the catalogue has it, with what is free and in production now. NotFound: no such surface."""
        return reference.surface_document(self.dependencies, key)

    def drift_document(self, key: str) -> JsonObject:
        """What was delivered where, and what is there now. NotFound: no such key."""
        return drift.drift_document(self.dependencies, key)

    def metric_document(self, key: str) -> JsonObject:
        """A metric as the catalogue has it. NotFound: no such metric."""
        return reference.metric_document(self.dependencies, key)

    def operation_document(self, operation_id: str) -> JsonObject:
        """An operation, step by step, and where its time went. NotFound: no such operation."""
        return operations.operation_document(self.dependencies, operation_id)

    def health(self) -> Health:
        """Whether store, catalogue, sweeper and each backend work. What fails is told there, and raises nothing."""
        return health.health(self.dependencies)

    def backend_document(self, name: str) -> JsonObject:
        """A backend in each environment that has it, and whether it works. NotFound: no such backend."""
        return health.backend_document(self.dependencies, name)

    def names(self, kind: reference.Kind) -> list[str]:
        """Every name of a kind, for completions."""
        return reference.names(self.dependencies, kind)

    def test_units(self, key: str) -> dict[str, list[str]]:
        return previewing.test_units(self.dependencies, key)

    def preview(self, key: str, variant: str | None, units: list[str], by: str) -> Applied:
        """Give up to 100 test units a variant; None takes all back. Invalid: no such variant; NotAllowed: the state."""
        return previewing.preview(self.dependencies, key, variant, units, by)
