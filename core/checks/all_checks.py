"""Every check, in the order in which equals are reported. A new topic is one file and one line here."""

from __future__ import annotations

from ..model.finding import Finding
from . import coordination, eligibility, intent, memory, metrics, schedule, shape, statistics, trial, units, variants
from .engine import Case, Check, findings_of

CASE_CHECKS: tuple[Check, ...] = (
    *variants.CHECKS,
    *eligibility.CHECKS,
    *units.CHECKS,
    *coordination.CHECKS,
    *schedule.CHECKS,
    *metrics.CHECKS,
    *statistics.CHECKS,
    *intent.CHECKS,
    *memory.CHECKS,
)
CHECKS: dict[str, Check] = {
    check.code: check for check in (*shape.CHECKS, *CASE_CHECKS, *schedule.LAUNCH_CHECKS, *trial.TRIAL_CHECKS)
}


def run_checks(case: Case) -> list[Finding]:
    """All findings of a case, worst first."""
    return findings_of(CASE_CHECKS, case)
