"""Which texts are somebody's trace."""

from __future__ import annotations

import pytest

from crossfade.core.tracing import traceparent_of

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_traceparent_is_passed_on_as_it_came() -> None:
    assert traceparent_of(GOOD) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        GOOD.upper(),
        GOOD + "\r\nx: y",
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        "ff" + GOOD[2:],
    ],
)
def test_anything_else_is_nobodys_trace(text: object) -> None:
    assert traceparent_of(text) is None
