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

from crossfade.adapters.store.sqlite.store import SqliteStore, open_file
from crossfade.core.errors import StoreUnavailable
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.store import Store

pytestmark = pytest.mark.file_store("the faults of its file")

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
    store = open_file(path)
    with store.read() as reader:
        keys = reader.keys()
        ranges = sum(len(reader.ranges_of(key)) for key in keys)
    store.close()
    return keys, ranges


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = open_file(path, wait=0.05)
    add(opened, "first")
    yield opened
    opened.close()


def test_a_full_disk_is_told_and_loses_nothing(store: SqliteStore, path: Path) -> None:
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


def test_a_limit_on_file_sizes_is_told_and_loses_nothing(store: SqliteStore, path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        added, refusal = fill(store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be read or written" in refusal.message
    assert contents(path) == (sorted(["first", *added]), len(added) + 1)
    add(store, "there-is-room-again")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """What one program, for which permissions hold, gets from stores in places where it may not write."""
    places = {name: tmp_path_factory.mktemp(name) / "store.db" for name in ("file", "directory", "empty")}
    places["below"] = places["empty"].parent / "new" / "store.db"
    for name in ("file", "directory"):
        store = open_file(places[name])
        add(store, "first")
        store.close()
    places["file"].chmod(0o444)
    places["directory"].parent.chmod(0o555)
    places["empty"].parent.chmod(0o555)
    yield dict(zip(places, as_program(*places.values()), strict=True))
    places["directory"].parent.chmod(0o755)
    places["empty"].parent.chmod(0o755)


def test_a_read_only_file_can_be_read_and_not_written(answers: dict[str, dict[str, Any]]) -> None:
    answer = answers["file"]
    assert answer["keys"] == ["first"]
    assert (answer["code"], answer["retryable"]) == ("store_unavailable", False)
    assert "is read-only" in answer["message"]
    assert "writable" in answer["next"]


def test_a_store_in_a_read_only_directory_can_be_read_and_not_written(answers: dict[str, dict[str, Any]]) -> None:
    answer = answers["directory"]
    assert answer["keys"] == ["first"]
    assert (answer["code"], answer["retryable"]) == ("store_unavailable", False)


def test_no_store_can_be_made_in_a_read_only_directory(answers: dict[str, dict[str, Any]]) -> None:
    assert "cannot be opened" in answers["empty"]["message"]
    assert "cannot be made" in answers["below"]["message"]


def refusal_of(call: Callable[[], object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as refused:
        call()
    assert refused.value.next
    return refused.value


def test_a_writer_that_waits_too_long_is_told_to_come_again(store: SqliteStore, path: Path) -> None:
    same, other = store, open_file(path, wait=0.05)
    with store.write() as writer:
        writer.insert_experiment(record("slow"))
        for waiting in (same, other):
            assert refusal_of(lambda blocked=waiting: add(blocked, "second")).retryable
        with other.read() as reader:
            assert reader.keys() == ["first"]
    add(other, "second")
    other.close()
    assert contents(path) == (["first", "second", "slow"], 2)


def test_another_programs_lock_is_told(store: SqliteStore, path: Path) -> None:
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
    assert "not a SQLite database" in refusal_of(lambda: open_file(path)).message
    assert path.read_text() == "not a database, " * 100
    assert "cannot be opened" in refusal_of(lambda: open_file(tmp_path)).message


def test_a_damaged_database_is_told(store: SqliteStore, path: Path) -> None:
    for number in range(30):
        add(store, f"exp-{number}")
    store.close()
    pages = path.read_bytes()
    path.write_bytes(pages[:4096] + b"\xff" * (len(pages) - 4096))
    assert "is damaged" in refusal_of(lambda: contents(path)).message


def as_program(*paths: Path) -> list[dict[str, Any]]:
    """This file as a program for which permissions hold: root without its capabilities, or whoever runs the tests."""
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if powerless and not shutil.which("setpriv"):
        pytest.skip("permissions do not hold for root, and there is no setpriv")
    arguments = [*powerless, sys.executable, __file__, *map(str, paths)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def read_and_write(path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        store = open_file(path)
        with store.read() as reader:
            answer["keys"] = reader.keys()
        add(store, "second")
    except StoreUnavailable as refusal:
        answer |= refusal.as_dict()
    return answer


if __name__ == "__main__":
    print(json.dumps([read_and_write(Path(each)) for each in sys.argv[1:]]))
