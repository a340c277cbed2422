"""Every check, in the order in which equals are reported. A new topic is one file and one line here."""

from __future__ import annotations

from ..model.finding import Finding
from . import eligibility, intent, metrics, operations, schedule, shape, statistics, variants
from .engine import Case, Check, findings_of

CASE_CHECKS: tuple[Check, ...] = (
    *variants.CHECKS,
    *eligibility.CHECKS,
    *schedule.CHECKS,
    *metrics.CHECKS,
    *statistics.CHECKS,
    *intent.CHECKS,
    *operations.CHECKS,
)
LAUNCH_CHECKS: tuple[Check, ...] = (*schedule.LAUNCH_CHECKS, *intent.LAUNCH_CHECKS)
"""Asked only of a launch."""
CHECKS: dict[str, Check] = {check.code: check for check in (*shape.CHECKS, *CASE_CHECKS, *LAUNCH_CHECKS)}


def run_checks(case: Case) -> list[Finding]:
    """All findings of a case, worst first."""
    return findings_of(CASE_CHECKS, case)
