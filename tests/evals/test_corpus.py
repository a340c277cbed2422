"""The corpus: each fault is caught where a reviewer expects it, nothing sound is blocked, and fixes keep their word."""

from __future__ import annotations

import pytest

from crossfade.core.app.crossfade import Crossfade

from .corpus.corpus import CATALOGUES, Mutant, apps, mutants, sound_specs
from .corpus.judging import verdicts
from .corpus.report import Report, details, run

FIXABLE = 0.93
"""Least share of findings that come with a sound fix: for the rest, a name from nowhere say, no machine knows one."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Crossfade]:
    return apps(tmp_path_factory.mktemp("servers"))


def made(servers: dict[str, Crossfade]) -> list[Mutant]:
    return mutants({name: app.dependencies.catalogue.current() for name, app in servers.items()})


def test_the_corpus_covers_every_surface_with_sixty_sound_specs_and_three_hundred_broken_ones(
    servers: dict[str, Crossfade], report: Report
) -> None:
    surfaces = {surface for app in servers.values() for surface in app.dependencies.catalogue.current().surfaces}
    assert {str(each.document["surface"]) for each in sound_specs()} == surfaces
    assert {each.catalogue for each in sound_specs()} == set(CATALOGUES)
    assert len(sound_specs()) >= 60
    assert sum(outcome.broken for outcome in report.all) >= 300


def test_mutants_are_the_same_each_time_and_each_is_reviewed_once(servers: dict[str, Crossfade]) -> None:
    first = made(servers)
    assert first == made(servers)
    reviewed = [(operator, label) for operator, said in verdicts().items() for label in said]
    assert sorted((each.operator, each.label) for each in first) == sorted(reviewed)


def test_every_broken_mutant_is_caught_where_a_reviewer_expects_it(report: Report) -> None:
    assert details(outcome for outcome in report.all if outcome.missed) == []


def test_nothing_sound_is_blocked(report: Report) -> None:
    assert details(outcome for outcome in report.all if outcome.false_alarm) == []


def test_no_fix_weakens_a_test_without_saying_so(report: Report) -> None:
    assert [lax for outcome in report.all for lax in outcome.lax] == []


def test_most_findings_have_a_fix(report: Report) -> None:
    fixable, weak = (
        sum(counts) for counts in ([each.fixable for each in report.all], [len(each.weak) for each in report.all])
    )
    assert fixable / (fixable + weak) >= FIXABLE


def test_every_fix_cures_its_finding_and_brings_no_other(report: Report) -> None:
    assert details(outcome for outcome in report.all if outcome.uncured) == []
