"""What every store promises, asked of each store in turn."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.adapters.store.sqlite.driver import find_driver
from crossfade.adapters.store.sqlite.store import open_file
from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.errors import Conflict
from crossfade.core.model.experiment import Record, State
from crossfade.core.model.override import Override, Review
from crossfade.core.model.plan import (
    Approval,
    AuditEvent,
    BucketRange,
    Operation,
    OperationStep,
    Place,
    Plan,
    Step,
)
from crossfade.core.ports.store import HeldRange, LiveGroup, Member, Placement, ReleasedRange, Store

NOW = datetime(2026, 3, 4, 12, 30, 0, 250_000, tzinfo=UTC)

TODAY = NOW.date()


def without_log(path: Path) -> SqlStore:
    """As on a machine whose SQLite can corrupt a write-ahead log."""
    return open_file(path, driver=replace(find_driver(), wal=False))


FILES: dict[str, Callable[[Path], SqlStore]] = {"sqlite": open_store, "sqlite_without_log": without_log}


@pytest.fixture(scope="module", params=[*FILES, "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def empty(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it, to copy: quicker than to make one for each test."""
    path = tmp_path_factory.mktemp(kind) / "store.db"
    FILES[kind](path).close()
    return path


@pytest.fixture
def store(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    if kind == "postgresql":
        opened = open_store(request.getfixturevalue("postgresql").database())
    else:
        shutil.copy(request.getfixturevalue("empty"), tmp_path / "store.db")
        opened = FILES[kind](tmp_path / "store.db")
    yield opened
    opened.close()


DOCUMENT: dict[str, Any] = {
    "name": "Made for you first",
    "surface": "home",
    "layer": "shelves",
    "environment": "production",
    "owner": "ana@example.com",
    "tags": ["Ranking", "q3"],
    "hypothesis": {
        "change": "Shelf on top",
        "because": "people scroll LESS",
        "metric": "plays",
        "direction": "increase",
    },
    "audience": {"country": ["se", "no"]},
    "variants": {
        "control": {"weight": 0.5, "control": True},
        "new": {"weight": 0.5, "parameters": {"shelf_order": ["a", "b"], "rows": 3}},
    },
}


def record(key: str = "shelf-order", **changes: Any) -> Record:
    fields: dict[str, Any] = {
        "version": 1,
        "state": "draft",
        "document": DOCUMENT,
        "generated": {"/layer": "the surface has one layer"},
        "request_digest": "d1",
        "created": NOW,
        "updated": NOW,
    }
    return Record(key=key, **{**fields, **changes})


PLACE = Place(
    backend="assigner", kind="growthbook_file", settings={"path": "/srv/p.json", "mode": 1}, document="p.json"
)


def step(**changes: Any) -> Step:
    fields: dict[str, Any] = {
        "place": PLACE,
        "action": "put",
        "entry": "shelf-order",
        "before": None,
        "after": {"a": 1},
    }
    return Step(**{**fields, **changes})


def plan(handle: str = "p-1", **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "handle": handle,
        "digest": f"digest of {handle}",
        "key": "shelf-order",
        "change": "launch",
        "environment": "production",
        "version": 1,
        "covered": {"big": 2**70, "nothing": None, "half": 0.5},
        "ranges": [BucketRange(lo=0, hi=10)],
        "layer": "home/shelves/production",
        "steps": [step(), step(opens_traffic=True)],
        "created": NOW,
        "expires": NOW + timedelta(hours=1),
    }
    return Plan(**{**fields, **changes})


def operation(id_: str = "o-1", handle: str = "p-1", **changes: Any) -> Operation:
    fields: dict[str, Any] = {
        "key": "shelf-order",
        "change": "launch",
        "status": "running",
        "fence": 1,
        "lease_owner": "process 1",
        "lease_until": NOW + timedelta(seconds=30),
        "expires": NOW + timedelta(hours=1),
        "from_state": "draft",
        "to_state": "running",
        "by": "ana",
        "assurance": "host",
        "steps": [OperationStep(step=step()), OperationStep(step=step(opens_traffic=True))],
        "started": NOW,
    }
    return Operation(id=id_, handle=handle, **{**fields, **changes})


def add(store: Store, *records: Record) -> None:
    with store.write() as writer:
        for each in records:
            writer.insert_experiment(each)


def add_plans(store: Store, *plans: Plan) -> None:
    with store.write() as writer:
        for each in plans:
            writer.save_plan(each)


class TestExperiments:
    def test_a_record_comes_back_as_it_was_written(self, store: Store) -> None:
        written = record(started=NOW, launches=2)
        add(store, written)
        with store.read() as reader:
            found = reader.experiment("shelf-order")
            assert found == written
            assert reader.experiment("other") is None
        assert found is not None
        assert Record.model_validate(found.model_dump()) == written

    def test_moments_come_back_in_utc_with_their_microseconds(self, store: Store) -> None:
        add(store, record(created=NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))))
        with store.read() as reader:
            found = reader.experiment("shelf-order")
        assert found is not None
        assert found.created == NOW
        assert found.created.utcoffset() == timedelta(0)

    def test_a_moment_without_a_zone_is_refused(self, store: Store) -> None:
        with pytest.raises(Exception, match="without a time zone"):
            add(store, record(created=NOW.replace(tzinfo=None)))

    def test_a_taken_key_conflicts_and_the_first_record_stays(self, store: Store) -> None:
        add(store, record())
        with pytest.raises(Conflict, match="exists already"):
            add(store, record(document={}))
        with store.read() as reader:
            assert reader.experiment("shelf-order") == record()

    def test_an_update_of_the_expected_version_is_written(self, store: Store) -> None:
        add(store, record())
        second = record(version=2, document={**DOCUMENT, "name": "Second"}, updated=NOW + timedelta(seconds=1))
        with store.write() as writer:
            writer.update_experiment(second, expected_version=1)
        with store.read() as reader:
            assert reader.experiment("shelf-order") == second
            assert [found.name for found in reader.search(limit=5)] == ["Second"]

    def test_an_update_of_another_version_conflicts_and_changes_nothing(self, store: Store) -> None:
        add(store, record())
        with pytest.raises(Conflict, match="is at version 1, not 7"), store.write() as writer:
            writer.update_experiment(record(version=8), expected_version=7)
        with pytest.raises(Conflict, match="no experiment"), store.write() as writer:
            writer.update_experiment(record("other"), expected_version=1)
        with store.read() as reader:
            assert reader.experiment("shelf-order") == record()
            assert reader.keys() == ["shelf-order"]

    def test_every_version_is_kept_as_it_last_was(self, store: Store) -> None:
        add(store, record())
        running = record(state="running")
        second = record(version=2, document={**DOCUMENT, "name": "Second"})
        with store.write() as writer:
            writer.update_experiment(running, expected_version=1)
            writer.update_experiment(second, expected_version=1)
        with store.read() as reader:
            assert reader.experiment("shelf-order", 1) == running
            assert reader.experiment("shelf-order", 2) == second
            assert reader.experiment("shelf-order", 3) is None

    def test_keys_are_sorted(self, store: Store) -> None:
        add(store, record("bbb"), record("aaa"), record("ccc"))
        with store.read() as reader:
            assert reader.keys() == ["aaa", "bbb", "ccc"]

    def test_a_block_that_raises_writes_nothing(self, store: Store) -> None:
        def write_and_fail() -> None:
            with store.write() as writer:
                writer.insert_experiment(record())
                assert writer.keys() == ["shelf-order"]
                raise RuntimeError

        with pytest.raises(RuntimeError):
            write_and_fail()
        with store.read() as reader:
            assert reader.keys() == []

    def test_a_reader_sees_one_state_while_another_writes(self, kind: str, store: Store) -> None:
        if kind == "sqlite_without_log":
            pytest.skip("without a log the writer waits for the reader")
        add(store, record("aaa"))
        with store.read() as reader:
            assert reader.keys() == ["aaa"]
            add(store, record("bbb"))
            assert reader.keys() == ["aaa"]
        with store.read() as reader:
            assert reader.keys() == ["aaa", "bbb"]


class TestSearch:
    def test_a_summary_tells_what_lists_need(self, store: Store) -> None:
        add(store, record(state="running"))
        with store.read() as reader:
            [found] = reader.search(limit=5)
        assert found.model_dump() == {
            "key": "shelf-order",
            "version": 1,
            "state": "running",
            "name": "Made for you first",
            "surface": "home",
            "layer": "shelves",
            "environment": "production",
            "owner": "ana@example.com",
            "touched": ["rows", "shelf_order"],
            "audience": {"country": ["se", "no"]},
            "updated": NOW,
        }

    def found(self, store: Store, text: str, **filters: Any) -> list[str]:
        with store.read() as reader:
            return [each.key for each in reader.matching(text, limit=5, **filters)]

    def test_a_word_is_found_in_each_part_whatever_its_case(self, store: Store) -> None:
        add(store, record(), record("other", document={}))
        for words in (
            "shelf-ord",
            "MADE for",
            "home",
            "ana@",
            "ranking",
            "q3",
            "on TOP",
            "scroll less",
            "plays",
            "rows",
        ):
            assert self.found(store, words) == ["shelf-order"], words

    def test_what_does_not_occur_is_not_found(self, store: Store) -> None:
        add(store, record())
        for word in ("increase", "%", "_", "shelves", "\\", "'", "", "  ", "...", "-", "🎵"):
            assert self.found(store, word) == [], word

    @pytest.mark.parametrize(
        "text",
        [
            '"',
            '""',
            'top "',
            "top*",
            "top OR",
            "NOT top",
            "title : top",
            "NEAR(top)",
            "^top",
            "{title} : top",
            "top\x1f(",
            "+top",
        ],
    )
    def test_nothing_that_is_searched_is_syntax(self, store: Store, text: str) -> None:
        add(store, record(), record("other", document={"name": "else"}))
        assert self.found(store, text) == (["shelf-order"] if "top" in text else []), text

    def test_not_all_words_need_occur_and_who_has_more_of_them_comes_first(self, store: Store) -> None:
        names = {"aaa": "Rows of covers", "bbb": "Made of straße and covers", "ccc": "Nothing"}
        add(store, *(record(key, document={"name": name}) for key, name in names.items()))
        assert self.found(store, "made covers absent") == ["bbb", "aaa"]
        assert self.found(store, "STRASSE") == ["bbb"]
        assert self.found(store, "absent") == []

    def test_a_rare_word_weighs_more_than_a_common_one(self, store: Store) -> None:
        add(store, *(record(f"common-{number}", document={"name": "shelf"}) for number in range(6)))
        add(store, record("zzz", document={"name": "lyrics"}))
        assert self.found(store, "shelf lyrics")[0] == "zzz"

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("Größere Überschrift", "uberschrift"),
            ("Café crème", "CREME"),
            ("Cafe\u0301 cre\u0300me", "CRÈME"),
            ("Ὀδυσσεύς", "οδυσσευς"),
            ("ホーム画面の棚を並べ替える", "棚を並べ"),
            ("把播放列表放在最上面", "播放"),
            ("ปุ่มเล่นเพลงใหญ่ขึ้น", "เพลง"),
            ("큰 재생 버튼", "재생"),
            ("Кнопка воспроизведения", "ВОСПРО"),
        ],
    )
    def test_other_scripts_and_accents_are_found(self, store: Store, name: str, text: str) -> None:
        add(store, record("aaa", document={"name": name}), record("bbb", document={"name": "Play button"}))
        assert self.found(store, text) == ["aaa"]

    def test_the_index_follows_each_version_within_its_transaction(self, store: Store) -> None:
        add(store, record(document={"name": "First words"}))

        def write_and_fail() -> None:
            with store.write() as writer:
                writer.update_experiment(record(version=2, document={"name": "Lost words"}), 1)
                assert [each.key for each in writer.matching("lost", limit=5)] == ["shelf-order"]
                raise RuntimeError

        with pytest.raises(RuntimeError):
            write_and_fail()
        assert (self.found(store, "first"), self.found(store, "lost")) == (["shelf-order"], [])
        with store.write() as writer:
            writer.update_experiment(record(version=2, document={"name": "Second words"}), 1)
        assert (self.found(store, "first"), self.found(store, "second")) == ([], ["shelf-order"])

    def test_a_search_can_be_narrowed(self, store: Store) -> None:
        search = {**DOCUMENT, "surface": "home_feed", "owner": "bo"}
        add(store, record("aaa"), record("bbb", state="running"), record("ccc", state="running", document=search))
        assert self.found(store, "made", surface="home") == ["aaa", "bbb"]
        assert self.found(store, "made", surface="home_feed") == ["ccc"]
        assert self.found(store, "made", owner="bo") == ["ccc"]
        assert self.found(store, "made", states=frozenset[State]({"running"}), surface="home") == ["bbb"]
        assert self.found(store, "made", newest=1) == ["ccc"]

    def test_pages_of_a_search_lose_and_repeat_nothing_while_others_write(self, store: Store) -> None:
        add(store, *(record(f"each-{number:02}", document={"name": "shelf " * (number + 1)}) for number in range(7)))
        seen: list[str] = []
        after: tuple[float, str] | None = None
        while True:
            with store.read() as reader:
                page = reader.matching("shelf", after=after, limit=2)
            if not page:
                break
            seen += [each.key for each in page]
            after = (page[-1].score, page[-1].key)
            add(store, *(record(f"late-{len(seen)}-{number}", document={"name": "cover"}) for number in range(5)))
        assert sorted(seen) == [f"each-{number:02}" for number in range(7)]

    def test_filters_narrow(self, store: Store) -> None:
        search = {**DOCUMENT, "surface": "search", "owner": "bo"}
        add(store, record("aaa"), record("bbb", state="running"), record("ccc", state="running", document=search))

        def keys(**filters: Any) -> list[str]:
            with store.read() as reader:
                return [found.key for found in reader.search(**filters, limit=5)]

        assert keys(surface="home") == ["aaa", "bbb"]
        assert keys(owner="bo") == ["ccc"]
        assert keys(states=frozenset[State]({"running", "paused"})) == ["bbb", "ccc"]
        assert keys(states=frozenset[State]({"running"}), surface="home") == ["bbb"]
        assert keys(states=frozenset[State]()) == []

    def test_pages_follow_each_other_newest_first_then_by_key(self, store: Store) -> None:
        seconds = {"aaa": 1, "bbb": 2, "ccc": 1, "ddd": 0, "eee": 2}
        add(store, *(record(key, updated=NOW + timedelta(seconds=late)) for key, late in seconds.items()))
        seen: list[str] = []
        after = None
        with store.read() as reader:
            while page := reader.search(after=after, limit=2):
                seen += [found.key for found in page]
                after = (page[-1].updated, page[-1].key)
        assert seen == ["bbb", "eee", "aaa", "ccc", "ddd"]

    def beside(self, store: Store, *surfaces: str, start: date = TODAY) -> list[LiveGroup]:
        with store.read() as reader:
            audiences = reader.live_audiences("production", surfaces or ("home",))
            return reader.live_beside("production", surfaces or ("home",), audiences, TODAY, start)

    def test_live_experiments_are_those_in_states_that_hold_buckets(self, store: Store) -> None:
        states: list[State] = ["stopped", "paused", "running", "scheduled", "draft"]
        search = {**DOCUMENT, "surface": "search"}
        add(
            store,
            *(record(f"{state}-one", state=state) for state in states),
            record("elsewhere", state="running", document=search),
            record("staged", state="running", document={**DOCUMENT, "environment": "staging"}),
        )
        assert [group.count for group in self.beside(store)] == [3]
        both = self.beside(store, "home", "search")
        assert [(group.surface, group.count) for group in both] == [("home", 3), ("search", 1)]
        with store.read() as reader:
            assert [reader.live_on(surface, "production") for surface in ("home", "search", "absent")] == [3, 1, 0]

    def test_live_experiments_are_grouped_by_layer_and_parameters(self, store: Store) -> None:
        deep = {**DOCUMENT, "layer": "deep"}
        bare: dict[str, Any] = {**deep, "variants": {}}
        documents: dict[str, dict[str, Any]] = {
            "aaa": DOCUMENT,
            "bbb": deep,
            "ccc": {**DOCUMENT, "audience": {}},
            "ddd": bare,
        }
        add(store, *(record(key, state="running", document=each) for key, each in documents.items()))
        assert sorted((group.layer, group.count, group.touched) for group in self.beside(store)) == [
            ("deep", 1, []),
            ("deep", 1, ["rows", "shelf_order"]),
            ("shelves", 2, ["rows", "shelf_order"]),
        ]

    def test_only_the_audiences_that_are_asked_for_are_met_and_equal_ones_are_one(self, store: Store) -> None:
        nordic = {**DOCUMENT, "audience": {"country": "SE", "age": {"gte": 18, "lt": 30}}}
        reordered = {**DOCUMENT, "audience": {"age": {"lt": 30, "gte": 18}, "country": "SE"}}
        add(
            store,
            record("aaa", state="running", document=nordic),
            record("bbb", state="running", document=reordered),
            record("ccc", state="running", document={**DOCUMENT, "audience": {}}),
        )
        with store.read() as reader:
            audiences = reader.live_audiences("production", ["home"])
            assert audiences == ['{"age":{"gte":18,"lt":30},"country":"SE"}', "{}"]
            [group] = reader.live_beside("production", ["home"], audiences[:1], TODAY, TODAY)
            members = reader.members(group, "production", audiences[:1], TODAY, TODAY, 5)
            assert (group.count, [member.key for member in members]) == (2, ["aaa", "bbb"])
            assert reader.live_beside("production", ["home"], [], TODAY, TODAY) == []

    def test_a_group_names_its_members_with_owner_and_planned_end(self, store: Store) -> None:
        add(store, record("bbb", state="running"), record("aaa", state="running"), record("ccc", state="paused"))
        with store.write() as writer:
            writer.hold("top", [BucketRange(lo=0, hi=5), BucketRange(lo=7, hi=9)], "bbb", date(2026, 3, 9), NOW)
        [group] = self.beside(store)
        with store.read() as reader:
            audiences = reader.live_audiences("production", ["home"])
            assert reader.members(group, "production", audiences, TODAY, TODAY, 2) == [
                Member(key="aaa", owner="ana@example.com", until=None),
                Member(key="bbb", owner="ana@example.com", until=date(2026, 3, 9)),
            ]
            later = reader.members(group, "production", audiences, TODAY, date(2026, 3, 10), 3)
            assert [member.key for member in later] == ["aaa", "ccc"]

    def test_what_ends_before_the_start_is_not_met(self, store: Store) -> None:
        ends = {"late": TODAY - timedelta(days=3), "soon": TODAY + timedelta(days=3), "last": TODAY + timedelta(days=9)}
        add(store, *(record(key, state="running") for key in ends))
        with store.write() as writer:
            for number, (key, end) in enumerate(ends.items()):
                writer.hold("top", [BucketRange(lo=number, hi=number + 1)], key, end, NOW)
        assert [each.count for each in self.beside(store)] == [3]
        assert [each.count for each in self.beside(store, start=ends["soon"])] == [3]
        assert [each.count for each in self.beside(store, start=ends["soon"] + timedelta(days=1))] == [2]
        assert [each.count for each in self.beside(store, start=ends["last"] + timedelta(days=1))] == [1]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_groups_say_what_a_count_of_the_experiments_says(self, store: Store, data: st.DataObject) -> None:
        states: list[State] = ["draft", "running", "paused", "stopped"]
        layers = ["one", "two"]
        wanted: dict[str, tuple[State, str]] = {}
        with store.write() as writer:
            known = writer.keys()
            for _ in range(data.draw(st.integers(1, 8))):
                key = data.draw(st.sampled_from(["aaa", "bbb", "ccc"]))
                state, layer = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(layers))
                changed = record(key, state=state, document={**DOCUMENT, "surface": "drawn", "layer": layer})
                if key in known:
                    writer.update_experiment(changed, 1)
                else:
                    writer.insert_experiment(changed)
                    known = writer.keys()
                wanted[key] = (state, layer)
            live = Counter(
                each.layer
                for each in writer.search(surface="drawn", states=frozenset[State]({"running", "paused"}), limit=9)
            )
            audiences = writer.live_audiences("production", ["drawn"])
            groups = writer.live_beside("production", ["drawn"], audiences, TODAY, TODAY)
        assert {group.layer: group.count for group in groups} == live

    def test_a_draft_may_hold_any_json(self, store: Store) -> None:
        broken = {"name": 5, "surface": None, "tags": "x", "hypothesis": 3, "audience": 7, "variants": [2**70, 0.1]}
        add(store, record(document=broken))
        with store.read() as reader:
            found = reader.experiment("shelf-order")
            [summary] = reader.matching("shelf", limit=1)
        assert found is not None
        assert found.document == broken
        assert (summary.name, summary.surface, summary.audience, summary.touched) == ("", "", {}, [])


class TestBuckets:
    def hold(
        self, store: Store, key: str, *ranges: tuple[int, int], layer: str = "top", until: date | None = None
    ) -> None:
        with store.write() as writer:
            writer.hold(layer, [BucketRange(lo=lo, hi=hi) for lo, hi in ranges], key, until, NOW)

    def held(self, store: Store, layer: str = "top") -> list[tuple[int, int, str]]:
        with store.read() as reader:
            return [(each.lo, each.hi, each.key) for each in reader.held(layer)]

    def test_ranges_that_were_given_back_are_kept_with_the_day(self, store: Store) -> None:
        add(store, record("aaa", state="stopped"), record("undone"), record("ccc", state="running"))
        self.hold(store, "aaa", (0, 10), (20, 30))
        self.hold(store, "undone", (40, 50))
        self.hold(store, "ccc", (60, 70))
        later = NOW + timedelta(days=2)
        with store.write() as writer:
            writer.release("aaa", later)
            writer.release("undone", later)
        with store.read() as reader:
            assert reader.released("top", later) == [
                ReleasedRange(lo=0, hi=10, key="aaa", day=later.date()),
                ReleasedRange(lo=20, hi=30, key="aaa", day=later.date()),
            ]
            assert reader.released("top", later + timedelta(seconds=1)) == []
            assert reader.released("other", NOW) == []
            assert (reader.last_release("aaa"), reader.last_release("ccc")) == (later, None)

    def test_held_ranges_are_listed_by_their_start(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        self.hold(store, "bbb", (50, 60), (0, 10))
        self.hold(store, "aaa", (10, 50), until=date(2026, 4, 1))
        self.hold(store, "aaa", (0, 10_000), layer="other")
        with store.read() as reader:
            assert reader.held("top") == [
                HeldRange(layer="top", lo=0, hi=10, key="bbb", until=None),
                HeldRange(layer="top", lo=10, hi=50, key="aaa", until=date(2026, 4, 1)),
                HeldRange(layer="top", lo=50, hi=60, key="bbb", until=None),
            ]
            assert reader.ranges_of("bbb") == [BucketRange(lo=0, hi=10), BucketRange(lo=50, hi=60)]
            assert reader.held("nowhere") == []
            assert reader.ranges_of("ccc") == []

    def test_the_use_of_layers_counts_buckets_and_holders(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        with store.write() as writer:
            writer.hold("top", [BucketRange(lo=0, hi=10), BucketRange(lo=20, hi=25)], "bbb", None, NOW)
            writer.hold("top", [BucketRange(lo=10, hi=20)], "aaa", None, NOW)
            writer.hold("side", [BucketRange(lo=0, hi=7)], "bbb", None, NOW)
            writer.hold("past", [BucketRange(lo=0, hi=7)], "aaa", None, NOW)
        with store.read() as reader:
            found = {use.layer: (use.taken, use.count, use.first) for use in reader.uses("top", "side", "free")}
        assert found == {"top": (25, 2, "aaa"), "side": (7, 1, "bbb")}

    def test_held_buckets_are_refused_and_the_holder_is_named(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        self.hold(store, "aaa", (10, 20))
        for asked in ((0, 11), (19, 30), (12, 13), (10, 20), (0, 10_000)):
            with pytest.raises(Conflict, match=r'buckets 10-19 are held by "aaa"'):
                self.hold(store, "bbb", asked)
        assert self.held(store) == [(10, 20, "aaa")]

    def test_neighbours_and_other_layers_do_not_meet(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        self.hold(store, "aaa", (10, 20))
        self.hold(store, "bbb", (0, 10), (20, 30))
        self.hold(store, "bbb", (10, 20), layer="other")
        assert self.held(store) == [(0, 10, "bbb"), (10, 20, "aaa"), (20, 30, "bbb")]

    def test_a_refused_hold_takes_nothing_even_when_the_caller_goes_on(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        self.hold(store, "aaa", (10, 20))
        with store.write() as writer:
            with pytest.raises(Conflict):
                writer.hold("top", [BucketRange(lo=0, hi=5), BucketRange(lo=15, hi=25)], "bbb", None, NOW)
            writer.hold("top", [BucketRange(lo=30, hi=40)], "bbb", None, NOW)
        assert self.held(store) == [(10, 20, "aaa"), (30, 40, "bbb")]

    def test_to_hold_the_same_again_changes_only_the_forecast(self, store: Store) -> None:
        add(store, record("aaa"))
        self.hold(store, "aaa", (0, 10), (20, 30))
        self.hold(store, "aaa", (0, 10), (20, 30), until=date(2026, 5, 1))
        with store.read() as reader:
            assert [(each.lo, each.hi, each.until) for each in reader.held("top")] == [
                (0, 10, date(2026, 5, 1)),
                (20, 30, date(2026, 5, 1)),
            ]

    def test_an_experiment_cannot_hold_a_bucket_twice(self, store: Store) -> None:
        add(store, record("aaa"))
        self.hold(store, "aaa", (0, 10))
        with pytest.raises(Conflict, match=r'buckets 0-9 are held by "aaa"'):
            self.hold(store, "aaa", (5, 15))
        with pytest.raises(Conflict, match="overlap each other"):
            self.hold(store, "aaa", (20, 30), (25, 35))
        assert self.held(store) == [(0, 10, "aaa")]

    def test_released_buckets_are_free_and_a_repeat_changes_nothing(self, store: Store) -> None:
        add(store, record("aaa"), record("bbb"))
        self.hold(store, "aaa", (0, 10))
        self.hold(store, "aaa", (0, 10), layer="other")
        for _ in range(2):
            with store.write() as writer:
                writer.release("aaa", NOW)
        assert self.held(store) == self.held(store, "other") == []
        self.hold(store, "bbb", (5, 15))
        assert self.held(store) == [(5, 15, "bbb")]

    def test_a_range_without_buckets_is_refused(self, store: Store) -> None:
        add(store, record("aaa"))
        for bounds in ((10, 10), (10, 5)):
            with pytest.raises(Exception, match=r"(?i)check"):
                self.hold(store, "aaa", bounds)


class TestPlans:
    def test_a_plan_comes_back_whole_with_the_patches_of_its_fixes(self, store: Store) -> None:
        add(store, record())
        add_plans(store, plan())
        with store.read() as reader:
            assert reader.plan("p-1") == plan()
            assert reader.plan("p-2") is None

    def test_the_same_plan_made_again_lives_longer(self, store: Store) -> None:
        add(store, record())
        again = plan(expires=NOW + timedelta(hours=2))
        add_plans(store, plan(), again)
        with store.read() as reader:
            assert reader.plan("p-1") == again

    def test_another_plan_cannot_take_a_handle(self, store: Store) -> None:
        add(store, record())
        add_plans(store, plan())
        with pytest.raises(Conflict):
            add_plans(store, plan(digest="another"))
        with store.read() as reader:
            assert reader.plan("p-1") == plan()

    def test_the_first_answer_stands(self, store: Store) -> None:
        add(store, record())
        add_plans(store, plan())
        first = Approval(handle="p-1", approved=False, assurance="host", by="ana", at=NOW)
        with store.write() as writer:
            assert writer.approval("p-1") is None
            writer.save_approval(first)
            writer.save_approval(first.model_copy(update={"approved": True, "by": "bo"}))
        with store.read() as reader:
            assert reader.approval("p-1") == first

    def test_what_was_declined_and_lives_is_told_newest_first(self, store: Store) -> None:
        add(store, record(), record("other"))
        handles = ("p-1", "p-2", "p-yes", "p-late", "p-stop", "p-other")
        changes: dict[str, dict[str, Any]] = {
            "p-late": {"expires": NOW - timedelta(seconds=1)},
            "p-stop": {"change": "stop"},
            "p-other": {"key": "other"},
        }
        add_plans(store, *(plan(handle, **changes.get(handle, {})) for handle in handles), plan("p-unanswered"))
        with store.write() as writer:
            for handle in handles:
                said = handle == "p-yes"
                writer.save_approval(Approval(handle=handle, approved=said, assurance="host", by="ana", at=NOW))
        with store.read() as reader:
            assert reader.declined("shelf-order", "launch", NOW) == [plan("p-2"), plan("p-1")]

    def test_the_buckets_that_living_launches_of_others_propose_are_told(self, store: Store) -> None:
        add(store, record(), record("other"), record("older", version=2), record("live", state="running"))
        ranges = {handle: [BucketRange(lo=lo, hi=lo + 10)] for lo, handle in enumerate(("p-1", "p-2", "p-3", "p-4"))}
        add_plans(store, *(plan(handle, key="other", ranges=each) for handle, each in ranges.items()))
        add_plans(
            store,
            plan("p-late", key="other", expires=NOW - timedelta(seconds=1)),
            plan("p-stop", key="other", change="stop"),
            plan("p-else", key="other", layer="home/doors/production"),
            plan("p-older", key="older"),
            plan("p-live", key="live"),
        )
        layer, answer = (
            "home/shelves/production",
            Approval(handle="", approved=True, assurance="host", by="ana", at=NOW),
        )
        with store.write() as writer:
            writer.save_approval(answer.model_copy(update={"handle": "p-1"}))
            writer.save_approval(answer.model_copy(update={"handle": "p-2", "approved": False}))
            writer.insert_operation(operation("o-3", "p-3", key="other"))
        with store.read() as reader:
            assert reader.proposed(layer, "shelf-order", NOW) == [*ranges["p-4"], *ranges["p-1"]]
            assert reader.proposed(layer, "other", NOW) == []


class TestOperations:
    @pytest.fixture(autouse=True)
    def planned(self, store: Store) -> None:
        add(store, record(), record("other"))
        add_plans(store, plan("p-1"), plan("p-2"), plan("p-3", key="other"))

    def insert(self, store: Store, each: Operation) -> None:
        with store.write() as writer:
            writer.insert_operation(each)

    def test_an_operation_comes_back_with_its_steps(self, store: Store) -> None:
        done = OperationStep(step=step(), status="done", attempts=2, error="timed out", at=NOW)
        written = operation(steps=[done, OperationStep(step=step(action="remove", after=None))])
        self.insert(store, written)
        with store.read() as reader:
            assert reader.operation("o-1") == written
            assert reader.operation_of("p-1") == written
            assert reader.active_operation("shelf-order") == written
            assert reader.last_operation("shelf-order") == written
            assert reader.fence_of("o-1") == written.fence
            assert reader.last_turn("shelf-order") == ("o-1", written.fence)
            assert reader.operation("o-2") is None
            assert reader.fence_of("o-2") is None
            assert reader.last_turn("other") is None
            assert reader.operation_of("p-2") is None
            assert reader.active_operation("other") is None
            assert reader.last_operation("other") is None

    def test_a_plan_has_one_operation(self, store: Store) -> None:
        self.insert(store, operation(status="applied", finished=NOW))
        with pytest.raises(Conflict, match="plan"):
            self.insert(store, operation("o-2"))
        with store.read() as reader:
            assert reader.operation("o-2") is None

    def test_an_experiment_has_one_unfinished_operation(self, store: Store) -> None:
        self.insert(store, operation())
        with pytest.raises(Conflict, match="unfinished operation"):
            self.insert(store, operation("o-2", "p-2"))
        self.insert(store, operation("o-3", "p-3", key="other"))
        with store.write() as writer:
            writer.update_operation(operation(status="undone", finished=NOW), expected_fence=1)
        self.insert(store, operation("o-2", "p-2"))
        with store.read() as reader:
            active, last = reader.active_operation("shelf-order"), reader.last_operation("shelf-order")
            assert reader.last_turn("shelf-order") == ("o-2", 1)
        assert active == last == operation("o-2", "p-2")

    def test_a_finished_operation_cannot_run_again_beside_another(self, store: Store) -> None:
        self.insert(store, operation(status="needs_attention"))
        self.insert(store, operation("o-2", "p-2"))
        with pytest.raises(Conflict, match="unfinished operation"), store.write() as writer:
            writer.update_operation(operation(), expected_fence=1)

    def test_an_update_writes_the_operation_and_its_steps(self, store: Store) -> None:
        self.insert(store, operation())
        moved = operation(
            fence=2,
            direction="undo",
            reason="a backend refused",
            lease_owner="process 2",
            steps=[OperationStep(step=step(), status="undone", attempts=1, at=NOW)],
        )
        with store.write() as writer:
            writer.update_operation(moved, expected_fence=1)
        with store.read() as reader:
            assert reader.operation("o-1") == moved

    def test_a_fence_may_be_as_large_as_the_milliseconds_of_a_clock(self, store: Store) -> None:
        fence = int(NOW.timestamp() * 1_000)
        self.insert(store, operation(fence=fence))
        with store.write() as writer:
            writer.update_operation(operation(fence=fence + 1), expected_fence=fence)
        with store.read() as reader:
            assert reader.operation("o-1") == operation(fence=fence + 1)

    def test_an_update_under_an_older_fence_is_refused(self, store: Store) -> None:
        self.insert(store, operation(fence=2))
        with pytest.raises(Conflict, match="taken the operation over"), store.write() as writer:
            writer.update_operation(operation(status="applied", steps=[]), expected_fence=1)
        with store.read() as reader:
            assert reader.operation("o-1") == operation(fence=2)

    def test_stuck_are_those_whose_last_operation_waits_for_a_person(self, store: Store) -> None:
        self.insert(store, operation(status="needs_attention", reason="flags: It fails."))
        self.insert(store, operation("o-3", "p-3", key="other", status="needs_attention"))
        self.insert(store, operation("o-4", "p-2", key="other", change="stop", status="applied"))
        with store.read() as reader:
            assert reader.stuck() == [("shelf-order", "launch", "flags: It fails.")]

    def test_abandoned_are_unfinished_ones_whose_lease_has_run_out(self, store: Store) -> None:
        self.insert(store, operation(lease_until=NOW))
        self.insert(store, operation("o-2", "p-2", status="needs_attention", lease_until=NOW))
        self.insert(store, operation("o-3", "p-3", key="other", lease_until=NOW + timedelta(seconds=5)))
        with store.read() as reader:
            assert reader.abandoned(NOW - timedelta(microseconds=1)) == []
            assert reader.abandoned(NOW) == ["o-1"]
            assert reader.abandoned(NOW + timedelta(seconds=9)) == ["o-1", "o-3"]


class TestDelivered:
    def test_placements_are_kept_by_their_whole_place(self, store: Store) -> None:
        add(store, record())
        moved = PLACE.model_copy(update={"settings": {"path": "/other"}})
        first = Placement(key="shelf-order", place=PLACE, entry={"v": 1}, opens_traffic=False)
        second = Placement(key="shelf-order", place=PLACE, entry={"v": 2}, opens_traffic=True)
        elsewhere = Placement(key="shelf-order", place=moved, entry={"v": 3}, opens_traffic=False)
        with store.write() as writer:
            for each in (first, second, elsewhere):
                writer.put_placement(each)
        with store.read() as reader:
            found = reader.placements("shelf-order")
            assert len(found) == 2
            assert second in found
            assert elsewhere in found
            assert reader.placements("other") == []

    def test_a_removed_placement_is_gone_and_a_repeat_changes_nothing(self, store: Store) -> None:
        add(store, record())
        reordered = PLACE.model_copy(update={"settings": dict(reversed(PLACE.settings.items()))})
        with store.write() as writer:
            writer.put_placement(Placement(key="shelf-order", place=PLACE, entry={}, opens_traffic=False))
            writer.remove_placement("shelf-order", reordered)
            writer.remove_placement("shelf-order", PLACE)
            assert writer.placements("shelf-order") == []

    def test_previews_are_replaced_as_a_whole(self, store: Store) -> None:
        add(store, record())
        with store.write() as writer:
            assert writer.previews("shelf-order") == {}
            writer.set_previews("shelf-order", {"control": ["u1"], "new": ["u2", "u3"]})
            writer.set_previews("shelf-order", {"new": ["u4"]})
        with store.read() as reader:
            assert reader.previews("shelf-order") == {"new": ["u4"]}

    def test_the_test_units_of_all_experiments_are_those_of_each_that_has_some(self, store: Store) -> None:
        units: dict[str, dict[str, list[str]]] = {"b": {"new": ["u2"]}, "a": {"new": ["u1"], "old": ["u3"]}, "c": {}}
        add(store, *(record(key) for key in units))
        with store.write() as writer:
            for key, previews in units.items():
                writer.set_previews(key, previews)
        with store.read() as reader:
            assert reader.test_units() == {key: units[key] for key in ("a", "b")}


def override(**changes: Any) -> Override:
    fields: dict[str, Any] = {
        "key": "shelf-order",
        "spec": "s1",
        "code": "blackout.window",
        "pointer": "/schedule",
        "fault": "f1",
        "reason": "Agreed with those who asked for the quiet days",
        "by": "ana",
        "assurance": "terminal",
        "at": NOW,
    }
    return Override(**{**fields, **changes})


def review(**changes: Any) -> Review:
    said = {"key": "shelf-order", "spec": "s1", "team": "browse", "approved": True, "note": "", "by": "ana"}
    return Review.model_validate({**said, "assurance": "terminal", "at": NOW, **changes})


class TestPeople:
    def test_overrides_come_back_by_code_and_place_for_their_spec_alone(self, store: Store) -> None:
        add(store, record(), record("other"))
        later = override(code="surface.cap", pointer="/surface")
        with store.write() as writer:
            for each in (later, override(), override(spec="s2"), override(key="other")):
                writer.save_override(each)
        with store.read() as reader:
            assert reader.overrides("shelf-order", "s1") == [override(), later]
            assert reader.overrides("shelf-order", "s3") == []

    def test_a_later_override_of_the_same_finding_replaces_the_earlier_one(self, store: Store) -> None:
        add(store, record())
        with store.write() as writer:
            writer.save_override(override())
            writer.save_override(override(reason="Better said", by="bo"))
        with store.read() as reader:
            assert reader.overrides("shelf-order", "s1") == [override(reason="Better said", by="bo")]

    def test_an_override_that_is_taken_back_is_gone_and_a_repeat_changes_nothing(self, store: Store) -> None:
        add(store, record())
        with store.write() as writer:
            writer.save_override(override())
            writer.save_override(override(pointer="/schedule/start"))
        for _ in range(2):
            with store.write() as writer:
                writer.remove_override("shelf-order", "s1", "blackout.window", "/schedule")
        with store.read() as reader:
            assert [each.pointer for each in reader.overrides("shelf-order", "s1")] == ["/schedule/start"]

    def test_an_override_needs_an_experiment(self, store: Store) -> None:
        with pytest.raises(Exception, match=r"(?i)foreign key"), store.write() as writer:
            writer.save_override(override(key="nobody"))

    def test_the_last_word_of_each_team_on_a_spec_counts(self, store: Store) -> None:
        add(store, record())
        with store.write() as writer:
            for each in (review(team="search"), review(), review(approved=False, note="No"), review(spec="s2")):
                writer.save_review(each)
        with store.read() as reader:
            assert reader.reviews("shelf-order", "s1") == [review(approved=False, note="No"), review(team="search")]


class TestAudit:
    def test_events_of_a_subject_come_newest_first(self, store: Store) -> None:
        events = [AuditEvent(at=NOW, who="ana", what=f"did {n}", subject="aaa", after={"n": n}) for n in range(3)]
        with store.write() as writer:
            for each in events:
                writer.audit(each)
            writer.audit(AuditEvent(at=NOW, who="bo", what="did", subject="bbb", before={}))
        with store.read() as reader:
            assert reader.audit_of("aaa", 2) == [events[2], events[1]]
            [other] = reader.audit_of("bbb", 5)
            assert (other.before, other.after) == ({}, None)
            assert reader.audit_of("ccc", 5) == []
