"""Hold the server's answers against the reviewer's list: what was caught, and what the fixes are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import yaml
from pydantic import JsonValue, TypeAdapter

from crossfade.core.app.cases import examine
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.checks.all_checks import CHECKS
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.errors import CrossfadeError
from crossfade.core.model.finding import Finding

from .corpus import HERE, Mutant, Sound, Verdict

Place = tuple[str, str]
"""(code, pointer)"""


@cache
def verdicts() -> dict[str, dict[str, Verdict]]:
    """Operator -> label of a mutant -> what a reviewer says of it."""
    listed = TypeAdapter(dict[str, dict[str, str]])
    given = listed.validate_python(yaml.safe_load((HERE / "reviewed.yaml").read_text("utf-8")))
    return {operator: {label: _verdict(text) for label, text in said.items()} for operator, said in given.items()}


def _verdict(text: str) -> Verdict:
    word, _, reasons = text.partition(" ")
    if word not in ("sound", "broken") or (word == "broken") != bool(reasons):
        raise ValueError(f"no verdict: {text}")
    named = [reason.split() for reason in reasons.split(", ") if reason]
    return Verdict(word == "broken", frozenset((code, at) for code, *places in named for at in places))


@dataclass
class Outcome:
    """What became of one spec or mutant. `weak` are blocking findings of curable checks that offer no sound fix,
    `uncured` those of which a fix does not do, `lax` fixes that weaken the test without saying so or come first."""

    label: str
    broken: bool
    blocks: list[Place] = field(default_factory=list[Place])
    caught: bool = False
    fixable: int = 0
    cured: int = 0
    weak: list[Place] = field(default_factory=list[Place])
    uncured: list[Place] = field(default_factory=list[Place])
    lax: list[str] = field(default_factory=list[str])

    @property
    def missed(self) -> bool:
        return self.broken and not self.caught

    @property
    def false_alarm(self) -> bool:
        return not self.broken and bool(self.blocks)


def judge(app: Crossfade, case: Sound | Mutant, verdict: Verdict) -> Outcome:
    """The outcome of one document, by the answer of the use case; fixes are tried as they are offered."""
    outcome = Outcome(case.label if isinstance(case, Mutant) else case.key, verdict.broken)
    try:
        answer = app.validate_experiment(case.document)
    except CrossfadeError as refusal:
        outcome.blocks = [(refusal.code, (refusal.pointer or "").removeprefix("/spec"))]
    else:
        findings = _examined(app, case.document)
        outcome.blocks = [_place(finding) for finding in findings if finding.blocks]
        if answer.ready == bool(outcome.blocks):
            raise AssertionError(f"{outcome.label}: the answer and its findings contradict each other")
        _try_fixes(app, case.document, findings, outcome)
    outcome.caught = any(_meets(block, verdict) for block in outcome.blocks)
    return outcome


def _examined(app: Crossfade, document: JsonObject) -> list[Finding]:
    deps = app.dependencies
    with deps.store.read() as view:
        return examine(deps, deps.catalogue.current(), view, "", document)[1]


def _place(finding: Finding) -> Place:
    return finding.code, finding.at


def _meets(block: Place, verdict: Verdict) -> bool:
    """Whether a finding is one that the reviewer expects; `*` stands for all below a place."""
    code, at = block
    return any(
        code == expected and (at == place or (place.endswith("*") and (at + "/").startswith(f"{place[:-1]}/")))
        for expected, place in verdict.expected
    )


def _try_fixes(app: Crossfade, document: JsonObject, findings: Sequence[Finding], outcome: Outcome) -> None:
    for finding in findings:
        relaxing = [fix.relaxes for fix in finding.fixes]
        if relaxing != sorted(relaxing):
            outcome.lax.append(f"{finding.code} {finding.at}: a fix that relaxes comes first")
        for fix in finding.fixes:
            if not fix.relaxes and (how := weakening(document, patch_object(document, fix.patch))):
                outcome.lax.append(f"{finding.code} {finding.at}: {fix.effect} ({how})")
        if finding.blocks and CHECKS[finding.code].curable:
            _try_each(app, document, finding, outcome)


def _try_each(app: Crossfade, document: JsonObject, finding: Finding, outcome: Outcome) -> None:
    fixes = [fix for fix in finding.fixes if not fix.relaxes]
    if not fixes:
        outcome.weak.append(_place(finding))
        return
    outcome.fixable += 1
    others = set(outcome.blocks) - {_place(finding)}
    if all(_blocks(app, patch_object(document, fix.patch)) <= others for fix in fixes):
        outcome.cured += 1
    else:
        outcome.uncured.append(_place(finding))


def _blocks(app: Crossfade, document: JsonObject) -> set[Place]:
    return {_place(finding) for finding in _examined(app, document) if finding.blocks}


def weakening(before: JsonObject, after: JsonObject) -> str | None:
    """How a change makes a test weaker: a larger effect or margin, another level or power in the wrong direction, a
    guardrail that is gone. What was no possible value before cannot be weakened."""
    earlier, later = _members(before, "metrics"), _members(after, "metrics")
    if _guardrails(later) < _guardrails(earlier):
        return "a guardrail is gone"
    for name, use in earlier.items():
        for limit in ("mde", "margin"):
            old, new = _number(use, limit), _number(later.get(name), limit)
            if 0 < abs(old) < abs(new):
                return f"{limit} of {name} from {old} to {new}"
    old, new = _members(before, "design"), _members(after, "design")
    if 0 < _number(old, "alpha") < min(1, _number(new, "alpha")):
        return "alpha rises"
    return "power falls" if 0 < _number(new, "power") < _number(old, "power") < 1 else None


def _guardrails(metrics: JsonObject) -> int:
    return sum(isinstance(use, dict) and use.get("role") == "guardrail" for use in metrics.values())


def _members(document: JsonObject, name: str) -> JsonObject:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _number(holder: JsonValue, name: str) -> float:
    value = holder.get(name) if isinstance(holder, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
