"""A large experiment stays readable: what is cut is named, and can be had whole."""

from __future__ import annotations

from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.excerpts import FULL, ROOM, excerpt
from crossfade.core.app.views import HALF, size_of
from crossfade.core.documents import JsonObject, canonical, patch_object

from .test_drafts import KEY, brief, kept
from .test_drafts import app as app

ROWS: JsonObject = {"variants": {"bread": {"parameters": {"aisles": [f"aisle {number}" for number in range(4_500)]}}}}
FIELDS = frozenset({"name", "tags"})
UNKNOWN: JsonObject = {f"unknown_{number}": "x" for number in range(2_000)}


def test_a_full_reply_with_a_spec_of_sixty_kilobytes_says_what_is_cut_and_where_it_is_whole(app: Crossfade) -> None:
    app.create_experiment(brief())
    app.update_experiment(KEY, 1, [], ROWS)
    size = len(canonical(kept(app).document).encode())
    assert size > 55_000
    answer = app.get_experiment(KEY, full=True)
    assert size_of(answer) < FULL
    at = "/variants/bread/parameters/aisles"
    assert f"; too much to show, cut at {at}; the spec has {size:,} bytes; " in answer.next
    assert answer.next.endswith(f"the resource experiment://{KEY} has all of it, as it is now")
    assert answer.spec is not None
    whole: JsonObject = {"variants": {"bread": {"parameters": {"aisles": shown(answer.spec)}}}}
    assert patch_object(kept(app).document, whole) == answer.spec
    assert shown(answer.spec).startswith('["aisle 0","aisle 1",')
    assert shown(answer.spec).endswith(" bytes)")
    assert app.experiment_document(KEY)["spec"] == kept(app).document


def shown(spec: dict[str, Any]) -> str:
    return spec["variants"]["bread"]["parameters"]["aisles"]


def test_a_full_reply_that_is_not_cut_says_nothing_of_its_size(app: Crossfade) -> None:
    app.create_experiment(brief())
    answer = app.get_experiment(KEY, full=True)
    assert answer.spec == kept(app).document
    assert "bytes" not in answer.next


def test_a_full_reply_has_no_more_findings_than_can_be_read_and_counts_the_rest(app: Crossfade) -> None:
    app.create_experiment(brief(audience=UNKNOWN))
    answer = app.get_experiment(KEY, full=True)
    assert size_of(answer) <= FULL
    assert answer.total is not None
    assert answer.total >= len(UNKNOWN)
    assert "cut at /audience, findings; " in answer.next
    assert len(app.experiment_document(KEY)["findings"]) == answer.total  # pyright: ignore[reportArgumentType]


def test_a_concise_reply_about_many_metrics_is_small(app: Crossfade) -> None:
    app.create_experiment(brief(more={"metrics": {f"metric_{number}": {"role": "quality"} for number in range(300)}}))
    answer = app.get_experiment(KEY)
    assert size_of(answer) <= HALF
    assert (answer.metrics or {})["..."] == f"{len(kept(app).document['metrics']) - 12} more in the spec"  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("document", "cut"),
    [
        ({"name": "n" * 4_000, "tags": ["short"]}, []),
        ({"name": "n", "tags": ["long enough"] * 4_000}, ["/tags"]),
        ({"name": "n", "tags": {"a/b": {"c": {"d": {"e": "x" * 20_000}}}}}, ["/tags/a~1b/c/d"]),
        ({"name": "n", "tags": {f"k{number}": "x" * 300 for number in range(90)}}, ["/tags"]),
        ({"name": "n", "other": "x", **UNKNOWN}, ["/"]),
    ],
    ids=["fits", "list", "deep", "many", "unknown"],
)
def test_a_document_is_cut_where_it_is_large_and_only_there(document: JsonObject, cut: list[str]) -> None:
    short, places = excerpt(document, FIELDS)
    assert places == cut
    assert len(canonical(short).encode()) <= ROOM
    assert short["name"] == document["name"]
