"""Any sequence of holds and releases leaves what a simple model says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.errors import Conflict
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.store import Writer

from ..postgresql import postgresql_server

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
KEYS = ["aaa", "bbb", "ccc"]
LAYERS = count()

Range = tuple[int, int]
Held = set[tuple[str, Range]]

ranges = st.tuples(st.integers(0, 15), st.integers(1, 6)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))
holds = st.tuples(st.sampled_from(KEYS), st.lists(ranges, min_size=1, max_size=3))
releases = st.tuples(st.sampled_from(KEYS), st.none())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    file = tmp_path_factory.mktemp("buckets") / "store.db"
    opened = open_store(file if request.param == "sqlite" else postgresql_server().database())
    with opened.write() as writer:
        for key in KEYS:
            writer.insert_experiment(
                Record(
                    key=key,
                    version=1,
                    state="draft",
                    document={},
                    generated={},
                    request_digest="",
                    created=NOW,
                    updated=NOW,
                )
            )
    yield opened
    opened.close()


def held_after(held: Held, key: str, asked: list[Range]) -> Held | None:
    """What is held once `key` has the ranges too, or None when a bucket would be held twice."""
    new = [each for each in asked if (key, each) not in held]
    taken = [bucket for lo, hi in [each for _, each in held] + new for bucket in range(lo, hi)]
    return held | {(key, each) for each in new} if len(taken) == len(set(taken)) else None


def stored(writer: Writer, layer: str) -> Held:
    return {(each.key, (each.lo, each.hi)) for each in writer.held(layer)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(holds | releases, max_size=12))
def test_holds_and_releases_do_what_the_model_does(
    store: SqlStore, actions: list[tuple[str, list[Range] | None]]
) -> None:
    layer = f"layer {next(LAYERS)}"
    held: Held = set()
    with store.write() as writer:
        for key, asked in actions:
            if asked is None:
                writer.release(key, NOW)
                held = {each for each in held if each[0] != key}
                continue
            after = held_after(held, key, asked)
            try:
                writer.hold(layer, [BucketRange(lo=lo, hi=hi) for lo, hi in asked], key, None, NOW)
            except Conflict:
                assert after is None
            else:
                assert after is not None
                held = after
            assert stored(writer, layer) == held
        for key in KEYS:
            writer.release(key, NOW)
        assert stored(writer, layer) == set()
