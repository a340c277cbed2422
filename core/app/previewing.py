"""Test units, which get a variant on request."""

from __future__ import annotations

from ..checks.shape import read_spec
from ..documents import require_text
from ..errors import Invalid, NotAllowed
from ..model.answers import Applied
from ..model.experiment import Record, Spec
from ..model.plan import Approval
from ..names import nearest
from ..planning.buckets import layer_name
from ..ports.capabilities import ANYTHING
from . import calls
from .applying import apply
from .approving import approve
from .cases import require
from .dependencies import Dependencies
from .plans import plan
from .testing import require_untested_beside

MAX_UNIT = 256
"""Most characters of a unit's id."""
MAX_TEST_UNITS = 100
"""Most test units of an experiment, over all its variants."""


def preview(deps: Dependencies, key: str, variant: str | None, units: list[str], by: str) -> Applied:
    """Give named test units a variant, in production, without tracking; `variant` None takes all of them back, which no
    check and no catalogue can prevent.

    Raises:
        NotFound, NotAllowed: no such experiment, it is neither a draft whose variants can be delivered nor running, its
            assigner cannot force a variant, or a unit is another's test unit and can be no more than that.
        Invalid: no such variant, no unit, or more than 100 of them.
    """
    if variant is not None:
        _require_previews(deps, key, units)
    compiled = plan(deps, key, "preview", lambda record, before: _wanted(record, before, variant, units))
    if compiled.plan is None:
        blocks = ", ".join(finding.code for finding in compiled.findings if finding.blocks)
        raise NotAllowed(f"{key} cannot be previewed: {blocks}.", next=calls.look_at(key))
    answer: Approval = approve(deps, compiled.plan.handle, approved=True, assurance="terminal", by=by)
    return apply(deps, answer.handle)


def _require_previews(deps: Dependencies, key: str, units: list[str]) -> None:
    """
    Raises:
        NotAllowed: the assigner of the experiment cannot force a variant, or not on these units.
    """
    with deps.store.read() as view:
        spec = read_spec(require(view, key).document)
    catalogue = deps.catalogue.current()
    if not isinstance(spec, Spec) or spec.surface not in catalogue.surfaces:
        return  # the plan says so
    can = deps.capabilities(catalogue, spec.surface, spec.environment) or ANYTHING
    if not can.previews:
        message = f"The assigner of {spec.surface} cannot force a variant. {can.why.get('previews', '')}".rstrip()
        raise NotAllowed(message, next=calls.look_at(key))
    if can.previews_alone:
        with deps.store.read() as view:
            require_untested_beside(view, key, layer_name(spec.environment, spec.surface, spec.layer), units)


def test_units(deps: Dependencies, key: str) -> dict[str, list[str]]:
    """Variant -> the test units that always get it. It needs no catalogue."""
    with deps.store.read() as view:
        return view.previews(key)


def _wanted(
    record: Record, before: dict[str, list[str]], variant: str | None, units: list[str]
) -> dict[str, list[str]]:
    if variant is None:
        return {}
    spec = read_spec(record.document)
    known = list(spec.variants) if isinstance(spec, Spec) else []
    if variant not in known:
        raise Invalid(
            "The experiment has no such variant.", got=variant, allowed=known, nearest=nearest(variant, known)
        )
    if not units:
        raise Invalid("Name at least one test unit.")
    for unit in units:
        if not unit.strip():
            raise Invalid("The id of a test unit must not be empty.", got=unit)
        require_text(unit, "", "the list of test units", MAX_UNIT)
    kept = {name: [unit for unit in each if unit not in units] for name, each in before.items() if name in known}
    kept[variant] = sorted({*kept.get(variant, []), *units})
    if sum(map(len, kept.values())) > MAX_TEST_UNITS:
        raise Invalid(f"At most {MAX_TEST_UNITS} test units; more is an allocation.", got=len(units))
    return {name: each for name, each in kept.items() if each}
