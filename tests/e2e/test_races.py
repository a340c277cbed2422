"""Several callers at once, in one process and in two: whoever comes second is told so, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Conflict, NotAllowed, Stale
from crossfade.core.ports.backend import Backend, assigns
from crossfade.core.ports.store import Reader, Store, Writer

from .ledger import Ledger
from .museum import (
    Museum,
    Reply,
    SetClock,
    Visitor,
    agreed,
    brief,
    drafted,
    launched,
    opened,
    visiting,
    visiting_process,
)

T = TypeVar("T")


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


async def together(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """The results of calls that run at the same time, in their order."""
    results: dict[int, T] = {}

    async def run(number: int, call: Callable[[], Awaitable[T]]) -> None:
        results[number] = await call()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for number, call in enumerate(calls):
                group.start_soon(run, number, call)
    return [results[number] for number in range(len(calls))]


def applying(visitor: Visitor, digest: str) -> Callable[[], Awaitable[Reply]]:
    return lambda: visitor.call("apply_plan", digest=digest)


async def test_two_processes_that_apply_one_digest_do_it_once_and_give_one_answer(museum: Museum) -> None:
    async with visiting_process(museum) as one, visiting_process(museum) as two:
        for number in range(2):
            key = f"guide-{number}"
            await one.draft(key, allocation=0.3, duration_days=28)
            digest = await one.planned(key)
            replies = await together(applying(one, digest), applying(two, digest))
            assert [reply.body["status"] for reply in replies] == ["applied", "applied"], [r.text for r in replies]
            assert replies[0].body["operation"] == replies[1].body["operation"]
            ledger = Ledger(museum, key)
            assert ledger.faults() == []
            assert ledger.audit.count("operation_started") == 1
            for change in ("pause", "resume"):
                digest = (await one.call("plan_change", key=key, change=change)).body["digest"]
                replies = await together(applying(two, digest), applying(one, digest))
                assert [reply.body["status"] for reply in replies] == ["applied", "applied"], [r.text for r in replies]
            assert Ledger(museum, key).faults() == []


async def test_two_processes_that_want_the_same_buckets_share_none(museum: Museum) -> None:
    async with visiting_process(museum) as one, visiting_process(museum) as two:
        for number in range(2):
            keys = f"left-{number}", f"right-{number}"
            digests: list[str] = []
            for visitor, key in zip((one, two), keys, strict=True):
                await visitor.draft(key, allocation=0.6)
                digests.append(await visitor.planned(key))
            replies = await together(applying(one, digests[0]), applying(two, digests[1]))
            outcomes = [reply.body["code"] if reply.failed else reply.body["status"] for reply in replies]
            assert sorted(outcomes) == ["applied", "stale_plan"], [reply.text for reply in replies]
            ledgers = [Ledger(museum, key) for key in keys]
            assert [ledger.faults() for ledger in ledgers] == [[], []]
            assert sorted(sum(hi - lo for lo, hi in ledger.held) for ledger in ledgers) == [0, 6_000]
            winner = keys[0] if ledgers[0].held else keys[1]
            stopped = await one.call("apply_plan", digest=await one.planned(winner, "stop"))
            assert stopped.body["status"] == "applied"


async def test_calls_for_one_digest_in_one_process_do_it_once_and_give_one_answer(museum: Museum) -> None:
    async with visiting(museum) as visitor:
        await visitor.draft()
        digest = await visitor.planned()
        replies = await together(*[applying(visitor, digest)] * 6)
        assert {reply.body["status"] for reply in replies} == {"applied"}, [reply.text for reply in replies]
        assert len({reply.body["operation"] for reply in replies}) == 1
    assert Ledger(museum).faults() == []
    assert len(Ledger(museum).operations) == 1


async def test_experiments_launched_at_once_in_one_layer_hold_disjoint_buckets(museum: Museum) -> None:
    async with visiting(museum) as visitor:
        keys = [f"guide-{number}" for number in range(5)]
        for key in keys:
            await visitor.draft(key, allocation=0.3, duration_days=28)

        async def launch(key: str) -> str:
            """Plan and apply until it runs, or until planning tells that the layer is full."""
            while (plan := await visitor.call("plan_change", key=key, change="launch")).body["ready"]:
                reply = await visitor.call("apply_plan", digest=plan.body["digest"])
                if not reply.failed:
                    return reply.body["status"]
            return "full"

        outcomes = await together(*[lambda key=key: launch(key) for key in keys])
        assert sorted(outcomes) == ["applied", "applied", "applied", "full", "full"]
    ledgers = [Ledger(museum, key) for key in keys]
    assert [ledger.faults() for ledger in ledgers] == [[]] * 5
    assert sorted(len(ledger.held) for ledger in ledgers) == [0, 0, 1, 1, 1]


async def test_one_key_created_twice_at_once_is_one_draft_or_a_conflict(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        same = await together(*[lambda: visitor.call("create_experiment", brief("guide-same"))] * 4)
        assert [reply.body["version"] for reply in same] == [1, 1, 1, 1]
        other = await together(
            lambda: visitor.call("create_experiment", brief("guide-other", change="One thing")),
            lambda: visitor.call("create_experiment", brief("guide-other", change="Another thing")),
        )
        assert sorted(reply.failed for reply in other) == [False, True]
        assert [reply.body["code"] for reply in other if reply.failed] == ["conflict"]


async def test_of_two_changes_of_one_version_one_is_made_and_the_other_told_the_new_version(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        replies = await together(
            *[
                lambda share=share: visitor.call(
                    "update_experiment", key="guide-first", version=1, changes={"allocation": share}
                )
                for share in (0.4, 0.5)
            ]
        )
        assert sorted(reply.failed for reply in replies) == [False, True]
        refused = next(reply for reply in replies if reply.failed)
        assert (refused.body["code"], refused.body["allowed"]) == ("conflict", ["2"]), refused.text
    assert Ledger(museum).version_states == ["draft", "draft"]


async def test_a_pause_and_a_stop_at_once_end_stopped_or_say_that_the_other_is_under_way(museum: Museum) -> None:
    async with visiting(museum) as visitor:
        for number in range(2):
            key = f"guide-{number}"
            await visitor.launch(key, allocation=0.2, duration_days=28)
            digests = [await visitor.planned(key, "pause"), await visitor.planned(key, "stop")]
            replies = await together(*[applying(visitor, digest) for digest in digests])
            assert any(reply.body.get("status") == "applied" for reply in replies), [reply.text for reply in replies]
            refused = [reply.body["code"] for reply in replies if reply.failed]
            assert set(refused) <= {"stale_plan", "not_allowed"}, [reply.text for reply in replies]
            assert Ledger(museum, key).faults() == []


class Overtaken:
    """A store in which something happens just before the first write."""

    def __init__(self, inner: Store, happening: Callable[[], object]) -> None:
        self._inner = inner
        self._happening: Callable[[], object] | None = happening

    def read(self) -> AbstractContextManager[Reader]:
        return self._inner.read()

    @contextmanager
    def write(self) -> Generator[Writer]:
        happening, self._happening = self._happening, None
        if happening is not None:
            happening()
        with self._inner.write() as tx:
            yield tx


def overtaken(app: Crossfade, happening: Callable[[], object]) -> Crossfade:
    deps = app.dependencies
    return Crossfade(replace(deps, store=Overtaken(deps.store, happening)))


class Meanwhile:
    """An assigner beside which something happens just before its experiments are first listed, or just after."""

    def __init__(self, inner: Backend, happening: Callable[[], object], *, after: bool) -> None:
        self.kind = inner.kind
        self.local_paths = inner.local_paths
        self._inner = inner
        self._happening: Callable[[], object] | None = happening
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        happening, self._happening = self._happening, None
        if happening is not None and not self._after:
            happening()
        assert assigns(self._inner)
        found = self._inner.entries(settings, layer)
        if happening is not None and self._after:
            happening()
        return found


def meanwhile(app: Crossfade, happening: Callable[[], object], *, after: bool) -> Crossfade:
    deps = app.dependencies
    assigner = Meanwhile(deps.backends["growthbook_file"], happening, after=after)
    backends: dict[str, Any] = {**deps.backends, assigner.kind: assigner}
    return Crossfade(replace(deps, backends=backends))


def test_a_neighbour_that_launches_while_a_plan_is_made_is_not_taken_for_a_stray(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    neighbour = agreed(app, drafted(app, "guide-other"), "launch")
    plan = meanwhile(app, lambda: app.apply_plan(neighbour), after=False).plan_change("guide-first", "launch")
    assert (plan.ready, [finding.code for finding in plan.findings if finding.severity == "block"]) == (True, [])


def test_a_neighbour_that_comes_and_goes_while_a_plan_is_made_is_not_taken_for_a_stray(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    neighbour = agreed(app, drafted(app, "guide-other"), "launch")
    going = meanwhile(app, lambda: app.stop("guide-other"), after=True)
    plan = meanwhile(going, lambda: app.apply_plan(neighbour), after=False).plan_change("guide-first", "launch")
    assert (plan.ready, [finding.code for finding in plan.findings if finding.severity == "block"]) == (True, [])


def test_a_draft_whose_launch_begins_while_it_is_changed_stays_as_it_was_agreed(museum: Museum) -> None:
    app = museum.app(SetClock())
    digest = agreed(app, drafted(app), "launch")
    slow = overtaken(app, lambda: app.apply_plan(digest))
    with pytest.raises(NotAllowed, match="is running"):
        slow.update_experiment("guide-first", 1, [], {"allocation": 0.9})
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert (ledger.state, ledger.version_states, ledger.held) == ("running", ["running"], [(0, 3_000)])


def test_a_change_that_was_overtaken_by_another_tells_the_new_version(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    slow = overtaken(app, lambda: app.update_experiment("guide-first", 1, [], {"allocation": 0.4}))
    with pytest.raises(Conflict) as refused:
        slow.update_experiment("guide-first", 1, [], {"allocation": 0.5})
    assert refused.value.allowed == ["2"]
    assert "version=2" in refused.value.next


def test_a_change_that_was_overtaken_by_its_own_repeat_gets_the_same_answer(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    slow = overtaken(app, lambda: app.update_experiment("guide-first", 1, [], {"allocation": 0.4}))
    assert slow.update_experiment("guide-first", 1, [], {"allocation": 0.4}).version == 2
    assert Ledger(museum).version_states == ["draft", "draft"]


def test_a_launch_whose_draft_changes_while_it_begins_is_stale(museum: Museum) -> None:
    app = museum.app(SetClock())
    digest = agreed(app, drafted(app), "launch")
    slow = overtaken(app, lambda: app.update_experiment("guide-first", 1, [], {"allocation": 0.4}))
    with pytest.raises(Stale, match="version"):
        slow.apply_plan(digest)
    assert (Ledger(museum).faults(), Ledger(museum).state) == ([], "draft")


def test_a_launch_that_was_overtaken_by_its_own_repeat_gets_the_same_answer(museum: Museum) -> None:
    app = museum.app(SetClock())
    digest = agreed(app, drafted(app), "launch")
    answer = overtaken(app, lambda: app.apply_plan(digest)).apply_plan(digest)
    assert (answer.status, answer.state) == ("applied", "running")
    assert (Ledger(museum).faults(), len(Ledger(museum).operations)) == ([], 1)


def test_a_pause_overtaken_by_a_stop_is_refused(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app)
    digest = app.plan_change("guide-first", "pause").digest
    assert digest is not None
    with pytest.raises(NotAllowed, match="is stopped"):
        overtaken(app, lambda: app.stop("guide-first")).apply_plan(digest)
    assert (Ledger(museum).faults(), Ledger(museum).state) == ([], "stopped")
