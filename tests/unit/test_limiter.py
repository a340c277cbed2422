"""The rate of a system, and the room in it that launches leave to stops."""

from __future__ import annotations

import pytest

from crossfade.adapters.http import limiter
from crossfade.adapters.http.limiter import Limiter
from crossfade.core.errors import BackendFailed
from crossfade.core.urgency import closing


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "MOST_WAIT", 0.0)


def taken(limits: Limiter) -> int:
    """How many more calls can be made now."""
    for count in range(100):
        try:
            limits.take("The system")
        except BackendFailed:
            return count
    raise AssertionError("there is no limit")


def test_a_quarter_of_a_rate_is_kept_for_what_closes_traffic() -> None:
    limits = Limiter(60)
    assert taken(limits) == 45
    with closing():
        assert taken(limits) == 15
    assert taken(limits) == 0


def test_what_is_done_on_the_way_to_a_stop_closes_too() -> None:
    limits = Limiter(8)
    with closing(), closing(False):
        assert taken(limits) == 8
    with closing(False):
        assert taken(Limiter(8)) == 6


def test_whoever_has_to_wait_is_told_how_long() -> None:
    limits = Limiter(4)
    assert taken(limits) == 3
    with pytest.raises(BackendFailed, match="allows 4 calls a minute, and 3 are made") as refused:
        limits.take("The system")
    assert refused.value.retryable
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 60
