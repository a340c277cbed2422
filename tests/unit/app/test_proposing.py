"""Plans that are made at once leave each other's buckets alone where there is room, and hold nothing by it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.model.plan import BucketRange
from crossfade.core.planning.buckets import meet
from crossfade.core.ports.store import Reader, Store, Writer

from ...e2e.museum import Museum, SetClock, agreed, drafted, opened

KEYS = ("guide-1", "guide-2", "guide-3")


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def ranges(app: Crossfade, digest: str) -> list[BucketRange]:
    with app.dependencies.store.read() as view:
        found = view.plan(digest)
    assert found is not None
    return found.ranges


def planned(app: Crossfade, key: str) -> list[BucketRange]:
    digest = app.plan_change(key, "launch").digest
    assert digest is not None
    return ranges(app, digest)


class Meeting:
    """A store in which the first looks of several planners all happen before any of them writes."""

    def __init__(self, inner: Store, planners: int) -> None:
        self._inner = inner
        self._all = threading.Barrier(planners)
        self._met = threading.local()

    def read(self) -> AbstractContextManager[Reader]:
        return self._inner.read()

    @contextmanager
    def write(self) -> Generator[Writer]:
        if not hasattr(self._met, "once"):
            self._met.once = True
            self._all.wait(timeout=30)
        with self._inner.write() as tx:
            yield tx


def together(app: Crossfade) -> list[list[BucketRange]]:
    """What plans of all the drafts propose that are made at the same moment."""
    meeting = Crossfade(replace(app.dependencies, store=Meeting(app.dependencies.store, len(KEYS))))

    def proposed(key: str) -> list[BucketRange]:
        return planned(meeting, key)

    with ThreadPoolExecutor(len(KEYS)) as pool:
        return list(pool.map(proposed, KEYS))


def test_plans_made_one_after_the_other_propose_other_buckets_and_all_are_applied(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    drafted(app, "maps", change="Maps first", variants={"maps": {"room_order": ["maps", "coins"]}})
    digests = [agreed(app, key, "launch") for key in ("guide-first", "maps")]
    assert [app.apply_plan(digest).status for digest in digests] == ["applied"] * 2


def test_plans_made_at_the_same_moment_propose_other_buckets(museum: Museum) -> None:
    app = museum.app(SetClock())
    for key in KEYS:
        drafted(app, key, duration_days=28)
    one, two, three = together(app)
    assert not meet(one, [*two, *three])
    assert not meet(two, three)


def test_without_room_for_all_plans_made_at_the_same_moment_propose_the_same_buckets(museum: Museum) -> None:
    app = museum.app(SetClock())
    for key in KEYS:
        drafted(app, key, allocation=0.6)
    assert together(app) == [[BucketRange(lo=0, hi=6_000)]] * 3


def test_a_plan_made_again_proposes_what_it_did(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    assert planned(app, "guide-first") == planned(app, "guide-first")


def test_what_was_declined_or_has_expired_or_belongs_to_an_older_draft_is_free_to_propose(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    first = drafted(app, duration_days=28)
    drafted(app, "guide-2", duration_days=28)
    low, high = [BucketRange(lo=0, hi=3_000)], [BucketRange(lo=3_000, hi=6_000)]
    digest = app.plan_change(first, "launch").digest
    assert digest is not None
    assert planned(app, "guide-2") == high
    app.approve(digest, approved=False, assurance="terminal", by="curator")
    assert planned(app, "guide-2") == low
    app.update_experiment(first, 1, [], {"iterates": "guide-2"})
    assert planned(app, first) == [BucketRange(lo=6_000, hi=9_000)]  # each plan of the other one can be applied
    clock.sleep(25 * 3600)
    assert planned(app, first) == low
