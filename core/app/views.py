"""Small answers from large things: what is told in full, what is counted, and which call comes next."""

from __future__ import annotations

from collections.abc import Sequence

from ..checks.engine import Case
from ..model.answers import Checked, FindingView, FixView, SizeView
from ..model.experiment import Record
from ..model.finding import Finding
from ..model.plan import BucketRange

FULL_FINDINGS = 5
"""Findings told in full; the rest are named. Blocks come first, so a cut hides the least important."""
FULL_ALLOWED = 12


def finding_views(findings: Sequence[Finding]) -> tuple[list[FindingView], list[str] | None]:
    rest = [f"{finding.code} {finding.at}" for finding in findings[FULL_FINDINGS:]]
    return [_finding_view(finding) for finding in findings[:FULL_FINDINGS]], rest or None


def _finding_view(finding: Finding) -> FindingView:
    allowed = finding.allowed[:FULL_ALLOWED]
    if len(finding.allowed) > FULL_ALLOWED:
        allowed.append(f"and {len(finding.allowed) - FULL_ALLOWED} more")
    return FindingView(
        code=finding.code,
        severity=finding.severity,
        at=finding.at,
        message=finding.message,
        got=finding.got,
        allowed=allowed or None,
        nearest=finding.nearest or None,
        fixes=[FixView(id=fix.id, effect=fix.effect, relaxes=fix.relaxes or None) for fix in finding.fixes] or None,
    )


def size_view(case: Case | None) -> SizeView | None:
    if case is None or case.size is None:
        return None
    found = {metric.metric: round(metric.detects, 4) for metric in case.size.metrics if metric.detects is not None}
    return SizeView(days=case.size.days, control=round(case.size.control), detects=found or None)


def checked(
    case: Case | None,
    findings: list[Finding],
    record: Record | None,
    *,
    generated: dict[str, str] | None = None,
    changed: dict[str, list[object]] | None = None,
) -> Checked:
    """The answer to a create, an update or a validation."""
    ready = not any(finding.blocks for finding in findings)
    shown, rest = finding_views(findings)
    return Checked.model_validate(
        {
            "key": record.key if record else None,
            "version": record.version if record else None,
            "state": record.state if record else None,
            "ready": ready,
            "findings": shown,
            "more_findings": rest,
            "generated": generated or None,
            "changed": changed or None,
            "size": size_view(case),
            "next": next_call(findings, record),
        }
    )


def next_call(findings: list[Finding], record: Record | None) -> str:
    """The one call that gets a draft further."""
    blocks = [finding for finding in findings if finding.blocks]
    if record is None:
        return "mend the spec and validate it again" if blocks else "create_experiment(...) with these values"
    if not blocks:
        return f'plan_change(key="{record.key}", change="launch")'
    cures = first_cures(blocks)
    call = f'update_experiment(key="{record.key}", version={record.version}'
    if cures:
        ids = ", ".join(f'"{cure}"' for cure in cures)
        return f"{call}, fixes=[{ids}])"
    return f"{call}, changes={{...}}) at {blocks[0].at or '/'}"


def first_cures(findings: Sequence[Finding]) -> list[str]:
    """The first fix of each finding that has one that weakens nothing, each patch once."""
    seen: list[object] = []
    ids: list[str] = []
    for finding in findings:
        for fix in finding.fixes[:1]:
            if not fix.relaxes and fix.patch not in seen:
                seen.append(fix.patch)
                ids.append(fix.id)
    return ids


def bucket_texts(ranges: Sequence[BucketRange]) -> list[str]:
    return [f"{part.lo}-{part.hi - 1}" for part in ranges]
