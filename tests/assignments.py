"""Assignments that the tests of adapters deliver."""

from __future__ import annotations

from typing import Any

from crossfade.core.model.delivery import Assignment
from crossfade.core.model.plan import BucketRange

LAYER = "production/home/top"


def of_two(experiment: str = "first", title: str = "A", **more: Any) -> Assignment:
    """Half of a quarter of the layer gets a title; one test unit does too."""
    usual: dict[str, Any] = {
        "variants": ["control", "new"],
        "weights": [0.5, 0.5],
        "parameters": {"title": ["For you", title], "rows": [3, 4]},
        "production": {"title": "For you", "rows": 3},
        "previews": {"new": ["tester-1"]},
    }
    return _assignment(experiment, [(0, 2_500)], {**usual, **more})


def of_three(experiment: str, *ranges: tuple[int, int], **more: Any) -> Assignment:
    """Three variants share buckets by 5 : 3 : 2."""
    usual: dict[str, Any] = {
        "variants": ["control", "new", "newer"],
        "weights": [0.5, 0.3, 0.2],
        "parameters": {"title": ["For you", "Yours", None]},
        "production": {"title": "For you"},
    }
    return _assignment(experiment, ranges, {**usual, **more})


def _assignment(experiment: str, ranges: Any, more: dict[str, Any]) -> Assignment:
    usual: dict[str, Any] = {
        "experiment": experiment,
        "surface": "home",
        "environment": "production",
        "unit_attribute": "user_id",
        "layer_seed": LAYER,
        "ranges": [BucketRange(lo=lo, hi=hi) for lo, hi in ranges],
        "seed": f"{experiment}/1",
        "coverage": 1.0,
        "audience": [[]],
        "exclusions": [],
    }
    return Assignment(**{**usual, **more})
