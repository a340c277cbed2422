"""Steps that take exposure away. They come from the journal of what was delivered, and not from the spec, its checks or
the catalogue: they work while all of those are broken."""

from __future__ import annotations

from ..documents import same
from ..errors import BackendFailed
from ..model.experiment import Change, Record
from ..model.plan import Step
from ..ports.backend import assigns
from ..ports.store import Reader
from .dependencies import Dependencies


def closing_steps(deps: Dependencies, view: Reader, record: Record, change: Change) -> list[Step]:
    """The steps of a pause or a stop. The assigner's entry goes first, which closes traffic; content follows on a
    stop."""
    placements = sorted(view.placements(record.key), key=lambda placement: not placement.opens_traffic)
    steps: list[Step] = []
    for placement in placements:
        if change == "pause" and not placement.opens_traffic:
            continue
        backend = deps.backend(placement.place.kind)
        # What is there now, not what we put there: a kill switch must not trip over drift.
        try:
            now = backend.read(placement.place.settings, placement.place.document, record.key)
        except BackendFailed:
            if placement.opens_traffic:
                raise
            now = placement.entry  # content that cannot be read now must not keep traffic open
        closes = ["everybody gets production values"] if placement.opens_traffic else []
        steps.append(
            Step(place=placement.place, action="remove", entry=record.key, before=now, after=None, summary=closes)
        )
    return steps


def untesting_steps(deps: Dependencies, view: Reader, record: Record) -> list[Step]:
    """The steps that take all test units back: of a draft nothing else is delivered; a running experiment's entry stays
    without them."""
    steps: list[Step] = []
    for placement in view.placements(record.key):
        place, entry = placement.place, record.key
        backend = deps.backend(place.kind)
        if record.state == "draft":
            now = backend.read(place.settings, place.document, entry)
            steps.append(Step(place=place, action="remove", entry=entry, before=now, after=None))
        elif placement.opens_traffic and assigns(backend):
            now = backend.read(place.settings, place.document, entry)
            after = None if now is None else backend.without_previews(now)
            if not same(now, after):
                steps.append(Step(place=place, action="put", entry=entry, before=now, after=after, opens_traffic=True))
    return steps
