"""Overrides: a person lets a finding stand. An agent can ask for it, and can neither give the yes nor the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..checks.all_checks import CHECKS, LAUNCH_CHECKS
from ..checks.engine import findings_of
from ..documents import JsonObject, require_storable
from ..errors import CrossfadeError, Invalid, NotAllowed, NotFound, Stale
from ..model.experiment import DESCRIPTIVE, NARROWING, Change, Record, substance
from ..model.finding import OVERRIDABLE, Finding
from ..model.override import MAX_REASON, Override
from ..model.plan import Assurance, AuditEvent
from ..names import nearest
from ..ports.store import Reader
from . import calls
from .approving import one_line
from .cases import examine, require, with_overrides
from .dependencies import Dependencies
from .following import next_call

SHOWN_GOT = 100
"""Most characters of a value in the question to a person."""
EXAMPLE_REASON = "why it may stay"
_BUT_FOR = f"but for {', '.join(DESCRIPTIVE)}"


@dataclass(frozen=True)
class Doubt:
    """Findings that a person is to decide about, and the substance of the spec that the question shows."""

    key: str
    change: Change
    spec: str
    findings: tuple[Finding, ...]
    question: str


@dataclass(frozen=True)
class Verdict:
    """What a person said to a doubt."""

    lifted: bool
    reason: str
    assurance: Assurance
    by: str


def doubt(deps: Dependencies, key: str, change: Change, codes: Sequence[str]) -> Doubt | None:
    """What to ask a person about the findings of these codes; None when there is nothing left to ask.

    Raises:
        NotFound: no such experiment or check, or the experiment has no such finding.
        NotAllowed: nobody can lift one of them.
        Invalid: the change takes exposure away, so nothing stands in its way.
    """
    if not codes:
        return None
    with deps.store.read() as view:
        record = require(view, key)
        if change in NARROWING or change == "reconcile":
            raise Invalid(f"A {change} needs no override.", pointer="/ask", got=change, next=calls.plan(key, change))
        findings = _findings(deps, view, record)
        named = [finding for code in dict.fromkeys(codes) for finding in _of(deps, view, record, findings, code)]
    asked = tuple(finding for finding in named if finding.blocks)
    if not asked:
        return None
    return Doubt(key, change, substance(record.document), asked, _question(record, change, asked))


def _question(record: Record, change: Change, findings: Sequence[Finding]) -> str:
    name = one_line(str(record.document.get("name", record.key)))
    what = "this finding" if len(findings) == 1 else f"these {len(findings)} findings"
    lines = [f'Let {what} stand, so that "{name}" ({record.surface}) can {change}?']
    lines += [f"  {finding.code} at {finding.at}: {one_line(finding.message)}{_got(finding)}" for finding in findings]
    lines.append(f"A yes needs a reason, is kept with it, and ends when the finding or the draft changes ({_BUT_FOR}).")
    lines.append(f"{record.key}, version {record.version}, spec {substance(record.document)[:10]}")
    return "\n".join(lines)


def _findings(deps: Dependencies, view: Reader, record: Record) -> list[Finding]:
    case, findings = examine(deps, deps.catalogue.current(), view, record.key, record.document)
    if case is None:
        return findings
    return [*findings, *with_overrides(view, record.key, record.document, findings_of(LAUNCH_CHECKS, case))]


def _of(deps: Dependencies, view: Reader, record: Record, findings: list[Finding], code: str) -> list[Finding]:
    """The findings of a code, all of which a person can lift."""
    possible = [f"{finding.code} {finding.at}" for finding in findings if finding.severity in OVERRIDABLE]
    if code not in CHECKS:
        close = nearest(code, CHECKS)
        raise NotFound(
            "There is no check of this code.", pointer="/ask", got=code[:100], allowed=possible, nearest=close
        )
    found = [finding for finding in findings if finding.code == code]
    following = next_call(deps, deps.catalogue.current(), view, record, findings)
    if not found:
        message = f"Version {record.version} of {record.key} has no such finding."
        raise NotFound(message, got=code, allowed=possible, next=following)
    if found[0].severity not in OVERRIDABLE:
        why = "blocks and nobody can lift it" if found[0].blocks else "blocks nothing, so there is nothing to lift"
        raise _cannot(f"{code} {why}.", code, possible, following)
    return found


def _got(finding: Finding) -> str:
    """What the draft asks for, which the person lets stand."""
    return f" It is {one_line(str(finding.got))[:SHOWN_GOT]}." if finding.got is not None else ""


def _cannot(message: str, code: str, possible: list[str], following: str) -> CrossfadeError:
    return NotAllowed(message, code="not_overridable", got=code, allowed=possible, next=following)


def settle(deps: Dependencies, asked: Doubt, verdict: Verdict) -> None:
    """Keep what a person said to a doubt.

    Raises:
        Invalid: a yes without a reason, or with one that is too long; a repeat of the call asks the person again.
        Stale: the draft has changed since the question was put.
    """
    if verdict.lifted:
        _lift(deps, asked.key, asked.spec, asked.findings, replace(verdict, reason=_given_reason(asked, verdict)))
        return
    what: JsonObject = {"findings": [f"{each.code} {each.at}" for each in asked.findings], "spec": asked.spec}
    with deps.store.write() as tx:
        tx.audit(_event(deps, "override_declined", asked.key, verdict.by, what | {"assurance": verdict.assurance}))


def _given_reason(asked: Doubt, verdict: Verdict) -> str:
    """The person's reason. What is wrong with it is told to an agent, who can give none: the person is asked again."""
    try:
        return _sound(verdict.reason)
    except Invalid as fault:
        codes = list(dict.fromkeys(finding.code for finding in asked.findings))
        why = f"gave a reason that cannot be kept: {fault.message}" if verdict.reason.strip() else "gave no reason."
        raise Invalid(
            f"The person said yes and {why} Nothing was recorded; only the person can give one.",
            code="no_reason",
            retryable=True,
            next=f"{calls.plan(asked.key, asked.change, codes)} asks the person again, who has to fill in why",
        ) from fault


def override(
    deps: Dependencies, key: str, code: str, pointer: str | None, *, reason: str, assurance: Assurance, by: str
) -> Finding:
    """Let one finding of an experiment stand; without a pointer, the only one of that code.

    Raises:
        NotFound: no such experiment or check, or the experiment has no such finding.
        NotAllowed: nobody can lift it.
        Invalid: no reason, one that is too long, or several findings of that code and no pointer.
    """
    with deps.store.read() as view:
        record = require(view, key)
        finding = _one(_of(deps, view, record, _findings(deps, view, record), code), pointer)
    try:
        reason = _sound(reason)
    except Invalid as fault:
        fault.next = commands(deps, key, [finding])[0]
        raise
    spec = substance(record.document)
    _lift(deps, key, spec, [finding], Verdict(lifted=True, reason=reason, assurance=assurance, by=by))
    return finding


def withdraw(deps: Dependencies, key: str, code: str, pointer: str | None, *, by: str) -> Finding:
    """Take an override of the experiment as it stands back.

    Raises:
        NotFound: no such experiment, or nothing of that code is overridden.
        Invalid: several findings of that code are overridden, and no pointer.
    """
    with deps.store.read() as view:
        record = require(view, key)
        lifted = [finding for finding in _findings(deps, view, record) if finding.overridden is not None]
    found = [finding for finding in lifted if finding.code == code]
    if not found:
        names = [f"{finding.code} {finding.at}" for finding in lifted]
        message = f"Nobody has overridden this finding of version {record.version} of {key}."
        raise NotFound(message, got=code[:100], allowed=names, next=calls.look_at(key))
    finding = _one(found, pointer)
    spec = substance(record.document)
    what: JsonObject = {"code": finding.code, "at": finding.at, "spec": spec}
    with deps.store.write() as tx:
        tx.remove_override(key, spec, finding.code, finding.at)
        tx.audit(_event(deps, "override_withdrawn", key, by, what))
    return finding


def _one(findings: list[Finding], pointer: str | None) -> Finding:
    places = [finding.at for finding in findings]
    if pointer is None and len(findings) > 1:
        raise Invalid("There are several findings of this code; say which.", allowed=places, next="repeat with --at")
    found = [finding for finding in findings if pointer in (None, finding.at)]
    if not found:
        raise NotFound("No finding of this code is there.", got=(pointer or "")[:100], allowed=places)
    return found[0]


def _lift(deps: Dependencies, key: str, spec: str, findings: Sequence[Finding], verdict: Verdict) -> None:
    now = deps.clock.now()
    with deps.store.write() as tx:
        record = require(tx, key)
        if substance(record.document) != spec:
            message = "The draft was changed while the person decided; nothing was recorded."
            raise Stale(message, code="changed_draft", got=key, next=calls.look_at(key))
        for finding in findings:
            made = Override(
                key=key,
                spec=spec,
                code=finding.code,
                pointer=finding.at,
                fault=finding.fault,
                reason=verdict.reason,
                by=verdict.by,
                assurance=verdict.assurance,
                at=now,
            )
            tx.save_override(made)
            kept = made.model_dump(mode="json", exclude={"key", "by", "at", "fault"})
            tx.audit(_event(deps, "finding_overridden", key, verdict.by, kept))


def _sound(reason: str) -> str:
    require_storable(reason, "the reason")
    said = one_line(reason)
    if not said or len(said) > MAX_REASON:
        raise Invalid(f"An override needs a reason of 1 to {MAX_REASON} characters; this has {len(said)}.")
    return said


def _event(deps: Dependencies, what: str, key: str, who: str, after: JsonObject) -> AuditEvent:
    return AuditEvent(at=deps.clock.now(), who=who, what=what, subject=key, after=after)


def commands(deps: Dependencies, key: str, findings: Sequence[Finding]) -> list[str]:
    """What a person types at a terminal to let each finding stand."""
    codes = [finding.code for finding in findings]
    return [
        f"{deps.command} override {key} {finding.code}"
        + (f" --at {finding.at}" if codes.count(finding.code) > 1 else "")
        + f' --reason "{EXAMPLE_REASON}"'
        for finding in findings
    ]
