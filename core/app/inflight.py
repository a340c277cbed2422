"""What is found about an experiment that was launched, from the store alone: it needs no catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from ..checks.engine import as_finding
from ..checks.flight import DUE_DONE, failed
from ..checks.schedule import SWEEPER_LIVE, unswept
from ..model.finding import Finding
from ..planning.agenda import due_text, is_swept
from ..ports.store import Due, Reader
from .dependencies import Dependencies


def in_flight(deps: Dependencies, view: Reader, agenda: Sequence[Due]) -> list[Finding]:
    """What was due and failed of an experiment's agenda, and whether anybody is left to carry out what comes."""
    found = [
        as_finding(DUE_DONE.code, DUE_DONE.severity, failed(f"{due_text(each)} waits: {each.reason}"))
        for each in agenda
        if each.reason is not None
    ]
    if agenda and not is_swept(view.heartbeats(), deps.clock.now()):
        # It blocks no plan here, but what was agreed to does not come.
        found.insert(0, as_finding(SWEEPER_LIVE.code, "warn", unswept([due_text(each) for each in agenda])))
    return found
