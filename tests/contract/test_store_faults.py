"""When the disk, the file or another program is in the way, the store says so and loses nothing."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.errors import StoreUnavailable
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.store import Store

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def record(key: str) -> Record:
    return Record(
        key=key,
        version=1,
        state="draft",
        document={"name": "x" * 3_000},
        generated={},
        request_digest="d",
        created=NOW,
        updated=NOW,
    )


def add(store: Store, key: str) -> None:
    with store.write() as writer:
        writer.insert_experiment(record(key))
        writer.hold(f"layer of {key}", [BucketRange(lo=0, hi=10)], key, None, NOW)


def fill(store: Store) -> tuple[list[str], StoreUnavailable]:
    """Adds experiments until the store refuses: the keys that it has acknowledged, and the refusal."""
    added: list[str] = []
    for number in range(2_000):
        try:
            add(store, f"exp-{number:04}")
        except StoreUnavailable as refusal:
            return added, refusal
        added.append(f"exp-{number:04}")
    raise AssertionError("it never became full")


def contents(path: Path) -> tuple[list[str], int]:
    store = open_store(path)
    with store.read() as reader:
        keys = reader.keys()
        ranges = sum(len(reader.ranges_of(key)) for key in keys)
    store.close()
    return keys, ranges


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = open_store(path, wait=0.05)
    add(opened, "first")
    yield opened
    opened.close()


def test_a_full_disk_is_told_and_loses_nothing(store: SqlStore, path: Path) -> None:
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    event.listen(store.engine, "connect", limit)
    store.close()
    added, refusal = fill(store)
    assert "full" in refusal.message
    assert refusal.retryable
    assert "Free space" in refusal.next
    assert contents(path) == (sorted(["first", *added]), len(added) + 1)
    event.remove(store.engine, "connect", limit)
    store.close()
    add(store, "there-is-room-again")


def test_a_limit_on_file_sizes_is_told_and_loses_nothing(store: SqlStore, path: Path) -> None:
    store.close()
    answer = as_program("fill", path)
    assert answer["code"] == "store_unavailable"
    assert len(answer["added"]) > 5
    assert contents(path) == (sorted(["first", *answer["added"]]), len(answer["added"]) + 1)


def test_a_read_only_file_can_be_read_and_not_written(store: SqlStore, path: Path) -> None:
    store.close()
    path.chmod(0o444)
    answer = as_program("read and write", path)
    assert answer["keys"] == ["first"]
    assert (answer["code"], answer["retryable"]) == ("store_unavailable", False)
    assert "is read-only" in answer["message"]
    assert "writable" in answer["next"]
    path.chmod(0o644)
    assert contents(path) == (["first"], 1)


def test_a_store_in_a_read_only_directory_can_be_read_and_not_written(store: SqlStore, path: Path) -> None:
    store.close()
    path.parent.chmod(0o555)
    try:
        answer = as_program("read and write", path)
    finally:
        path.parent.chmod(0o755)
    assert answer["keys"] == ["first"]
    assert (answer["code"], answer["retryable"]) == ("store_unavailable", False)
    assert contents(path) == (["first"], 1)


def test_no_store_can_be_made_in_a_read_only_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        in_it, below_it = (as_program("read and write", tmp_path / name) for name in ("new.db", "new/new.db"))
    finally:
        tmp_path.chmod(0o755)
    assert "cannot be opened" in in_it["message"]
    assert "cannot be made" in below_it["message"]


def refusal_of(call: Callable[[], object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as refused:
        call()
    assert refused.value.next
    return refused.value


def test_a_writer_that_waits_too_long_is_told_to_come_again(store: SqlStore, path: Path) -> None:
    same, other = store, open_store(path, wait=0.05)
    with store.write() as writer:
        writer.insert_experiment(record("slow"))
        for waiting in (same, other):
            assert refusal_of(lambda blocked=waiting: add(blocked, "second")).retryable
        with other.read() as reader:
            assert reader.keys() == ["first"]
    add(other, "second")
    other.close()
    assert contents(path) == (["first", "second", "slow"], 2)


def test_another_programs_lock_is_told(store: SqlStore, path: Path) -> None:
    # Through the same library: POSIX locks do not keep two of them apart within one process.
    other = store.driver.module.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refusal = refusal_of(lambda: add(store, "second"))
    assert "locked by another process" in refusal.message
    assert refusal.retryable
    other.execute("ROLLBACK")
    other.close()
    add(store, "second")


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database, " * 100)
    assert "not a SQLite database" in refusal_of(lambda: open_store(path)).message
    assert path.read_text() == "not a database, " * 100
    assert "cannot be opened" in refusal_of(lambda: open_store(tmp_path)).message


def test_a_damaged_database_is_told(store: SqlStore, path: Path) -> None:
    for number in range(30):
        add(store, f"exp-{number}")
    store.close()
    pages = path.read_bytes()
    path.write_bytes(pages[:4096] + b"\xff" * (len(pages) - 4096))
    assert "is damaged" in refusal_of(lambda: contents(path)).message


def as_program(command: str, path: Path) -> dict[str, Any]:
    """This file as a program for which permissions hold: root without its capabilities, or whoever runs the tests."""
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if powerless and not shutil.which("setpriv"):
        pytest.skip("permissions do not hold for root, and there is no setpriv")
    arguments = [*powerless, sys.executable, __file__, command, str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def main(command: str, path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        store = open_store(path)
        if command == "fill":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
            answer["added"], refusal = fill(store)
            raise refusal
        with store.read() as reader:
            answer["keys"] = reader.keys()
        add(store, "second")
    except StoreUnavailable as refusal:
        answer |= {**refusal.as_dict(), "retryable": refusal.retryable}
    return answer


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
