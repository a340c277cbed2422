"""Of several writers at once exactly one wins, and whoever is killed leaves nothing behind."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

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
        lo = 100 * number  # every pair of contenders meets in 2,000 to 3,000
        held = [BucketRange(lo=lo, hi=3_000), BucketRange(lo=9_000 - lo, hi=9_500 - lo)]
        yield (
            f"buckets {turn}",
            wins(store, lambda w, t=turn, r=held: w.hold(f"top {t}", r, f"exp-{number}", None, NOW)),
        )
        yield f"version {turn}", wins(store, lambda w, t=turn: w.update_experiment(record("shared", t + 2), t + 1))


def buckets_held_twice(path: Path) -> list[tuple[str, int]]:
    """Asks the file itself, bucket by bucket, with nothing of ours in between."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT layer, lo, hi FROM bucket_range WHERE released_at IS NULL").fetchall()
    connection.close()
    held = Counter((str(layer), bucket) for layer, lo, hi in rows for bucket in range(lo, hi))
    return [bucket for bucket, holders in held.items() if holders > 1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = open_store(path)
    yield opened
    opened.close()


def start(command: str, path: Path, number: int = 0) -> subprocess.Popen[str]:
    """This file as a program; it says "ready" and waits for a line before it does what it is asked."""
    arguments = [sys.executable, __file__, command, str(path), str(number)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def all_at_once(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What each of them prints, all let go once the last one is ready."""
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    printed = [each.communicate(timeout=60)[0] for each in processes]
    assert [each.returncode for each in processes] == [0] * len(processes)
    return printed


def prepare_contest(store: Store, contenders: int) -> None:
    with store.write() as writer:
        writer.insert_experiment(record("shared"))
        for number in range(contenders):
            writer.insert_experiment(record(f"exp-{number}"))


def assert_one_winner_each(path: Path, results: list[list[tuple[str, bool]]]) -> None:
    winners = Counter(contest for result in results for contest, won in result if won)
    assert set(winners) <= {f"{what} {turn}" for what in ("buckets", "version") for turn in range(ROUNDS)}
    assert all(winners[f"buckets {turn}"] == 1 for turn in range(ROUNDS)), winners
    assert all(count == 1 for count in winners.values()), winners
    assert winners["version 0"] == 1
    assert buckets_held_twice(path) == []


def test_of_eight_threads_one_wins_each_race(store: SqlStore, path: Path) -> None:
    prepare_contest(store, THREADS)
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> list[tuple[str, bool]]:
        barrier.wait()
        return list(contend(store, number))

    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(run, range(THREADS)))
    assert_one_winner_each(path, results)


def test_of_four_processes_one_wins_each_race(store: SqlStore, path: Path) -> None:
    prepare_contest(store, PROCESSES)
    printed = all_at_once([start("contend", path, number) for number in range(PROCESSES)])
    assert_one_winner_each(path, [json.loads(each) for each in printed])


def test_eight_processes_open_one_new_database(path: Path) -> None:
    printed = all_at_once([start("open", path) for _ in range(8)])
    assert len(set(printed)) == 1
    store = open_store(path)
    assert printed[0] == f"{store.store_id}\n"
    store.close()


def test_a_killed_writer_leaves_nothing_behind(store: SqlStore, path: Path) -> None:
    writing = start("write and wait", path)
    assert writing.stdin is not None
    assert writing.stdout is not None
    assert writing.stdout.readline() == "ready\n"
    writing.stdin.write("go\n")
    writing.stdin.flush()
    assert writing.stdout.readline() == "written, not committed\n"
    writing.kill()
    writing.communicate()
    with store.read() as reader:
        assert reader.keys() == []
        assert reader.audit_of("killed", 5) == []
    with store.write() as writer:  # neither lock outlives the process
        writer.insert_experiment(record("killed"))
    with store.engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


def main(command: str, path: Path, number: int) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    store = open_store(path)
    if command == "open":
        print(store.store_id)
    elif command == "contend":
        print(json.dumps(list(contend(store, number))))
    else:
        with store.write() as writer:
            writer.insert_experiment(record("killed"))
            writer.hold("top", [BucketRange(lo=0, hi=5_000)], "killed", None, NOW)
            for _ in range(200):  # enough for pages to reach the log before the commit
                writer.audit(AuditEvent(at=NOW, who="a", what="b", subject="killed", after={"x": "y" * 20_000}))
            print("written, not committed", flush=True)
            sys.stdin.readline()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
