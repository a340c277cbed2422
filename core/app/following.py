"""Which call comes next for a draft."""

from __future__ import annotations

from ..checks.all_checks import LAUNCH_CHECKS
from ..checks.shape import read_spec
from ..documents import canonical
from ..model.catalogue import Catalogue
from ..model.experiment import Record, Spec
from ..model.finding import Finding
from ..names import listed
from ..ports.store import Reader
from . import calls
from .cases import examine
from .dependencies import Dependencies
from .repair import Repair, repair

_OF_A_LAUNCH = frozenset(check.code for check in LAUNCH_CHECKS)


def next_call(deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, findings: list[Finding]) -> str:
    """The one call that gets a draft further: the update that makes it ready, or its launch."""
    blocks = [finding for finding in findings if finding.blocks and finding.code not in _OF_A_LAUNCH]
    if not blocks:
        return _launch(deps, record)
    return update_call(
        record,
        repair(record.document, blocks, lambda document: examine(deps, catalogue, view, record.key, document)[1]),
    )


def update_call(record: Record, mending: Repair) -> str:
    """The update as it can be pasted, or with `...` where only a person knows what to write."""
    if mending.left:
        places = listed(dict.fromkeys(finding.at or "/" for finding in mending.left))
        return f"{calls.update(record.key, record.version, mending.fixes, '{...}')} at {places}"
    changes = canonical(mending.changes) if mending.changes else ""
    return calls.update(record.key, record.version, mending.fixes, changes)


def _launch(deps: Dependencies, record: Record) -> str:
    call = calls.plan(record.key, "launch")
    spec = read_spec(record.document)
    start = spec.schedule.start if isinstance(spec, Spec) else None
    return f"on {start}: {call}" if start is not None and start > deps.clock.now().date() else call
