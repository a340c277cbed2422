"""The PostgreSQL database is the one that the tables describe, and it guards itself as a SQLite file does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from crossfade.adapters.store.postgresql.store import PostgresqlStore, open_database
from crossfade.adapters.store.tables import StoreTable
from crossfade.core.errors import StoreUnavailable
from crossfade.core.model.experiment import Record
from crossfade.core.model.plan import AuditEvent

from ..postgresql import PostgresqlServer
from ..unit.test_sqlite_schema import ranges

NOW = datetime(2026, 3, 4, tzinfo=UTC)
OF_POSTGRESQL = {"alembic_version", "experiment_search"}


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    return postgresql.database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresqlStore]:
    opened = open_database(url)
    yield opened
    opened.close()


def run(store: PostgresqlStore, *statements: str) -> None:
    with store.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def record(key: str, **document: str) -> Record:
    return Record(
        key=key,
        version=1,
        state="draft",
        document={**document},
        generated={},
        request_digest="",
        created=NOW,
        updated=NOW,
    )


def test_migrations_end_in_the_tables(store: PostgresqlStore) -> None:
    found = inspect(store.engine)
    described = StoreTable.metadata.tables
    assert set(found.get_table_names()) == {*described} | OF_POSTGRESQL
    for name, table in described.items():
        columns = [(each["name"], each["nullable"]) for each in found.get_columns(name)]
        assert columns == [(each.name, each.nullable) for each in table.columns], name
        assert found.get_pk_constraint(name)["constrained_columns"] == [each.name for each in table.primary_key], name
        assert len(found.get_foreign_keys(name)) == len(table.foreign_keys), name
        assert {str(each["name"]) for each in found.get_indexes(name)} >= {
            str(each.name) for each in table.indexes if not str(each.name).startswith("ix_live_group")
        }, name


def test_texts_sort_by_code_point_and_moments_are_moments(store: PostgresqlStore) -> None:
    with store.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT table_name, data_type, collation_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"
        ).all()
    texts = [row for row in rows if row[1] in ("text", "character varying")]
    assert {row[2] for row in texts} == {"C"}
    assert {row[1] for row in rows} - {"text", "character varying"} == {
        "integer",
        "bigint",
        "boolean",
        "date",
        "double precision",
        "timestamp with time zone",
        "tsvector",
    }


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
def test_audit_cannot_be_rewritten_by_any_statement(store: PostgresqlStore, statement: str) -> None:
    with store.write() as writer:
        writer.audit(AuditEvent(at=NOW, who="ana", what="did", subject="aaa"))
    with pytest.raises(IntegrityError, match="audit_is_append_only"):
        run(store, statement)
    with store.read() as reader:
        assert [(each.who, each.what) for each in reader.audit_of("aaa", 5)] == [("ana", "did")]


@pytest.mark.parametrize(
    "statement",
    [
        ranges("(9, 'top', 15, 25, 'aaa', now(), NULL)"),
        ranges("(9, 'top', 30, 40, 'bbb', now(), NULL)", "(10, 'top', 39, 41, 'bbb', now(), NULL)"),
        ranges("(9, 'top', 0, 10000, 'aaa', now(), NULL)"),
        "UPDATE bucket_range SET hi = 21 WHERE id = 1",
        "UPDATE bucket_range SET layer = 'top' WHERE id = 3",
        "UPDATE bucket_range SET released_at = NULL WHERE id = 4",
    ],
)
def test_overlapping_ranges_are_stopped_by_the_database(store: PostgresqlStore, statement: str) -> None:
    with store.write() as writer:
        writer.insert_experiment(record("aaa"))
        writer.insert_experiment(record("bbb"))
    run(
        store,
        ranges(
            "(1, 'top', 10, 20, 'aaa', now(), NULL)",
            "(2, 'top', 20, 30, 'bbb', now(), NULL)",
            "(3, 'other', 10, 20, 'bbb', now(), NULL)",
            "(4, 'top', 0, 30, 'bbb', now(), now())",
        ),
    )
    with pytest.raises(IntegrityError, match="bucket_range_overlap"):
        run(store, statement)
    with store.read() as reader:
        assert [(each.lo, each.hi, each.key) for each in reader.held("top")] == [(10, 20, "aaa"), (20, 30, "bbb")]


def test_questions_of_every_launch_are_answered_by_an_index(store: PostgresqlStore) -> None:
    questions = [
        "SELECT * FROM bucket_range WHERE layer = 'a' AND released_at IS NULL AND lo < 5 AND hi > 3",
        "SELECT * FROM bucket_range WHERE experiment = 'a' AND released_at IS NULL",
        "SELECT max(released_at) FROM bucket_range WHERE experiment = 'a' AND released_at IS NOT NULL",
        "SELECT * FROM bucket_range WHERE released_at IS NULL AND until >= now() AND until < now()",
        "SELECT * FROM live_group WHERE environment = 'a' AND surface IN ('b', 'c')",
        "SELECT * FROM live_member WHERE group_id = 1 ORDER BY key LIMIT 3",
        "SELECT * FROM experiment WHERE surface = 'a' AND environment = 'b' AND state IN ('c', 'd')",
        "SELECT * FROM experiment ORDER BY updated DESC, key LIMIT 5",
        "SELECT * FROM operation WHERE key = 'a' AND status = 'running'",
        "SELECT * FROM operation WHERE status = 'running' AND lease_until <= now()",
        "SELECT * FROM audit WHERE subject = 'a' ORDER BY seq DESC",
        "SELECT * FROM experiment_search WHERE words @@ CAST('''a'':*' AS tsquery)",
    ]
    with store.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for question in questions:
            steps = connection.exec_driver_sql(f"EXPLAIN {question}").scalars().all()
            assert any("Index" in step for step in steps), (question, steps)


def test_a_draft_may_have_texts_as_long_as_any(store: PostgresqlStore) -> None:
    chance = random.Random(5)
    long = "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(4_000))
    word = "".join(chance.choices("abcdefghij", k=4_000))
    document = {"name": word, "surface": long, "owner": long, "environment": long, "layer": long}
    with store.write() as writer:
        writer.insert_experiment(record("long", **document))
        assert [each.key for each in writer.matching(long[7:12], limit=2)] == ["long"]
        assert [each.key for each in writer.matching(word, limit=2)] == ["long"]
        assert [each.surface for each in writer.search(surface=long, limit=2)] == [long]


def test_a_text_with_nul_is_just_not_found(store: PostgresqlStore) -> None:
    with store.read() as reader:
        assert reader.experiment("aaa\0") is None
        assert reader.search(owner="\0", limit=2) == []
        assert reader.matching("\0", limit=2) == []


def test_a_store_keeps_its_id(url: str, store: PostgresqlStore, postgresql: PostgresqlServer) -> None:
    again, other = open_database(url), open_database(postgresql.empty_database())
    assert again.store_id == store.store_id != other.store_id
    again.close()
    other.close()


def test_a_newer_store_asks_for_an_upgrade(url: str, store: PostgresqlStore) -> None:
    run(store, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreUnavailable, match="newer version of Crossfade") as refused:
        open_database(url)
    assert "Upgrade crossfade" in refused.value.next


def test_another_programs_database_is_left_alone(url: str, store: PostgresqlStore) -> None:
    run(store, "DROP TABLE bucket_range")
    with pytest.raises(StoreUnavailable, match="another program") as refused:
        open_database(url)
    assert "CREATE DATABASE" in refused.value.next


def test_its_name_is_known_before_a_transaction_asks_for_it(store: PostgresqlStore) -> None:
    with store.engine.connect(), store.read():
        assert vars(store)["store_id"] == store.store_id  # no second connection, of which a pool has few
