"""Whatever fails and whoever dies, an operation ends in one of three ways, and the store knows where everything is."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.app import applying, saga, stopping
from crossfade.core.app.dependencies import Dependencies
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed, Conflict
from crossfade.core.model.experiment import TRANSITIONS, Change
from crossfade.core.model.plan import Operation
from crossfade.core.ports.store import Reader, Writer
from crossfade.server.settings import Settings

from .test_saga import LEASE, FakeBackend, World

ON_WRITES = ("fine", "busy", "closed", "answer lost", "entry meddled with", "dies before", "dies after")
ON_JOURNAL = ("fine", "dies before", "dies uncommitted", "dies after")


class Died(BaseException):
    """The process is gone: nothing catches this but the next process."""


class Fate:
    """What happens at the next events; once it is used up, all goes well."""

    def __init__(self, on_writes: list[str], on_journal: list[str]) -> None:
        self.on_writes = iter(on_writes)
        self.on_journal = iter(on_journal)

    def heal(self) -> None:
        self.on_writes = self.on_journal = iter(())


class FatedBackend(FakeBackend):
    def __init__(self, kind: str, fate: Fate) -> None:
        super().__init__(kind)
        self._fate = fate

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
        event = next(self._fate.on_writes, "fine")
        if event == "dies before":
            raise Died
        if event in ("busy", "closed"):
            raise BackendFailed("It failed.", retryable=event == "busy")
        if event == "entry meddled with":
            self.entries[entry] = {"rule": "of somebody else"}
        super().write(settings, document, entry, before=before, after=after, fence=fence)
        if event == "dies after":
            raise Died
        if event == "answer lost":
            raise BackendFailed("The connection was lost.")


class FatedStore:
    def __init__(self, inner: SqlStore, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    @contextmanager
    def read(self) -> Generator[Reader]:
        with self._inner.read() as view:
            yield view

    @contextmanager
    def write(self) -> Generator[Writer]:
        event = next(self._fate.on_journal, "fine")
        if event == "dies before":
            raise Died
        with self._inner.write() as tx:
            yield tx
            if event == "dies uncommitted":
                raise Died
        if event == "dies after":
            raise Died


class Life:
    """Processes that come and go over one experiment."""

    def __init__(self, store: SqlStore, fate: Fate) -> None:
        self.fate = fate
        self.world = World(store, texts=FatedBackend("texts", fate), flags=FatedBackend("flags", fate))
        self._fated = FatedStore(store, fate)
        self._born = 0

    def born(self) -> Dependencies:
        self._born += 1
        return replace(self.world.deps(f"process {self._born}"), store=self._fated)

    def make(self, change: Change) -> Operation:
        """Begin a change, and let one process after another carry it on until one survives."""
        operation = self.world.begin(change)
        process = self.born()
        operation = self.world.journal(operation)
        try:
            saga.run(process, replace_owner(self.world, operation, process))
        except Died:
            self.survive()
        return self.world.journal(operation)

    def survive(self) -> None:
        while True:
            self.world.clock.at += LEASE + timedelta(seconds=1)
            try:
                applying.resume_abandoned(self.born())
            except Died:
                continue
            return


def replace_owner(world: World, operation: Operation, process: Dependencies) -> Operation:
    """The operation as this process began it."""
    owned = operation.model_copy(update={"lease_owner": process.runner})
    with world.store.write() as tx:
        tx.update_operation(owned, operation.fence)
    return owned


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = open_store(Settings(home=tmp_path_factory.mktemp("random")).database)
    yield store
    store.close()


def require_truth(world: World, operation: Operation, *, stuck: bool = False) -> None:
    """
    Args:
        stuck: an earlier change never ended, so that what it left where is unknown: the list may hold more than is
            there, and what a pause leaves of the texts may be nothing.
    """
    assert operation.status in ("applied", "undone", "needs_attention")
    assert bool(world.held) == (world.state not in ("draft", "stopped"))
    assert world.there.keys() <= world.placed.keys()
    if operation.status == "needs_attention":
        assert operation.reason
        return
    assert world.state == (operation.to_state if operation.status == "applied" else operation.from_state)
    assert ("flags" in world.there) == (world.state == "running")
    if stuck and world.state == "paused":
        return
    assert world.there.keys() == world.placed.keys()
    assert ("texts" in world.there) == (world.state in ("running", "paused"))


FATES = st.builds(
    Fate,
    st.lists(st.sampled_from(ON_WRITES), max_size=8),
    st.lists(st.sampled_from(ON_JOURNAL), max_size=8),
)
EACH: tuple[Change, ...] = ("launch", "pause", "resume", "stop")
LIVES = st.lists(st.sampled_from(EACH), min_size=1, max_size=4).map(lambda changes: [EACH[0], *changes])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FATES, LIVES)
def test_any_life_leaves_a_truthful_store(store: SqlStore, fate: Fate, changes: list[Change]) -> None:
    life = Life(store, fate)
    world, stuck = life.world, False
    for change in changes:
        # What is scheduled is stuck here, and no plan but a stop's is made of it.
        if (world.state, change) not in TRANSITIONS or (world.state == "scheduled" and change != "stop"):
            continue
        operation = life.make(change)
        require_truth(world, operation, stuck=stuck)
        stuck = stuck or operation.status == "needs_attention"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FATES, LIVES, st.booleans())
def test_once_all_is_mended_every_life_comes_to_its_end(
    store: SqlStore, fate: Fate, changes: list[Change], mended: bool
) -> None:
    life = Life(store, fate)
    world = life.world
    for change in changes:
        # What is scheduled is stuck here, and no plan but a stop's is made of it.
        if (world.state, change) not in TRANSITIONS or (world.state == "scheduled" and change != "stop"):
            continue
        operation = life.make(change)
        if operation.status != "needs_attention":
            continue
        fate.heal()
        if mended:  # a person puts back what the step expects
            put_back(world, operation)
            assert applying.apply(life.born(), operation.handle).status in ("applied", "undone")
        else:
            assert stopping.stop_now(life.born(), world.key).status == "applied"
            assert (world.state, world.held, world.there, world.placed) == ("stopped", [], {}, {})
        require_truth(world, last_of(world))


def put_back(world: World, operation: Operation) -> None:
    for each in operation.steps:
        backend = world.texts if each.step.place.kind == "texts" else world.flags
        foreign = backend.entries.get(world.key) not in (each.step.before, each.step.after)
        if foreign:
            backend.entries.pop(world.key)
            wanted = each.step.before if each.status in ("pending", "undone") else each.step.after
            backend.entries.update({world.key: wanted} if wanted is not None else {})


def last_of(world: World) -> Operation:
    with world.store.read() as view:
        last = view.last_operation(world.key)
    assert last is not None
    return last


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), max_size=8))
def test_of_two_runners_that_take_turns_only_the_newer_gets_on(store: SqlStore, turns: list[bool]) -> None:
    world = World(store)
    older = world.begin("launch")
    world.clock.at += LEASE * 2
    taken = saga.claim(world.deps("second"), older.id)
    assert taken is not None
    newer = taken
    for newer_turn in turns:
        if not newer_turn:
            with pytest.raises(Conflict):
                saga.advance(world.deps("first"), older)
        elif newer.status == "running":
            newer = saga.advance(world.deps("second"), newer)
    ended = saga.run(world.deps("second"), newer)
    assert (ended.status, world.state) == ("applied", "running")
    assert world.placed == world.there
