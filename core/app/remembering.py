"""Look up what was tried before on a draft's surface."""

from __future__ import annotations

from datetime import date, timedelta

from ..checks.engine import Case
from ..checks.shape import read_spec
from ..model.experiment import LIVE, Spec, State
from ..planning.memory import Precedent, question_of
from ..ports.store import Reader, Summary

RECENT = timedelta(days=365)
"""How long an experiment is remembered after its last change: a year, since people and products change."""
STATES: frozenset[State] = LIVE | frozenset[State]({"stopped"})
RANKED = 100
"""The latest of the experiments on the draft's parameters that are ranked: it bounds what a draft waits for."""
BEST = 20
READ = 5
"""Most experiments whose specs are read and compared."""


def precedents(view: Reader, case: Case) -> list[Precedent]:
    """The live and recent experiments that are closest to a draft; none for one that holds buckets itself."""
    if case.holds or not case.spec.touched:
        return []
    found = view.matching(
        question_of(case.spec),
        surface=case.spec.surface,
        states=STATES,
        touching=case.spec.touched,
        newest=RANKED,
        limit=BEST,
    )
    close = [each for each in found if each.key != case.key and case.today - each.updated.date() <= RECENT]
    return [made for each in close[:READ] if (made := _precedent(view, each, case.today)) is not None]


def _precedent(view: Reader, summary: Summary, today: date) -> Precedent | None:
    record = view.experiment(summary.key)
    spec = read_spec(record.document) if record is not None else None
    if record is None or not isinstance(spec, Spec):
        return None
    released = view.last_release(record.key) if record.state == "stopped" else None
    ended = released.date() if released is not None else None
    days = ((ended or today) - record.started.date()).days if record.started is not None else None
    return Precedent(key=record.key, state=record.state, spec=spec, days=days, ended=ended)
