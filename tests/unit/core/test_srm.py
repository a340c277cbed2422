"""A sample ratio mismatch is told from chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.srm import chi_square_tail, srm_p


@pytest.mark.parametrize(
    ("statistic", "degrees"),
    [
        (3.841458820694124, 1),
        (5.991464547107979, 2),
        (7.814727903251179, 3),
        (9.487729036781154, 4),
        (11.070497693516351, 5),
        (30.143527205646155, 19),
    ],
)
def test_the_quantiles_of_the_tables_leave_a_tail_of_five_per_cent(statistic: float, degrees: int) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(0.05, abs=1e-12)


@given(st.floats(0, 500), st.floats(0, 500), st.integers(1, 19))
def test_a_tail_is_a_probability_that_never_grows(one: float, other: float, degrees: int) -> None:
    tails = [chi_square_tail(statistic, degrees) for statistic in sorted([one, other])]
    assert 1 >= tails[0] >= tails[1] >= 0


def test_a_known_mismatch_is_seen() -> None:
    assert srm_p([821_588, 815_482], [0.5, 0.5]) == pytest.approx(1.8e-6, rel=0.02)


def test_weights_of_any_sum_mean_the_same() -> None:
    assert srm_p([60, 40], [3, 2]) == srm_p([60, 40], [0.6, 0.4]) == 1.0


def test_few_units_are_no_evidence() -> None:
    assert srm_p([9, 0], [0.5, 0.5]) is None
    assert srm_p([0, 0], [0.5, 0.5]) is None
