"""What every store promises about time: what is due, how far units are let in, and who was seen last."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from crossfade.core.ports.store import Due, Exposure, Heartbeat, Store

from .test_store import NOW, empty, kind, plan, record, store

__all__ = ["empty", "kind", "store"]
HOUR = timedelta(hours=1)


def due(key: str = "shelf-order", **changes: Any) -> Due:
    fields: dict[str, Any] = {"kind": "ramp", "at": NOW, "stage": 1, "handle": "p-1", "again": NOW}
    return Due(key=key, **{**fields, **changes})


@pytest.fixture
def planned(store: Store) -> Store:
    """With an experiment of each of two keys, and a plan of each."""
    with store.write() as writer:
        for number, key in enumerate(["shelf-order", "row-count"], start=1):
            writer.insert_experiment(record(key))
            writer.save_plan(plan(f"p-{number}", key=key))
    return store


def test_nothing_is_due_at_first(planned: Store) -> None:
    with planned.read() as reader:
        assert reader.due(NOW) == reader.agenda("shelf-order") == []


def test_what_is_due_comes_in_its_order_and_not_before_its_moment(planned: Store) -> None:
    first, second = due(at=NOW - HOUR, again=NOW - HOUR), due(stage=2)
    later = due(kind="end", at=NOW + HOUR, again=NOW + HOUR, stage=None)
    other = due("row-count", handle="p-2")
    with planned.write() as writer:
        writer.set_agenda("shelf-order", [later, second, first])
        writer.set_agenda("row-count", [other])
    with planned.read() as reader:
        assert reader.due(NOW) == [first, other, second]
        assert reader.due(NOW - timedelta(microseconds=1)) == [first]
        assert reader.due(NOW + HOUR) == [first, other, second, later]
        assert reader.agenda("shelf-order") == [first, second, later]


def test_what_failed_is_kept_with_its_reason_and_not_due_before_it_may_be_tried_again(planned: Store) -> None:
    failed = due(again=NOW + HOUR, tries=3, reason="the payload cannot be written")
    with planned.write() as writer:
        writer.set_agenda("shelf-order", [failed])
    with planned.read() as reader:
        assert reader.due(NOW) == []
        assert reader.due(NOW + HOUR) == reader.agenda("shelf-order") == [failed]


def test_an_agenda_replaces_the_one_before_it_and_no_other(planned: Store) -> None:
    with planned.write() as writer:
        writer.set_agenda("shelf-order", [due()])
        writer.set_agenda("row-count", [due("row-count", handle="p-2")])
        writer.set_agenda("shelf-order", [])
    with planned.read() as reader:
        assert reader.agenda("shelf-order") == []
        assert [each.key for each in reader.due(NOW)] == ["row-count"]


def test_a_moment_of_another_time_zone_is_the_same_moment(planned: Store) -> None:
    """In the night in which clocks go back, 02:30 comes twice; the moments stay an hour apart."""
    before, after = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
    first = datetime(2026, 10, 25, 2, 30, tzinfo=before)
    second = datetime(2026, 10, 25, 2, 30, tzinfo=after)
    with planned.write() as writer:
        writer.set_agenda("shelf-order", [due(at=second, again=second)])
    with planned.read() as reader:
        assert reader.due(first) == []
        assert [each.at for each in reader.due(second)] == [second]


def test_what_is_written_with_an_agenda_is_kept_with_it_or_not_at_all(planned: Store) -> None:
    def broken() -> None:
        with planned.write() as writer:
            writer.set_agenda("shelf-order", [due()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    with planned.read() as reader:
        assert reader.agenda("shelf-order") == []


def test_how_far_units_are_let_in_is_kept_by_experiment(planned: Store) -> None:
    at = Exposure(key="shelf-order", stage=0, stages=3, coverage=0.05, since=NOW)
    further = at.model_copy(update={"stage": 1, "coverage": 0.25, "since": NOW + HOUR})
    with planned.write() as writer:
        writer.set_exposure("shelf-order", at)
    with planned.read() as reader:
        assert reader.exposures(["row-count", "shelf-order"]) == {"shelf-order": at}
    with planned.write() as writer:
        writer.set_exposure("shelf-order", further)
        assert writer.exposures(["shelf-order"]) == {"shelf-order": further}
        writer.set_exposure("shelf-order", None)
        assert writer.exposures(["shelf-order"]) == writer.exposures([]) == {}


def test_each_process_has_its_last_sign_of_life(store: Store) -> None:
    old, new = Heartbeat(name="a", at=NOW, every=15), Heartbeat(name="a", at=NOW + HOUR, every=30)
    other = Heartbeat(name="b", at=NOW + HOUR / 2, every=300)
    with store.write() as writer:
        for each in (old, other, new):
            writer.beat(each)
    with store.read() as reader:
        assert reader.heartbeats() == [new, other]


def test_a_process_that_was_not_seen_for_a_week_is_forgotten(store: Store) -> None:
    with store.write() as writer:
        writer.beat(Heartbeat(name="a", at=NOW, every=15))
        writer.beat(Heartbeat(name="b", at=NOW + timedelta(days=8), every=15))
    with store.read() as reader:
        assert [each.name for each in reader.heartbeats()] == ["b"]
