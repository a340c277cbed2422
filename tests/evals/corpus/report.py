"""Print what validation catches of the corpus (`make corpus`). Ends with 1 when something is missed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .corpus import Verdict, apps, mutants, sound_specs
from .judging import Outcome, judge, verdicts

SOUND = Verdict(broken=False)
ROW = "{:<12} {:>6} {:>6} {:>7} {:>7} {:>6} {:>13} {:>13} {:>13}"


@dataclass(frozen=True)
class Report:
    """Outcomes by operator; the specs themselves come first, as `none`."""

    outcomes: dict[str, list[Outcome]]

    @property
    def all(self) -> list[Outcome]:
        return [outcome for outcomes in self.outcomes.values() for outcome in outcomes]


def run(home: Path) -> Report:
    """Everything judged by servers whose data lies below `home`."""
    servers = apps(home)
    said = verdicts()
    outcomes = {"none": [judge(servers[each.catalogue], each, SOUND) for each in sound_specs()]}
    for mutant in mutants({name: app.dependencies.catalogue.current() for name, app in servers.items()}):
        verdict = said[mutant.operator][mutant.label]
        outcomes.setdefault(mutant.operator, []).append(judge(servers[mutant.source.catalogue], mutant, verdict))
    return Report(outcomes)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The figures in one line."""
    broken, sound = _broken(outcomes), len(outcomes) - _broken(outcomes)
    alarms = sum(outcome.false_alarm for outcome in outcomes)
    caught = broken - sum(outcome.missed for outcome in outcomes)
    fixable, cured = sum(outcome.fixable for outcome in outcomes), sum(outcome.cured for outcome in outcomes)
    return (
        f"caught {caught}/{broken}, false alarms {alarms}/{sound}, "
        f"fixable {fixable}/{fixable + _weak(outcomes)}, cured {cured}/{fixable}"
    )


def _broken(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.broken for outcome in outcomes)


def _weak(outcomes: Iterable[Outcome]) -> int:
    return sum(len(outcome.weak) for outcome in outcomes)


def _row(operator: str, outcomes: Sequence[Outcome]) -> str:
    caught, missed = (
        sum(getattr(outcome, name) and outcome.broken for outcome in outcomes) for name in ("caught", "missed")
    )
    alarms = sum(outcome.false_alarm for outcome in outcomes)
    fixable, cured = sum(outcome.fixable for outcome in outcomes), sum(outcome.cured for outcome in outcomes)
    broken = _broken(outcomes)
    sound = len(outcomes) - broken
    return ROW.format(
        operator,
        len(outcomes),
        broken,
        caught,
        missed,
        sound,
        alarms,
        f"{fixable}/{fixable + _weak(outcomes)}",
        f"{cured}/{fixable}",
    )


def details(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each thing that is not as it should be, none of them left out."""
    lines: list[str] = []
    for outcome in outcomes:
        seen = ", ".join(f"{code} {at}" for code, at in outcome.blocks) or "nothing"
        lines += [f"missed       {outcome.label}: {seen}"] if outcome.missed else []
        lines += [f"false alarm  {outcome.label}: {seen}"] if outcome.false_alarm else []
        lines += [f"no fix       {outcome.label}: {code} {at}" for code, at in outcome.weak]
        lines += [f"not cured    {outcome.label}: {code} {at}" for code, at in outcome.uncured]
        lines += [f"lax fix      {outcome.label}: {what}" for what in outcome.lax]
    return lines


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        report = run(Path(home))
    columns = ("operator", "made", "broken", "caught", "missed", "sound", "false alarms", "fixable", "cured")
    print(ROW.format(*columns))
    for operator, outcomes in report.outcomes.items():
        print(_row(operator, outcomes))
    print()
    for line in details(report.all):
        print(line)
    print(summary(report.all))
    return int(any(outcome.missed or outcome.false_alarm for outcome in report.all))


if __name__ == "__main__":
    sys.exit(main())
