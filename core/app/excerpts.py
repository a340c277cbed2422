"""Large experiments in short, for a reader whose room is limited: what is cut says how long it is."""

from __future__ import annotations

from pydantic import JsonValue

from ..checks.shape import allowed_fields
from ..documents import JsonObject, canonical, escape
from ..model.answers import Experiment
from ..model.experiment import Record
from ..model.finding import Finding
from ..names import listed
from ..wording import cut as brief
from .views import first_of, with_findings

ROOM = 12_000
"""Most bytes of a document in a reply. The reply's text says it once more, and both are read as about 6,000 tokens."""
FULL = 20_000
"""Most bytes of the structured half of a full reply."""
SHOWN_REASON, SHOWN_REASONS = 200, 40
"""Most characters of why a value was chosen, and most such values."""
SHOWN_CUTS = 8
STEPS = ((4, 2_000), (4, 400), (2, 400), (1, 200))
"""(how deep objects are kept as objects, longest value in characters), the mildest first: four levels down are the
values of a variant's parameters."""


def readable(answer: Experiment, record: Record, findings: list[Finding]) -> Experiment:
    """The full answer, without what has no room; its `next` says what that is, and where all of it can be read."""
    spec, cut = excerpt(record.document, frozenset(allowed_fields([])))
    generated = {at: brief(why, SHOWN_REASON) for at, why in record.generated.items()}
    shown = answer.model_copy(update={"spec": spec, "generated": first_of(generated, SHOWN_REASONS)})
    shown = with_findings(shown, findings, FULL) if findings else shown
    cut += ["generated"] if len(generated) > SHOWN_REASONS else []
    cut += ["findings"] if shown.total is not None else []
    if not cut:
        return shown
    size = f"the spec has {_bytes(record.document):,} bytes"
    where = f"the resource experiment://{record.key} has all of it, as it is now"
    told = f"{answer.next}; too much to show, cut at {listed(cut, SHOWN_CUTS)}; {size}; {where}"
    return shown.model_copy(update={"next": told})


def excerpt(document: JsonObject, fields: frozenset[str], room: int = ROOM) -> tuple[JsonObject, list[str]]:
    """(the document with its largest values cut to texts, the pointers of what was cut); the document itself while it
    has at most `room` bytes.

    Args:
        fields: names that the document may have; where not even short values have room, only these are kept.
    """
    cut = list[str]()
    shown = document
    for depth, longest in STEPS:
        if _bytes(shown) <= room:
            return shown, cut
        cut = list[str]()
        shown = {name: _cut(each, f"/{escape(name)}", depth - 1, longest, cut) for name, each in document.items()}
    if _bytes(shown) > room:
        shown = {name: each for name, each in shown.items() if name in fields}
        cut.append("/")
    return shown, cut


def _cut(value: JsonValue, at: str, depth: int, longest: int, cut: list[str]) -> JsonValue:
    text = value if isinstance(value, str) else canonical(value)
    if len(text) <= longest:
        return value
    if isinstance(value, dict) and depth > 0:
        return {name: _cut(each, f"{at}/{escape(name)}", depth - 1, longest, cut) for name, each in value.items()}
    cut.append(at)
    return f"{text[: longest // 2]}… ({len(text.encode()):,} bytes)"


def _bytes(value: JsonValue) -> int:
    return len(canonical(value).encode())
