"""Of several writers at once exactly one wins, and whoever is killed leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.errors import Conflict
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import AuditEvent, BucketRange
from crossfade.core.ports.store import Store, Writer

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
ROUNDS = 10
THREADS = 8
PROCESSES = 4


def record(key: str, version: int = 1) -> Record:
    return Record(
        key=key, version=version, state="draft", document={}, generated={}, request_digest="d", created=NOW, updated=NOW
    )


def wins(store: Store, attempt: Callable[[Writer], None]) -> bool:
    try:
        with store.write() as writer:
            attempt(writer)
    except Conflict:
        return False
    return True


def contend(store: Store, number: int) -> Iterator[tuple[str, bool]]:
    """For each round, whether contender `number` won the buckets, and whether it won the next version."""
    for turn in range(ROUNDS):
        lo = 100 * number  # all contenders meet in 700 to 3,000
        held = [BucketRange(lo=lo, hi=3_000), BucketRange(lo=9_000 - lo, hi=9_500 - lo)]

        def take(writer: Writer, layer: str = f"top {turn}", held: list[BucketRange] = held) -> None:
            writer.hold(layer, held, f"exp-{number}", None, NOW)

        def advance(writer: Writer, version: int = turn + 1) -> None:
            writer.update_experiment(record("shared", version + 1), version)

        yield f"buckets {turn}", wins(store, take)
        yield f"version {turn}", wins(store, advance)


def buckets_held_twice(store: SqlStore) -> list[tuple[str, int]]:
    """Asks the database itself, bucket by bucket, with nothing of ours in between."""
    with store.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT layer, lo, hi FROM bucket_range WHERE released_at IS NULL").all()
    held = Counter((layer, bucket) for layer, lo, hi in rows for bucket in range(lo, hi))
    return [bucket for bucket, holders in held.items() if holders > 1]


@pytest.fixture(params=["sqlite", "postgresql"])
def where(tmp_path: Path, request: pytest.FixtureRequest) -> Path | str:
    """A place with no store yet."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").empty_database()
    return tmp_path / "store.db"


@pytest.fixture
def store(where: Path | str) -> Iterator[SqlStore]:
    opened = open_store(where)
    yield opened
    opened.close()


def program(command: str, where: Path | str) -> subprocess.Popen[str]:
    """This file as a program of its own."""
    arguments = [sys.executable, __file__, command, str(where)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def printed_by(command: str, where: Path | str) -> Any:
    """What the processes that the program starts have found, one after another."""
    running = program(command, where)
    try:
        printed, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 0
    return json.loads(printed)


def prepare_contest(store: Store, contenders: int) -> None:
    with store.write() as writer:
        writer.insert_experiment(record("shared"))
        for number in range(contenders):
            writer.insert_experiment(record(f"exp-{number}"))


def assert_one_winner_each(store: SqlStore, results: list[list[tuple[str, bool]]]) -> None:
    winners = Counter(contest for result in results for contest, won in result if won)
    assert winners == {f"{what} {turn}": 1 for what in ("buckets", "version") for turn in range(ROUNDS)}
    assert buckets_held_twice(store) == []
    with store.read() as reader:
        assert all(len(reader.held(f"top {turn}")) == 2 for turn in range(ROUNDS))


def test_of_eight_threads_one_wins_each_race(store: SqlStore) -> None:
    prepare_contest(store, THREADS)
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> list[tuple[str, bool]]:
        barrier.wait()
        return list(contend(store, number))

    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(run, range(THREADS)))
    assert_one_winner_each(store, results)


def test_of_four_processes_one_wins_each_race(store: SqlStore, where: Path | str) -> None:
    prepare_contest(store, PROCESSES)
    assert_one_winner_each(store, [[(what, won) for what, won in each] for each in printed_by("contend", where)])


def test_eight_processes_open_one_new_database(where: Path | str) -> None:
    found = printed_by("open", where)
    store = open_store(where)
    assert found == [store.store_id] * 8
    store.close()


def test_a_killed_writer_leaves_nothing_behind(store: SqlStore, where: Path | str) -> None:
    writing = program("write and wait", where)
    assert writing.stdout is not None
    assert writing.stdout.readline() == "written, not committed\n"
    writing.kill()
    writing.communicate()
    with store.read() as reader:
        assert reader.keys() == []
        assert reader.audit_of("killed", 5) == []
    with store.write() as writer:  # neither lock outlives the process
        writer.insert_experiment(record("killed"))
    if isinstance(where, Path):
        with store.engine.begin() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


def run_at_once(work: Callable[[int], object], processes: int) -> list[object]:
    """What `work` finds in each process, all let go once the last one is there.

    They are forked from a program that has imported everything and opened nothing, because eight imports take as long
    as all other tests here.
    """
    forks = get_context("fork")
    barrier, found = forks.Barrier(processes), forks.SimpleQueue()

    def run(number: int) -> None:
        barrier.wait()
        found.put(work(number))

    running = [forks.Process(target=run, args=(number,)) for number in range(processes)]
    for each in running:
        each.start()
    results = [found.get() for _ in running]
    for each in running:
        each.join()
    return results


def opened_by(where: Path | str) -> Callable[[int], str]:
    def work(_: int) -> str:
        store = open_store(where)
        store_id = store.store_id
        store.close()
        return store_id

    return work


def contended_at(where: Path | str) -> Callable[[int], list[tuple[str, bool]]]:
    def work(number: int) -> list[tuple[str, bool]]:
        store = open_store(where)
        results = list(contend(store, number))
        store.close()
        return results

    return work


def write_and_wait(where: Path | str) -> None:
    with open_store(where).write() as writer:
        writer.insert_experiment(record("killed"))
        writer.hold("top", [BucketRange(lo=0, hi=5_000)], "killed", None, NOW)
        for _ in range(200):  # more than the cache holds, so that pages reach the log before the commit
            writer.audit(AuditEvent(at=NOW, who="a", what="b", subject="killed", after={"x": "y" * 20_000}))
        print("written, not committed", flush=True)
        sys.stdin.readline()


def main(command: str, where: Path | str) -> None:
    if command == "open":
        print(json.dumps(run_at_once(opened_by(where), 8)))
    elif command == "contend":
        print(json.dumps(run_at_once(contended_at(where), PROCESSES)))
    else:
        write_and_wait(where)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if "://" in sys.argv[2] else Path(sys.argv[2]))
