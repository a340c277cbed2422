"""What a catalogue may say about checks: it can tighten them, and never loosen one."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ..model.catalogue import SEVERITY, CheckRules
from ..model.finding import SEVERITIES
from ..names import nearest
from .all_checks import CHECKS
from .engine import Check, Fault, Threshold, tightened_limit, tightened_severity

At = tuple[str, ...]


def faults(rules: CheckRules, *before: CheckRules) -> Iterator[tuple[At, Fault]]:
    """(path, fault) of each rule that names nothing, or that is looser than the check is under the rules before."""
    for code, rule in rules.items():
        check = CHECKS.get(code)
        if check is None:
            close = nearest(code, CHECKS)
            yield (code,), Fault("", "no such check", code, [] if close else sorted(CHECKS), close)
            continue
        for name, value in rule.items():
            fault = _fault(check, name, value, before)
            if fault is not None:
                yield (code, name), fault


def _fault(check: Check, name: str, value: JsonValue, before: tuple[CheckRules, ...]) -> Fault | None:
    if name == SEVERITY:
        return _severity_fault(check, value, before)
    thresholds = {threshold.name: threshold for threshold in check.thresholds}
    threshold = thresholds.get(name)
    if threshold is None:
        allowed = [SEVERITY, *thresholds]
        return Fault("", "the check has no such threshold", name, allowed, nearest(name, allowed))
    return _threshold_fault(threshold, value, tightened_limit(threshold, *before))


def _severity_fault(check: Check, value: JsonValue, before: tuple[CheckRules, ...]) -> Fault | None:
    now = tightened_severity(check, *before)
    allowed = list[str](SEVERITIES[: SEVERITIES.index(now) + 1])
    if value in allowed:
        return None
    if value in SEVERITIES:
        return Fault("", f"loosens the check, which is {now}; a catalogue only tightens", value, allowed)
    return Fault("", "no such severity", value, allowed, nearest(str(value), allowed))


def _threshold_fault(threshold: Threshold, value: JsonValue, now: float) -> Fault | None:
    bounds = (threshold.least, now) if threshold.tighter == "lower" else (now, threshold.most)
    allowed = [f"{bounds[0]:g} to {bounds[1]:g} {threshold.unit}"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Fault("", "a number is expected", value, allowed)
    if not threshold.tightens(value, now):
        message = f"loosens the check, whose limit is {now:g} {threshold.unit}; a catalogue only tightens"
        return Fault("", message, value, allowed)
    if not threshold.least <= value <= threshold.most:
        return Fault("", "beyond what makes sense for this check", value, allowed)
    return None
