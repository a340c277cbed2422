"""Which call comes next for a draft."""

from __future__ import annotations

from ..checks.all_checks import LAUNCH_CHECKS
from ..checks.schedule import SWEEPER_LIVE
from ..documents import JsonObject, canonical
from ..model.catalogue import Catalogue
from ..model.experiment import Record
from ..model.finding import OVERRIDABLE, Finding
from ..names import listed
from ..ports.store import Reader
from . import calls
from .cases import agreed, examine
from .dependencies import Dependencies
from .repair import Repair, repair
from .resizing import resized

LESS_TO_FIND = "/metrics, /variants or /audience, as a person decides"
"""What is left where no run is long enough."""
_OF_A_LAUNCH = frozenset(check.code for check in LAUNCH_CHECKS)


def next_call(
    deps: Dependencies,
    catalogue: Catalogue,
    view: Reader,
    record: Record,
    findings: list[Finding],
    otherwise: str | None = None,
) -> str:
    """The one call that gets a draft further: the update that makes it ready, or its launch.

    Args:
        otherwise: what a person could do instead of the cure, "" for nothing; by default the question whether the
            findings may stand, where a person may let all of them.
    """
    blocks = [finding for finding in findings if finding.blocks and finding.code not in _OF_A_LAUNCH]
    if not blocks:
        waits = _sweeper(deps, record, findings, otherwise)
        return waits or _review(deps, catalogue, view, record, findings) or _launch(catalogue, record)
    if otherwise is None:
        otherwise = _question(record, blocks)
    if record.state != "draft":  # only a draft can be mended by a call
        again = calls.plan(record.key, "resume")
        return otherwise or f"a person mends what blocks it in the catalogue, or waits until it is over; then {again}"

    def examined(document: JsonObject) -> list[Finding]:
        sized, _ = resized(deps, catalogue, view, record, document)
        return examine(deps, catalogue, view, record.key, sized, chosen=record.generated, fresh=True, trying=False)[1]

    cure = update_call(record, repair(record.document, blocks, examined))
    return f"{cure}; or, to keep it, {otherwise}" if otherwise else cure


def _question(record: Record, blocks: list[Finding]) -> str:
    if any(finding.severity not in OVERRIDABLE for finding in blocks):
        return ""
    codes = list(dict.fromkeys(finding.code for finding in blocks))
    return f"a person decides: {calls.plan(record.key, 'launch' if record.state == 'draft' else 'resume', codes)}"


def asking(catalogue: Catalogue, surface: str) -> str:
    """Whom to ask before traffic opens, as the end of a next step; nothing where nobody reviews."""
    found = catalogue.surfaces.get(surface)
    return f"; ask the reviewers first: {', '.join(found.reviewers)}" if found is not None and found.reviewers else ""


def update_call(record: Record, mending: Repair) -> str:
    """The update as it can be pasted, or with `...` where only a person knows what to write."""
    if mending.left:
        places = listed(dict.fromkeys(_where(finding) for finding in mending.left))
        return f"{calls.update(record.key, record.version, mending.fixes, '{...}')} at {places}"
    changes = canonical(mending.changes) if mending.changes else ""
    return calls.update(record.key, record.version, mending.fixes, changes)


def _where(finding: Finding) -> str:
    """Where somebody has to write what only they know."""
    return LESS_TO_FIND if finding.code == "power.sufficient" else finding.at or "/"


def _sweeper(deps: Dependencies, record: Record, findings: list[Finding], otherwise: str | None) -> str:
    """What a person starts so that what comes unasked is carried out, "" when that is no question."""
    missing = [finding for finding in findings if finding.code == SWEEPER_LIVE.code and finding.blocks]
    if not missing:
        return ""
    again = calls.plan(record.key, "launch" if record.state in ("draft", "scheduled") else "resume")
    started = f"{sweeper_hint(deps)}; then {again}"
    asked = _question(record, missing) if otherwise is None else otherwise
    return f"{started}; or, to do without, {asked}" if asked else started


def sweeper_hint(deps: Dependencies) -> str:
    return f"a person keeps `{deps.command} serve --http` running, or has cron call `{deps.command} tick`"


def _review(deps: Dependencies, catalogue: Catalogue, view: Reader, record: Record, findings: list[Finding]) -> str:
    """What people type whose review a launch waits for, "" when it waits for none."""
    if not any(finding.code == "review.pending" for finding in findings):
        return ""
    said = agreed(view, record.key, record.document)
    teams = [team for team in catalogue.surfaces[record.surface].required_reviewers if team not in said]
    typed = " and ".join(f"`{deps.command} review {record.key} --team {team}`" for team in teams)
    return f"people of these teams run {typed} in a terminal; then {calls.plan(record.key, 'launch')}"


def _launch(catalogue: Catalogue, record: Record) -> str:
    return calls.plan(record.key, "launch") + asking(catalogue, record.surface)
