"""An operation goes forward, or back, or waits for a person, and the store says truthfully which."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.app import applying, plans, saga
from crossfade.core.app.dependencies import Dependencies
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendChanged, BackendFailed, Conflict
from crossfade.core.model.answers import Applied
from crossfade.core.model.catalogue import Catalogue
from crossfade.core.model.experiment import Change, Record, State
from crossfade.core.model.plan import Approval, BucketRange, Operation, Place, Plan, Step
from crossfade.core.ports.backend import Probe
from crossfade.core.ports.capabilities import Promises
from crossfade.server.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE = timedelta(seconds=15)
RANGE = BucketRange(lo=0, hi=2_000)
YES = {"approved": True, "assurance": "terminal", "by": "curator"}
NUMBERS = itertools.count(1)

Verdict = BackendFailed | None
"""What a backend says to a write; None takes it."""


class FakeClock:
    """Stands still but for its own sleeps, which it remembers."""

    def __init__(self) -> None:
        self.at = NOON
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


class NoCatalogue:
    def current(self) -> Catalogue:
        raise AssertionError("what the journal holds is enough")


class FakeBackend:
    """Entries in memory, each write judged first; `after_all` writes even when the verdict is a failure."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.local_paths: tuple[str, ...] = ()
        self.promises = Promises(compare_and_swap=True, atomic=True)
        self.entries: dict[str, JsonObject] = {}
        self.fences: dict[str, int] = {}
        self.judge: Callable[[JsonObject | None], Verdict] = lambda after: None
        self.after_all = False
        self.loses_writes = False
        self.written: list[JsonObject | None] = []

    def location(self, settings: JsonObject) -> str | None:
        return self.kind

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return []

    def probe(self, settings: JsonObject) -> Probe:
        return Probe(bool(self.entries), {})

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        return self.entries.get(entry)

    def write(
        self,
        settings: JsonObject,
        document: str,
        entry: str,
        *,
        before: JsonObject | None,
        after: JsonObject | None,
        fence: int,
    ) -> None:
        self.written.append(after)
        verdict = self.judge(after)
        if verdict is None or self.after_all:
            self._swap(entry, before, after, fence)
        if verdict is not None:
            raise verdict

    def _swap(self, entry: str, before: JsonObject | None, after: JsonObject | None, fence: int) -> None:
        if self.fences.get(entry, 0) > fence:
            raise BackendChanged("A later change was written.")
        if self.entries.get(entry) not in (before, after):
            raise BackendChanged("Somebody else changed the entry.")
        self.fences[entry] = fence
        if not self.loses_writes:
            self.entries.pop(entry, None)
            self.entries.update({entry: after} if after is not None else {})


def busy(_: JsonObject | None) -> Verdict:
    return BackendFailed("It is busy.", retryable=True)


def closed(_: JsonObject | None) -> Verdict:
    return BackendFailed("It takes nothing.")


def busy_for(times: int) -> Callable[[JsonObject | None], Verdict]:
    left = iter([BackendFailed("It is busy.", retryable=True)] * times)
    return lambda after: next(left, None)


@dataclass
class World:
    """One experiment on two backends: `texts` hold content, `flags` let units in."""

    store: SqlStore
    key: str = field(default_factory=lambda: f"test-{next(NUMBERS)}")
    clock: FakeClock = field(default_factory=FakeClock)
    texts: FakeBackend = field(default_factory=lambda: FakeBackend("texts"))
    flags: FakeBackend = field(default_factory=lambda: FakeBackend("flags"))

    def __post_init__(self) -> None:
        record = Record(
            key=self.key,
            version=1,
            state="draft",
            document={"surface": self.key, "layer": "only", "environment": "open", "design": {"days": 14}},
            generated={},
            request_digest="",
            created=NOON,
            updated=NOON,
        )
        with self.store.write() as tx:
            tx.insert_experiment(record)

    def deps(self, runner: str = "first") -> Dependencies:
        """What a process called `runner` works with."""
        backends = {"texts": self.texts, "flags": self.flags}
        return Dependencies(NoCatalogue(), self.store, backends, self.clock, runner, runner, LEASE)

    def step(self, backend: FakeBackend, after: JsonObject) -> Step:
        return Step(
            place=Place(backend=backend.kind, kind=backend.kind, settings={}, document="only"),
            action="put",
            entry=self.key,
            before=backend.entries.get(self.key),
            after=after,
            opens_traffic=backend is self.flags,
        )

    def plan(self, change: Change) -> Plan:
        """The plan of a change: made by hand where the product needs a catalogue for it."""
        if change in ("pause", "stop"):
            narrowing = plans.plan(self.deps(), self.key, change).plan
            assert narrowing is not None
            return narrowing
        number = next(NUMBERS)
        plan = Plan(
            handle=f"p-{number}",
            digest=str(number),
            key=self.key,
            change=change,
            environment="open",
            version=1,
            covered={},
            ranges=[RANGE],
            layer=f"open/{self.key}/only",
            steps=[self.step(self.texts, {"text": "new"}), self.step(self.flags, {"rule": change})],
            created=self.clock.now(),
            expires=self.clock.now() + timedelta(hours=24),
        )
        with self.store.write() as tx:
            tx.save_plan(plan)
        return plan

    def begin(self, change: Change, deps: Dependencies | None = None, layer: str | None = None) -> Operation:
        """An operation whose first transaction is written, and nothing else."""
        deps = deps or self.deps()
        plan = self.plan(change)
        plan = plan.model_copy(update={"layer": layer or plan.layer})
        approval = Approval.model_validate({"handle": plan.handle, "at": self.clock.now(), **YES})
        with self.store.write() as tx:
            record = tx.experiment(self.key)
            assert record is not None
            return saga.begin(deps, tx, plan, record, approval)

    def change(self, change: Change) -> Operation:
        return saga.run(self.deps(), self.begin(change))

    def again(self, operation: Operation, runner: str = "second") -> Applied:
        """What a later call with the same digest gives."""
        return applying.apply(self.deps(runner), operation.handle)

    @property
    def state(self) -> State:
        with self.store.read() as view:
            record = view.experiment(self.key)
        assert record is not None
        return record.state

    @property
    def held(self) -> list[BucketRange]:
        with self.store.read() as view:
            return view.ranges_of(self.key)

    @property
    def placed(self) -> dict[str, JsonObject]:
        with self.store.read() as view:
            return {each.place.backend: each.entry for each in view.placements(self.key)}

    @property
    def there(self) -> dict[str, JsonObject]:
        """What the backends really hold."""
        backends = (self.texts, self.flags)
        return {each.kind: each.entries[self.key] for each in backends if self.key in each.entries}

    def journal(self, operation: Operation) -> Operation:
        with self.store.read() as view:
            found = view.operation(operation.id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = open_store(Settings(home=tmp_path_factory.mktemp("saga")).database)
    yield store
    store.close()


@pytest.fixture
def world(store: SqlStore) -> World:
    return World(store)


def test_a_change_that_meets_no_trouble_is_applied(world: World) -> None:
    assert world.change("launch").status == "applied"
    assert (world.state, world.held, world.placed) == ("running", [RANGE], world.there)
    assert world.change("pause").status == "applied"
    assert (world.state, world.held, list(world.there)) == ("paused", [RANGE], ["texts"])
    assert world.change("resume").status == "applied"
    assert (world.state, world.held, world.placed) == ("running", [RANGE], world.there)
    assert world.change("stop").status == "applied"
    assert (world.state, world.held, world.placed, world.there) == ("stopped", [], {}, {})


def test_a_failure_that_passes_is_retried_with_growing_pauses(world: World) -> None:
    world.flags.judge = busy_for(2)
    ended = world.change("launch")
    assert (ended.status, world.state) == ("applied", "running")
    assert world.clock.slept == [0.2, 1.0]
    assert [step.error for step in ended.steps] == [None, None]


def test_a_failure_that_stays_is_tried_three_times_and_then_undone(world: World) -> None:
    world.flags.judge = lambda after: busy(after) if after is not None else None
    ended = world.change("launch")
    assert (ended.status, world.state, world.held, world.there, world.placed) == ("undone", "draft", [], {}, {})
    assert world.clock.slept == [0.2, 1.0]
    assert len([after for after in world.flags.written if after is not None]) == 3
    assert ended.reason == "flags: It is busy."


def test_a_failure_that_no_retry_mends_is_undone_at_once(world: World) -> None:
    world.flags.judge = lambda after: closed(after) if after is not None else None
    ended = world.change("launch")
    assert (ended.status, world.state, world.held, world.there, world.placed) == ("undone", "draft", [], {}, {})
    assert world.clock.slept == []
    assert world.flags.written == [{"rule": "launch"}, None]


def test_an_undo_has_retries_of_its_own(world: World) -> None:
    """Three answers are lost of writes that opened traffic, then the undo meets one failure that passes."""
    fails = busy_for(4)

    def blip(after: JsonObject | None) -> Verdict:
        world.flags.after_all = after is not None
        return fails(after)

    world.flags.judge = blip
    ended = world.change("launch")
    assert (ended.status, world.state, world.there, world.placed) == ("undone", "draft", {}, {})


def test_a_failed_step_that_had_its_effect_is_undone_too(world: World) -> None:
    world.flags.judge = lambda after: closed(after) if after is not None else None
    world.flags.after_all = True
    assert world.change("launch").status == "undone"
    assert (world.there, world.placed) == ({}, {})


def test_a_first_step_that_fails_undoes_only_itself(world: World) -> None:
    world.texts.judge = lambda after: closed(after) if after is not None else None
    ended = world.change("launch")
    assert [step.status for step in ended.steps] == ["undone", "pending"]
    assert world.flags.written == []
    assert (world.state, world.held, world.placed) == ("draft", [], {})


def test_a_launch_on_a_backend_that_takes_nothing_at_all_is_undone_since_nothing_is_there(world: World) -> None:
    world.flags.judge = closed
    ended = world.change("launch")
    assert (ended.status, ended.reason) == ("undone", "flags: It takes nothing.")
    assert (world.state, world.held, world.there, world.placed) == ("draft", [], {}, {})


def test_a_write_that_is_not_there_afterwards_is_undone(world: World) -> None:
    world.flags.loses_writes = True
    ended = world.change("launch")
    assert (ended.status, world.state, world.there) == ("undone", "draft", {})
    assert ended.reason is not None
    assert "not there after it was written" in ended.reason


def test_an_undone_resume_leaves_the_experiment_paused_with_its_buckets(world: World) -> None:
    world.change("launch")
    world.change("pause")
    world.flags.judge = lambda after: closed(after) if after is not None else None
    assert world.change("resume").status == "undone"
    assert (world.state, world.held, world.placed) == ("paused", [RANGE], world.there)


def test_a_change_without_a_step_is_applied_in_its_first_transaction(world: World) -> None:
    world.change("launch")
    plan = world.plan("stop").model_copy(update={"steps": [], "handle": f"p-{world.key}", "digest": world.key})
    with world.store.write() as tx:
        tx.save_plan(plan)
        record = tx.experiment(world.key)
        assert record is not None
        approval = Approval.model_validate({"handle": plan.handle, "at": NOON, **YES})
        assert saga.begin(world.deps(), tx, plan, record, approval).status == "applied"
    assert (world.state, world.held) == ("stopped", [])


def test_a_taken_bucket_leaves_nothing_behind(world: World) -> None:
    world.change("launch")
    rival = World(world.store)
    with pytest.raises(Conflict, match=world.key):
        rival.begin("launch", layer=f"open/{world.key}/only")
    assert (rival.state, rival.held, rival.there) == ("draft", [], {})
    with world.store.read() as view:
        assert view.last_operation(rival.key) is None
