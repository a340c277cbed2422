"""A launch is tried with the very rule by which units are assigned."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.assignment import BUCKETS, bucket, buckets, decide
from crossfade.core.checks.trial import CHANCE
from crossfade.core.model.catalogue import Holdout
from crossfade.core.model.delivery import Assignment, Exclusion
from crossfade.core.model.plan import BucketRange
from crossfade.core.planning.dry_run import UNITS, DryRun, dry_run
from crossfade.core.ports.store import HeldRange

LAYER = "live/board/list"


def assignment(**changes: Any) -> Assignment:
    made = Assignment(
        experiment="board-by-platform",
        surface="board",
        environment="live",
        unit_attribute="rider",
        layer_seed=LAYER,
        ranges=[BucketRange(lo=1_000, hi=5_000)],
        seed="board-by-platform/1",
        coverage=1.0,
        variants=["control", "treatment"],
        weights=[0.5, 0.5],
        parameters={},
        production={},
        audience=[[]],
        exclusions=[],
        previews={},
    )
    return made.model_copy(update=changes)


def holdout(share: float = 0.05, salt: str = "quiet") -> Holdout:
    return Holdout(description="Kept.", surfaces=["board"], share=share, salt=salt, ends=date(2027, 1, 1))


def suspects(run: DryRun) -> tuple[bool, bool, list[str], list[str]]:
    unlikely = [p is not None and p < CHANCE for p in (run.split_p, run.share_p)]
    return unlikely[0], unlikely[1], run.taken_from, run.held_out


@given(st.text(max_size=20), st.lists(st.text(max_size=6), max_size=40))
def test_many_units_get_the_buckets_that_each_would_get_alone(seed: str, units: list[str]) -> None:
    assert buckets(seed, units) == [bucket(seed, unit) for unit in units]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.floats(0.05, 1), min_size=2, max_size=5),
    st.integers(0, 4_000),
    st.integers(5_000, BUCKETS),
    st.sampled_from([0.3, 0.5, 1.0]),
    st.sampled_from([0.0003, 0.05, 0.3]),
)
def test_a_dry_run_counts_what_decide_says_of_each_unit(
    parts: list[float], lo: int, hi: int, coverage: float, share: float
) -> None:
    weights = [part / sum(parts) for part in parts]
    tried = assignment(
        ranges=[BucketRange(lo=lo, hi=lo + 100), BucketRange(lo=hi - 900, hi=hi)],
        coverage=coverage,
        variants=[f"v{number}" for number in range(len(weights))],
        weights=weights,
        exclusions=[Exclusion(holdout="quiet_year", salt="quiet", share=share)],
    )
    decided = Counter(decide(tried, {"rider": unit}).variant for unit in UNITS)
    decided.pop(None, None)
    run = dry_run(tried, [], {"quiet_year": holdout(share)})
    assert {name: count for name, count in run.entered.items() if count} == decided
    assert suspects(run) == (False, False, [], [])


@pytest.mark.parametrize("key", [f"key-{number}" for number in range(25)])
def test_sound_seeds_pass(key: str) -> None:
    run = dry_run(assignment(seed=f"{key}/1", layer_seed=f"live/{key}/list"), [], {})
    assert suspects(run) == (False, False, [], [])


def test_one_seed_for_layer_and_variant_is_found_out() -> None:
    assert suspects(dry_run(assignment(seed=LAYER), [], {})) == (True, False, [], [])


def test_weights_that_leave_units_out_are_found_out() -> None:
    assert suspects(dry_run(assignment(weights=[0.4, 0.4]), [], {})) == (False, True, [], [])


def test_an_experiment_with_the_same_buckets_is_found_out() -> None:
    others = [
        HeldRange(layer=LAYER, lo=4_990, hi=5_100, key="same", until=None),
        HeldRange(layer=LAYER, lo=5_100, hi=6_000, key="beside", until=None),
    ]
    assert suspects(dry_run(assignment(), others, {})) == (False, False, ["same"], [])


def test_a_holdout_that_is_not_kept_out_is_found_out() -> None:
    known = [Exclusion(holdout="quiet_year", salt="quiet", share=0.05)]
    holdouts = {"quiet_year": holdout(), "growth": holdout(0.02, "growth")}
    assert suspects(dry_run(assignment(exclusions=known), [], holdouts)) == (False, False, [], ["growth"])


def test_a_launch_of_few_units_is_not_judged_by_chance() -> None:
    run = dry_run(assignment(ranges=[BucketRange(lo=0, hi=2)]), [], {})
    assert (run.split_p, run.share_p) == (None, None)
