"""Size a draft again once its faults are mended: what was chosen while they stood may not do any more."""

from __future__ import annotations

from ..documents import JsonObject, changed_leaves
from ..model.catalogue import Catalogue
from ..model.experiment import Record
from ..planning.choose_size import PLACES, choose_size
from ..ports.store import Reader
from .cases import examine
from .dependencies import Dependencies

_TOO_SMALL = frozenset({"power.sufficient", "allocation.available"})


def resized(
    deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, document: JsonObject
) -> tuple[JsonObject, dict[str, str]]:
    """(a changed document of a draft with a size that does, pointer -> why it was chosen again).

    Only what the server chose and the change leaves alone is chosen again, and only where the size was never known or
    does not do.
    """
    touched = {at for at, _, _ in changed_leaves(record.document, document)}
    places = frozenset(PLACES & record.generated.keys()) - touched
    case, findings = examine(deps, catalogue, view, record.key, document)
    if not places or case is None:
        return document, {}
    lacking = any(finding.code in _TOO_SMALL for finding in findings)
    if not lacking and is_sized(deps, catalogue, view, record):
        return document, {}
    return choose_size(document, catalogue, {case.spec.layer: case.free}, case.today, places)


def is_sized(deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record) -> bool:
    """Whether the units of the draft as it is are known."""
    case, _ = examine(deps, catalogue, view, record.key, record.document)
    return case is not None and case.size is not None
