"""Size a draft again once its faults are mended: what was chosen while they stood may not do any more."""

from __future__ import annotations

from .. import audience as audiences
from ..checks.shape import read_spec, unknown_place
from ..documents import JsonObject, changed_leaves
from ..model.catalogue import Catalogue
from ..model.experiment import Record, Spec
from ..planning.choose_size import PLACES, choose_size
from ..planning.size import size
from ..ports.store import Reader
from .cases import MENDED_BY_A_SIZE, examine
from .dependencies import Dependencies


def resized(
    deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, document: JsonObject
) -> tuple[JsonObject, dict[str, str]]:
    """(a changed document of a draft with a size that does, pointer -> why it was chosen again).

    Only what the server chose and the change leaves alone is chosen again, and only where the size was never known or
    does not do.
    """
    touched = {at for at, _, _ in changed_leaves(record.document, document)}
    places = frozenset(PLACES & record.generated.keys()) - touched
    if not places:
        return document, {}
    case, findings = examine(deps, catalogue, view, record.key, document, trying=False)
    if case is None:
        return document, {}
    lacking = any(finding.code in MENDED_BY_A_SIZE for finding in findings)
    if not lacking and is_sized(deps, catalogue, record):
        return document, {}
    return choose_size(document, catalogue, {case.spec.layer: case.free}, case.today, places, case.slots)


def is_sized(deps: Dependencies, catalogue: Catalogue, record: Record) -> bool:
    """Whether the units of the draft as it is are known."""
    spec = read_spec(record.document)
    if not isinstance(spec, Spec) or unknown_place(spec, catalogue):
        return False
    audience, problems = audiences.parse(spec.audience, catalogue.attributes)
    return not problems and size(spec, catalogue, audience, deps.clock.now().date()) is not None
