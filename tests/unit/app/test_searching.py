"""The surface that is meant is found by its name first, then by the words that few others have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.surface_detail import ROOM
from crossfade.core.app.views import size_of
from crossfade.core.model.answers import SurfaceView
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from ...e2e.museum import opened

STREAMING = Path(__file__).resolve().parents[3] / "examples" / "streaming"


class OctoberClock:
    def now(self) -> datetime:
        return datetime(2026, 10, 5, 9, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def app(tmp_path: Path) -> Crossfade:
    return build(Settings(home=tmp_path, catalogue=STREAMING), "tester", OctoberClock())


def best(app: Crossfade, query: str) -> SurfaceView:
    found = app.find_surfaces(query).best
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("query", "surface"),
    [
        ("Search: new listeners who type a mood rather than a name should get a mix on top", "search"),
        ("now playing: show what comes next", "now_playing"),
        ("would a card for the queue help on Now Playing when a mix ends?", "now_playing"),
        ("the made for you row of shelves first", "home"),
    ],
)
def test_a_surface_that_is_named_comes_before_those_whose_descriptions_fit(
    app: Crossfade, query: str, surface: str
) -> None:
    assert best(app, query).key == surface


def test_words_of_a_schema_and_words_of_every_sentence_find_nothing(app: Crossfade) -> None:
    assert app.find_surfaces("which enum type should the users want").best is None


def test_parameters_that_do_not_fit_are_told_with_their_production_value(app: Crossfade) -> None:
    more = best(app, "now playing showing what comes next").more_parameters or []
    assert any(text.startswith("cards (list ..6 of distinct ") and "credits" in text for text in more)


def test_metrics_are_told_with_their_meaning_and_the_fitting_ones_first(app: Crossfade) -> None:
    metrics = best(app, "home: less skipping, more discovery of streams by artists").success_metrics
    assert next(iter(metrics)) == "discovery_streams"
    assert metrics["discovery_streams"].startswith("0.015, Streams of at least 30 seconds")


def test_a_reply_about_a_surface_keeps_to_its_size(app: Crossfade) -> None:
    for key in app.names("surface"):
        assert size_of(app.find_surfaces(key)) <= ROOM


def test_values_of_attributes_are_told_that_the_words_fit_and_others_on_a_surface_that_leaves_room(
    app: Crossfade, tmp_path: Path
) -> None:
    meant = best(app, "onboarding for a language").audience_values or {}
    assert meant["language"] == "en, es, pt, de, fr, id, it, ja and 5 more or another"
    left = best(opened(tmp_path).app(OctoberClock()), "desk").audience_values or {}
    assert "country" in left
