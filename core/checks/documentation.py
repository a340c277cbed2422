"""The checks as Markdown: one section for `check://{code}`, and the page `docs/checks.md` that `make docs` writes."""

from __future__ import annotations

from ..model.experiment import Change
from ..model.finding import Severity
from .all_checks import CHECKS, opening_checks_of
from .by_construction import KEPT
from .delivery import RUN_CHECKS
from .engine import Check, Threshold
from .flight import FLIGHT_CHECKS
from .trial import TRIAL_CHECKS

MEANS: dict[Severity, str] = {
    "block": "blocks a launch; nobody can lift it",
    "block_unless_overridden": "blocks a launch, unless a person lets it stand, with a reason",
    "warn": "warns",
    "info": "informs",
}
OPENING: tuple[Change, ...] = ("launch", "resume")
INTRODUCTION = """# Checks

Written by `make docs` from the checks themselves; edit them in `core/checks`. Codes are for ever.

A finding says where, what came and what is allowed. Where the server can propose a cure, it has an id for
`update_experiment`; cures that weaken the test are marked and never come first.

- An agent overrides nothing. A person does, in the form that `plan_change` with `ask=[code]` puts up or with
  `crossfade override KEY CODE --reason "..."`; it holds for the draft as it is and ends with the next change of
  more than its name, owner, tags, links and alerts.
- A catalogue can tighten a check, never loosen it: for everybody under `checks`, for one surface under `policy.checks`,
  as in `duration.long: {severity: block, days: 21}` or `blackout.window: block`.
"""


def page() -> str:
    """All checks, in the order in which equals are reported, and what holds without one."""
    table = ["| code | severity | cure |", "|---|---|---|"]
    table += [f"| [{each.code}](#{_anchor(each.code)}) | {each.severity} | {_yes(each)} |" for each in CHECKS.values()]
    sections = [section(check, "## ") for check in CHECKS.values()]
    return "\n".join([INTRODUCTION, *table, "", *sections, *_by_construction(), ""])


def section(check: Check, heading: str = "# ") -> str:
    """One check: what it asks for and why, its severity, its thresholds, and how it is cured."""
    lines = [f"{heading}{check.code}", "", check.doc, "", f"- Severity: {check.severity} ({MEANS[check.severity]})."]
    opening: list[Change] = [change for change in OPENING if check in opening_checks_of(change)]
    if check in TRIAL_CHECKS:
        opening = ["launch"]
    if opening:
        lines.append(f"- Asked only of a {' and of a '.join(opening)}.")
    if check in RUN_CHECKS:
        lines.append("- Asked of what is delivered, by get_experiment.")
    if check in FLIGHT_CHECKS:
        lines.append("- Asked only of what was launched.")
    lines += [f"- Threshold `{threshold.name}`: {_limit(threshold)}." for threshold in check.thresholds]
    lines.append(f"- Cure: {'the finding proposes one' if check.curable else 'only a person knows what to write'}.")
    return "\n".join([*lines, ""])


def _limit(threshold: Threshold) -> str:
    loosest = f"{threshold.default:g} {threshold.unit}"
    tightest = threshold.least if threshold.tighter == "lower" else threshold.most
    return f"{loosest}; a catalogue may tighten it to {tightest:g} at most"


def _by_construction() -> list[str]:
    rows = [f"| {rule} | `{where.split(':')[0]}` (`{where.split(':')[1]}`) | {why} |" for rule, where, why in KEPT]
    return ["## What holds without a check", "", "| rule | kept by | because |", "|---|---|---|", *rows]


def _anchor(code: str) -> str:
    return code.replace(".", "")


def _yes(check: Check) -> str:
    return "proposed" if check.curable else "a person's"
