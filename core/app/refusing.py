"""What only a person can do, refused to agents: to lift a finding, to change a severity, to answer for somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from pydantic import JsonValue

from ..checks.places import allowed_fields
from ..documents import JsonObject, pointer
from ..errors import NotAllowed, StoreUnavailable
from ..model.plan import AuditEvent
from ..names import spelled
from . import calls
from .dependencies import Dependencies

CLAIMS = frozenset(
    """answer approval approvals approve approved approver assurance bypass confirm confirmation confirmed consent
    decision finding findings force forced overridden override overrides overrule severities severity verdict waive
    waived waiver waivers yes""".split()  # noqa: SIM905 - a word a line would take a page
)
"""Words in a name by which a caller takes a decision that is a person's."""
EVASIONS = frozenset({"disable", "ignore", "no", "skip", "suppress", "without"})
EVADED = frozenset({"block", "blocks", "blockers", "check", "checks", "guardrails", "policy", "validation", "warnings"})
"""Two words that do so together: `skip` alone may well be meant for a page."""
MOST_IN_AN_HOUR = 10
"""Refusals of one subject by one tool kept in an hour: an agent that tries on and on must not fill the disk."""
READ = 100
"""The latest events of a subject among which they are counted."""
MOST_NAMES = 10
MOST_CHARACTERS = 60


def claims_authority(name: str) -> bool:
    """Whether a name that nothing here has stands for a decision that is a person's: `override`, `force_launch`."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return bool(words & CLAIMS) or bool(words & EVASIONS and words & EVADED)


def claims_in(document: JsonObject) -> list[str]:
    """Pointers to all fields that no spec has and that stand for a person's decision."""
    return list(_claims(document, []))


def _claims(document: Mapping[str, JsonValue], path: list[int | str]) -> Iterator[str]:
    fields = allowed_fields(path)
    for name, value in document.items():
        if (
            fields
            and name not in fields
            and value is not None
            and claims_authority(name)
            and not _misspelt(name, fields)
        ):
            yield pointer(*path, name)
        elif isinstance(value, dict):
            yield from _claims(value, [*path, name])


def _misspelt(name: str, fields: list[str]) -> bool:
    """Whether a name is a slip in one of the spec's own fields, as `Decision` is: a check tells how to mend it."""
    return spelled(name, fields) is not None


def require_no_claims(deps: Dependencies, tool: str, key: str | None, document: JsonObject, at: str) -> None:
    """Refuse a spec, or a patch on one, that decides what a person decides.

    Raises:
        NotAllowed: with who can do what; the attempt is in the audit.
    """
    found = claims_in(document)
    if found:
        raise refuse(deps, tool, key, [f"{at}{each}" for each in found])


def refuse(deps: Dependencies, tool: str, key: str | None, names: Sequence[str]) -> NotAllowed:
    """The error for an attempt, once the audit has it."""
    note(deps, tool, key, names)
    return refusal(deps.command, key, names)


def refusal(command: str, key: str | None, names: Sequence[str]) -> NotAllowed:
    """Who can do what. `names` are pointers to what was sent."""
    first = calls.look_at(key) if key else "repeat the call without it"
    return NotAllowed(
        "Only a person lets a finding stand or says yes to a plan; an agent can ask, and mend what blocks.",
        code="only_a_person",
        pointer=names[0][:MOST_CHARACTERS],
        got=[name[:MOST_CHARACTERS] for name in names[:MOST_NAMES]],
        next=f"{first}; plan_change with ask=[code] has a person asked about a block_unless_overridden finding (or "
        f'`{command} override EXPERIMENT CODE --reason "..."` in a terminal), and apply_plan about the plan',
    )


def note(deps: Dependencies, tool: str, key: str | None, names: Sequence[str]) -> None:
    """Keep in the audit that something was tried: the tool and the names of what was sent, or the codes of what
    blocks, never a value.

    The subject is the experiment, or the tool where there is none. A store that cannot be written changes nothing:
    the refusal stands all the same.
    """
    with suppress(StoreUnavailable), deps.store.write() as tx:
        subject = key if key and tx.experiment(key) is not None else tool
        now = deps.clock.now()
        recent = [each for each in tx.audit_of(subject, READ) if now - each.at < timedelta(hours=1)]
        # Each tool by itself: many plans that were blocked must not hide the one attempt to override.
        tried = [each for each in recent if each.what == "attempt_refused" and (each.after or {}).get("tool") == tool]
        if len(tried) >= MOST_IN_AN_HOUR:
            return
        sent: list[JsonValue] = [name[:MOST_CHARACTERS] for name in names[:MOST_NAMES]]
        after: JsonObject = {"tool": tool, "names": sent}
        tx.audit(AuditEvent(at=now, who=deps.actor, what="attempt_refused", subject=subject, after=after))
