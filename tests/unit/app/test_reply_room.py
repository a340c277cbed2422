"""A concise reply stays below 4 KB, text and structured half together, in whatever script the draft is written."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, JsonValue

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.question import Question
from crossfade.tools.text import text_of

from .test_drafts import KEY, app, brief

__all__ = ["app"]

MOST = 4_096
LONG = "日本語テキスト" * 200
SENTENCE = "短い 文 " + "日本語テキスト" * 40
IDS: list[JsonValue] = [f"利用者番号{number:04}" for number in range(200)]


def size(answer: BaseModel) -> int:
    return len(text_of(answer).encode()) + len(answer.model_dump_json(by_alias=True, exclude_none=True).encode())


@pytest.mark.parametrize(
    "parts",
    [
        {"change": LONG, "because": LONG},
        {"change": SENTENCE, "because": SENTENCE, "success_metrics": {"語" * 60: 0.02}},
        {"change": SENTENCE, "because": SENTENCE, "audience": {"region": IDS}},
        {"change": SENTENCE, "because": SENTENCE, "variants": {"bread": {"aisles": LONG}}},
    ],
    ids=("hypothesis", "metric", "audience", "parameter"),
)
def test_a_draft_of_long_words_of_three_bytes_a_character_has_room(app: Crossfade, parts: dict[str, object]) -> None:
    assert size(app.create_experiment(brief(**parts))) < MOST
    assert size(app.get_experiment(KEY)) < MOST
    assert size(app.plan_change(KEY, "launch")) < MOST
    assert size(app.find_experiments("")) < MOST


def test_an_estimate_for_a_long_audience_does_not_repeat_it(app: Crossfade) -> None:
    for metrics in ({"items_added": 0.05}, {"items_added": 0.0001}):
        answer = app.estimate_sample_size(Question("storefront", metrics, audience={"household_id": IDS}))
        assert size(answer) < MOST
        assert "利用者番号" not in answer.next
