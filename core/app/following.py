"""Which call comes next for a draft."""

from __future__ import annotations

from ..checks.schedule import LAUNCH_CHECKS
from ..checks.shape import read_spec
from ..documents import JsonObject, canonical
from ..model.catalogue import Catalogue
from ..model.experiment import Record, Spec
from ..model.finding import Finding
from ..names import listed
from ..ports.store import Reader
from . import calls
from .cases import examine
from .dependencies import Dependencies
from .repair import Repair, repair
from .resizing import resized

_OF_A_LAUNCH = frozenset(check.code for check in LAUNCH_CHECKS)


def next_call(deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, findings: list[Finding]) -> str:
    """The one call that gets a draft further: the update that makes it ready, or its launch."""
    blocks = [finding for finding in findings if finding.blocks and finding.code not in _OF_A_LAUNCH]
    if not blocks:
        return _launch(deps, catalogue, record)

    def examined(document: JsonObject) -> list[Finding]:
        sized, _ = resized(deps, catalogue, view, record, document)
        return examine(deps, catalogue, view, record.key, sized, chosen=record.generated)[1]

    return update_call(record, repair(record.document, blocks, examined))


def asking(catalogue: Catalogue, surface: str) -> str:
    """Whom to ask before traffic opens, as the end of a next step; nothing where nobody reviews."""
    found = catalogue.surfaces.get(surface)
    return f"; ask the reviewers first: {', '.join(found.reviewers)}" if found is not None and found.reviewers else ""


def update_call(record: Record, mending: Repair) -> str:
    """The update as it can be pasted, or with `...` where only a person knows what to write."""
    if mending.left:
        places = listed(dict.fromkeys(finding.at or "/" for finding in mending.left))
        return f"{calls.update(record.key, record.version, mending.fixes, '{...}')} at {places}"
    changes = canonical(mending.changes) if mending.changes else ""
    return calls.update(record.key, record.version, mending.fixes, changes)


def _launch(deps: Dependencies, catalogue: Catalogue, record: Record) -> str:
    call = calls.plan(record.key, "launch") + asking(catalogue, record.surface)
    spec = read_spec(record.document)
    start = spec.schedule.start if isinstance(spec, Spec) else None
    return f"on {start}: {call}" if start is not None and start > deps.clock.now().date() else call
