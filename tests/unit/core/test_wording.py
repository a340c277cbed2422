"""Quantities as people say them, and texts cut where a thought ends."""

from __future__ import annotations

import pytest

from crossfade.core.wording import cut, percent


@pytest.mark.parametrize(("share", "said"), [(1.0, "100 %"), (0.125, "12.5 %"), (0.0003, "0.03 %"), (1 / 3, "33.33 %")])
def test_a_share_is_said_as_a_percent(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("text", "length", "left"),
    [
        ("Short enough.", 20, "Short enough."),
        ("One thought ends. Another goes on for longer", 30, "One thought ends…"),
        ("One thought, with a clause that goes on", 30, "One thought…"),
        ("A. Then a sentence that goes on and on", 30, "A. Then a sentence that goes…"),
        ("nothing but words that go on and on", 20, "nothing but words…"),
        ("x" * 50, 20, "x" * 19 + "…"),
    ],
)
def test_a_text_is_cut_where_a_thought_ends(text: str, length: int, left: str) -> None:
    assert cut(text, length) == left
    assert len(left) <= length
