"""Small answers from large things: what is told in full, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from ..checks.engine import Case
from ..documents import Absent, JsonObject, canonical, changed_leaves
from ..model.answers import Checked, Experiment, FindingView, FixView, PlanView, SizeView
from ..model.experiment import Record
from ..model.finding import Finding
from ..model.plan import BucketRange
from ..wording import beginning, cut

Shown = TypeVar("Shown")
Told = TypeVar("Told", Checked, PlanView, Experiment)

HALF = 1_900
"""Most bytes of a concise reply's structured half. Its text says the same without field names, so that both halves
together stay below 4 KB."""
LEAST_FINDING = 60
"""Bytes that any finding takes: more than have room need no look."""
NAMED_FINDINGS = 8
SHOWN_EFFECT = 32
"""Most characters of what a fix does, of a finding that has no room."""
SHOWN_VALUE = 80
"""Most bytes of a value that is told beside others."""
TIGHT_MESSAGE, TIGHT_VALUE = 400, 160
"""Most bytes of the message and of each value of a finding that would not have room as it is."""
SHOWN_CHOICES = 14
"""Most generated values told with their reason."""
SHOWN_CHANGES = 8
"""Most changes told; of a draft that is blocked `CHANGES_BESIDE_FAULTS`, to leave the room to what is wrong."""
CHANGES_BESIDE_FAULTS = 3
CHOICES_BESIDE_FAULTS = 4
"""Generated values told, the last ones, where what blocks would have no room otherwise."""
FULL_ALLOWED = 12
ALLOWED_BESIDE_NEAREST = 6
"""Allowed values shown where one of them is near to what came: it is most likely the one that was meant."""


def size_of(answer: BaseModel) -> int:
    """Bytes of an answer's structured half."""
    return len(answer.model_dump_json(exclude_none=True).encode())


def with_findings(answer: Told, findings: Sequence[Finding], room: int = HALF) -> Told:
    """The answer with its findings: in full while they fit, worst first and the first always, then in brief."""
    views = _each_fix_once([finding_view(finding) for finding in findings[: room // LEAST_FINDING]])
    briefs = [_in_brief(finding) for finding in findings]
    places = [f"{finding.code} {finding.at}" for finding in findings]
    for told in range(len(views), 0, -1):
        for rest in (briefs, places):
            filled = _filled(answer, views[:told], rest[told:])
            if size_of(filled) <= room:
                return filled
    return _filled(answer, [_tight(view) for view in views[:1]], [cut(place, TIGHT_VALUE) for place in places[1:]])


def _each_fix_once(views: list[FindingView]) -> list[FindingView]:
    """The findings, each fix with the first that it mends: faults of one value have one cure."""
    told: set[str] = set()
    once: list[FindingView] = []
    for view in views:
        left = [fix for fix in view.fixes or [] if fix.id not in told]
        told |= {fix.id for fix in left}
        once.append(view.model_copy(update={"fixes": left or None}))
    return once


def _tight(view: FindingView) -> FindingView:
    """A finding whose texts alone would fill a reply: each by its beginning, fixes without which there is no repair."""
    return view.model_copy(
        update={
            "message": cut(view.message, TIGHT_MESSAGE),
            "got": short(view.got, TIGHT_VALUE),
            "allowed": [cut(each, SHOWN_VALUE) for each in view.allowed[:ALLOWED_BESIDE_NEAREST]]
            if view.allowed
            else None,
            "nearest": [cut(each, SHOWN_VALUE) for each in view.nearest] if view.nearest else None,
            "fixes": [fix.model_copy(update={"effect": cut(fix.effect, TIGHT_VALUE)}) for fix in view.fixes or []]
            or None,
        }
    )


def _in_brief(finding: Finding) -> str:
    """A finding that has no room: `code at`, and of one that blocks what its first fix does, so that nobody applies
    it blindly."""
    fix = next(iter(finding.sound), None) if finding.blocks else None
    return f"{finding.code} {finding.at}" + (f" ({cut(fix.effect, SHOWN_EFFECT)})" if fix is not None else "")


def _filled(answer: Told, views: list[FindingView], rest: list[str]) -> Told:
    return answer.model_copy(
        update={
            "findings": views,
            "more_findings": listed_first(rest, NAMED_FINDINGS) or None,
            "total": len(views) + len(rest) if rest else None,
        }
    )


def finding_view(finding: Finding) -> FindingView:
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
    told = SHOWN_CHANGES if ready else CHANGES_BESIDE_FAULTS
    answer = Checked.model_validate(
        {
            "key": record.key if record else None,
            "version": record.version if record else None,
            "state": record.state if record else None,
            "ready": ready,
            "findings": [],
            "generated": first_of(generated, SHOWN_CHOICES),
            "changed": first_of(changed, told),
            "more_changed": listed_first(list(changed or {})[told:], NAMED_FINDINGS) or None,
            "size": size_view(case),
            "next": following,
        }
    )
    told_all = with_findings(answer, findings)
    blocks = sum(finding.blocks for finding in findings)
    if len(told_all.findings) >= blocks or len(generated or {}) <= CHOICES_BESIDE_FAULTS:
        return told_all
    last = dict(list((generated or {}).items())[-CHOICES_BESIDE_FAULTS:])
    return with_findings(answer.model_copy(update={"generated": last}), findings)


def differences(before: JsonObject, after: JsonObject, length: int) -> dict[str, list[object]]:
    """Pointer -> [before, after] of each place where two documents differ, at most so many bytes of each."""
    return {
        at: [value.value if isinstance(value, Absent) else short(value, length) for value in (old, new)]
        for at, old, new in changed_leaves(before, after)
    }


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
    """A value, or the beginning of its text when that is longer than `length` bytes."""
    text = value if isinstance(value, str) else canonical(value)
    room = beginning(text, length)
    return value if room == text else room[:-1] + "…"
