"""When the server, the network or another program is in the way, the store says so and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from crossfade.adapters.store.postgresql import driver
from crossfade.adapters.store.postgresql import store as stores
from crossfade.adapters.store.postgresql.address import address_of
from crossfade.adapters.store.postgresql.faults import database_faults
from crossfade.adapters.store.postgresql.store import PostgresqlStore, open_database
from crossfade.core.errors import StoreUnavailable
from crossfade.core.model.experiment import Record
from crossfade.core.ports.store import Store

from ..postgresql import PostgresqlServer

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "


def record(key: str) -> Record:
    return Record(
        key=key, version=1, state="draft", document={}, generated={}, request_digest="d", created=NOW, updated=NOW
    )


def add(store: Store, key: str) -> None:
    with store.write() as writer:
        writer.insert_experiment(record(key))


def keys(store: Store) -> list[str]:
    with store.read() as reader:
        return reader.keys()


def refusal_of(call: Callable[[], object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as refused:
        call()
    assert refused.value.next
    return refused.value


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    return postgresql.database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresqlStore]:
    opened = open_database(url, wait=0.05)
    yield opened
    opened.close()


@pytest.fixture
def admin(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def cut_off(admin: psycopg.Connection[Any]) -> None:
    """Every connection to the database but this one is gone, as after a restart of the server."""
    admin.execute(f"{OTHERS} {admin.info.backend_pid}".encode())


def test_a_connection_lost_within_a_write_is_told_and_writes_nothing(
    store: PostgresqlStore, admin: psycopg.Connection[Any]
) -> None:
    def write() -> None:
        with store.write() as writer:
            writer.insert_experiment(record("aaa"))
            cut_off(admin)
            writer.insert_experiment(record("bbb"))

    refusal = refusal_of(write)
    assert "cannot be reached" in refusal.message
    assert refusal.retryable
    assert keys(store) == []
    add(store, "aaa")


def test_a_restart_between_two_calls_is_not_noticed(store: PostgresqlStore, admin: psycopg.Connection[Any]) -> None:
    add(store, "aaa")
    cut_off(admin)
    assert keys(store) == ["aaa"]
    cut_off(admin)
    add(store, "bbb")


@pytest.mark.parametrize("change", ["port", "database"])
def test_a_server_that_cannot_be_reached_is_told_without_the_password(url: str, change: str) -> None:
    wrong = f"{url}_absent" if change == "database" else url.replace(url.split(":")[2].split("/")[0], "1")
    refusal = refusal_of(lambda: open_database(wrong.replace("crossfade@", "crossfade:hush@")))
    assert "cannot be reached" in refusal.message
    assert "CROSSFADE_DATABASE_URL" in refusal.next
    assert ("does not exist" if change == "database" else "refused") in str(refusal.got)
    assert "hush" not in str(refusal.as_dict())


def test_a_writer_that_waits_too_long_is_told_to_come_again(store: PostgresqlStore, url: str) -> None:
    slow, other = open_database(url), open_database(url, wait=0.05)
    with slow.write() as writer:
        writer.insert_experiment(record("slow"))
        for waiting in (store, other):
            refusal = refusal_of(lambda blocked=waiting: add(blocked, "second"))
            assert "locked by another writer" in refusal.message
            assert refusal.retryable
        assert keys(other) == []
    with store.write(), pytest.raises(StoreUnavailable, match="kept the database locked"):
        add(store, "second")
    add(other, "second")
    assert keys(store) == ["second", "slow"]
    slow.close()
    other.close()


def test_a_writer_that_hangs_loses_its_turn(store: PostgresqlStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "IDLE", 0.25)
    patient = open_database(url)

    def hang() -> None:
        with store.write() as writer:
            writer.insert_experiment(record("hung"))
            monkeypatch.undo()
            add(patient, "after")

    assert "cannot be reached" in refusal_of(hang).message
    assert keys(store) == ["after"]
    patient.close()


def test_a_deadlock_with_another_program_is_told_and_writes_nothing(url: str, admin: psycopg.Connection[Any]) -> None:
    store = open_database(url)
    add(store, "aaa")
    add(store, "bbb")
    store.close()
    admin.execute("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET deadlock_timeout = 50'; END $$")
    admin.execute("SET deadlock_timeout = '1min'")

    def write(threads: ThreadPoolExecutor) -> None:
        with store.write() as writer, admin.transaction():
            admin.execute("UPDATE experiment SET name = 'theirs' WHERE key = 'bbb'")
            writer.update_experiment(record("aaa"), 1)
            threads.submit(admin.execute, "UPDATE experiment SET name = 'theirs' WHERE key = 'aaa'")
            writer.update_experiment(record("bbb"), 1)

    with ThreadPoolExecutor(1) as threads:
        refusal = refusal_of(lambda: write(threads))
    assert "another program" in refusal.message
    assert refusal.retryable
    store.close()


@pytest.mark.parametrize(
    ("state", "message", "retryable"),
    [
        ("40001", "changed by another program", True),
        ("25006", "is read-only", False),
        ("0A000", "is read-only", False),
        ("53100", "no space left", True),
        ("53300", "no memory or connections", True),
        ("57P03", "cannot be reached", True),
        ("08006", "cannot be reached", True),
        ("XX001", "is damaged", False),
    ],
)
def test_what_a_server_says_is_told_in_our_words(state: str, message: str, retryable: bool) -> None:
    said = DBAPIError("SELECT 1", {}, psycopg.errors.lookup(state)("hush"))
    with pytest.raises(StoreUnavailable, match=message) as refused, database_faults(address_of("postgresql://db/shop")):
        raise said
    assert refused.value.retryable is retryable
    assert "hush" not in str(refused.value.as_dict())


def test_a_user_without_rights_is_told(url: str, admin: psycopg.Connection[Any]) -> None:
    admin.execute("DROP ROLE IF EXISTS guest")
    admin.execute("CREATE ROLE guest LOGIN")
    refusal = refusal_of(lambda: open_database(url.replace("crossfade@", "guest@")))
    assert "does not let this user" in refusal.message


def test_a_server_that_is_too_old_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "OLDEST", 99)
    refusal = refusal_of(lambda: open_database(url))
    assert "too old" in refusal.message
    assert "99 or newer" in refusal.next


def test_a_database_that_lacks_characters_is_told(admin: psycopg.Connection[Any], url: str) -> None:
    admin.execute("DROP DATABASE IF EXISTS western")
    admin.execute("CREATE DATABASE western ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    refusal = refusal_of(lambda: open_database(f"{url.rpartition('/')[0]}/western"))
    assert "LATIN1" in refusal.message
    assert "UTF8" in refusal.next
