"""Small answers from large things: what is told in full, what is counted, and which call comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue

from ..checks.engine import Case
from ..documents import canonical
from ..model.answers import Checked, FindingView, FixView, SizeView
from ..model.experiment import Record
from ..model.finding import Finding
from ..model.plan import BucketRange

Shown = TypeVar("Shown")

FULL_FINDINGS = 5
"""Most findings told in full; the rest are named. Blocks come first, so a cut hides the least important."""
FULL_CHARACTERS = 1_000
"""Most characters that findings told in full take together, so that a reply stays below 4 KB."""
NAMED_FINDINGS = 6
SHOWN_VALUE = 80
SHOWN_CHOICES = 14
"""Most generated values told with their reason."""
SHOWN_CHANGES = 8
FULL_ALLOWED = 12
ALLOWED_BESIDE_NEAREST = 6
"""Allowed values shown where one of them is near to what came: it is most likely the one that was meant."""


def finding_views(findings: Sequence[Finding]) -> tuple[list[FindingView], list[str] | None]:
    """(findings told in full, the others as `code at`); the first is always told."""
    full: list[FindingView] = []
    room = FULL_CHARACTERS
    for finding in findings[:FULL_FINDINGS]:
        view = _finding_view(finding)
        room -= len(view.model_dump_json(exclude_none=True))
        if room < 0 and full:
            break
        full.append(view)
    named = findings[len(full) : len(full) + NAMED_FINDINGS]
    rest = [f"{finding.code} {finding.at}" for finding in named]
    if len(findings) > len(full) + len(named):
        rest.append(f"and {len(findings) - len(full) - len(named)} more")
    return full, rest or None


def _finding_view(finding: Finding) -> FindingView:
    most = ALLOWED_BESIDE_NEAREST if finding.nearest else FULL_ALLOWED
    allowed = finding.allowed[:most]
    if len(finding.allowed) > most:
        allowed.append(f"and {len(finding.allowed) - most} more")
    return FindingView(
        code=finding.code,
        severity=finding.severity,
        at=finding.at,
        message=finding.message,
        got=finding.got,
        allowed=allowed or None,
        nearest=finding.nearest or None,
        overridden=finding.overridden,
        fixes=[FixView(id=fix.id, effect=fix.effect, relaxes=fix.relaxes or None) for fix in finding.fixes] or None,
    )


def size_view(case: Case | None) -> SizeView | None:
    if case is None or case.size is None:
        return None
    found = {metric.metric: round(metric.detects, 4) for metric in case.size.metrics if metric.detects is not None}
    power = round(case.size.power, 3)
    return SizeView(days=case.size.days, control=round(case.size.control), power=power, detects=found or None)


def checked(
    case: Case | None,
    findings: list[Finding],
    record: Record | None,
    *,
    following: str,
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
            "generated": first_of(generated, SHOWN_CHOICES),
            "changed": first_of(changed, SHOWN_CHANGES),
            "size": size_view(case),
            "next": following,
        }
    )


def bucket_texts(ranges: Sequence[BucketRange]) -> list[str]:
    return [f"{part.lo}-{part.hi - 1}" for part in ranges]


def first_of(entries: Mapping[str, Shown] | None, count: int) -> dict[str, Shown] | None:
    """The first entries of a map, None for an empty one; get_experiment(full=True) has all."""
    return dict(list(entries.items())[:count]) if entries else None


def listed_first(names: Sequence[str], count: int) -> list[str]:
    """The first names, and how many more there are."""
    more = [f"and {len(names) - count} more"] if len(names) > count else []
    return [*names[:count], *more]


def short(value: JsonValue, length: int = SHOWN_VALUE) -> JsonValue:
    """A value, or the beginning of its text when that is longer than `length` characters."""
    text = value if isinstance(value, str) else canonical(value)
    return value if len(text) <= length else text[: length - 1] + "…"


def cut(text: str, length: int) -> str:
    """At most `length` characters of a text, cut between words."""
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"
