"""What was tried before is recognised, in other words too, and nothing else is."""

from __future__ import annotations

import pytest

from crossfade.core.planning.memory import ALIKE, alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The platform stands next to the time", "Platform next to the time"),
        ("Shelves of twelve items on Home", "On Home, shelves of 12 and twelve items"),
        ("Größere Überschrift", "Grossere uberschrift"),
        ("ホーム画面の棚を並べ替える", "棚を並べ替える"),
        ("把播放列表放在最上面", "播放列表放在上面"),
        ("Кнопка больше", "кнопка БОЛЬШЕ"),
    ],
)
def test_the_same_in_other_words_is_alike(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Put made for you first because it is liked", "Show videos on covers because they draw the eye"),
        ("ホーム画面の棚を並べ替える", "検索結果に動画を出す"),
        ("", "anything"),
        ("", ""),
        ("!!!", "???"),
    ],
)
def test_something_else_is_not_alike(one: str, other: str) -> None:
    assert alike(one, other) < ALIKE
