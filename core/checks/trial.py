"""A launch tried on made-up units: the assignment that would be delivered does what the experiment says."""

from __future__ import annotations

from collections.abc import Iterator

from ..names import listed
from ..planning.dry_run import UNITS
from .engine import Case, Check, Fault

CHANCE = 1e-6
"""Smallest chance that passes for chance: one sound launch in a million is refused."""


def split_is_by_chance(case: Case) -> Iterator[Fault]:
    """Made-up units fall to the variants by their weights, within what chance allows.

    Pearson's chi-square test, as for a sample ratio mismatch: a seed that splits ids badly splits real units badly
    (Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments").
    """
    trial = case.trial
    if trial is not None and trial.split_p is not None and trial.split_p < CHANCE:
        counts = ", ".join(f"{name} {count}" for name, count in trial.entered.items())
        message = f"Of {len(UNITS):,} made-up units these entered: {counts}; the chance of that is {trial.split_p:.0e}."
        yield Fault("/variants", message)


def share_enters(case: Case) -> Iterator[Fault]:
    """As many made-up units enter as the allocation says, within what chance allows."""
    trial = case.trial
    if trial is not None and trial.share_p is not None and trial.share_p < CHANCE:
        entered = sum(trial.entered.values())
        message = f"Of {len(UNITS):,} made-up units {entered:,} entered; the chance of that is {trial.share_p:.0e}."
        yield Fault("/allocation", message, got=case.spec.allocation)


def no_unit_is_in_two(case: Case) -> Iterator[Fault]:
    """No made-up unit enters two experiments of the layer: their buckets exclude each other."""
    if case.trial is not None and case.trial.taken_from:
        message = f"Made-up units that enter are in {listed(case.trial.taken_from, 3)} too, in the same layer."
        yield Fault("/layer", message, got=case.spec.layer)


def no_unit_is_held_out(case: Case) -> Iterator[Fault]:
    """No made-up unit that enters is in a holdout of the surface."""
    if case.trial is not None and case.trial.held_out:
        message = f"Made-up units that enter are in the holdout {listed(case.trial.held_out, 3)}."
        yield Fault("/surface", message, got=case.spec.surface)


TRIAL_CHECKS = (
    Check("assignment.split", "block", split_is_by_chance, curable=False),
    Check("assignment.share", "block", share_enters, curable=False),
    Check("assignment.exclusive", "block", no_unit_is_in_two, curable=False),
    Check("assignment.holdouts", "block", no_unit_is_held_out, curable=False),
)
"""Asked of a launch once its buckets are proposed and its assignment is made."""
