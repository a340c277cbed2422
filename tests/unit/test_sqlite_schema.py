"""The migrated database is the one that the tables describe, and it guards itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError

from crossfade.adapters.store import migrations
from crossfade.adapters.store.migrate import REVISIONS
from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.adapters.store.tables import StoreTable
from crossfade.core.errors import StoreUnavailable
from crossfade.core.model.plan import AuditEvent

pytestmark = pytest.mark.file_store("its tables and triggers")

NOW = "2026-03-04T12:30:00.000000+00:00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


def run(store: SqlStore, *statements: str) -> None:
    with store.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def definitions(engine: Engine) -> set[str]:
    """The tables and indexes as the database wrote them down, without the full-text index, which SQLite alone has."""
    query = "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
    with engine.begin() as connection:
        found: list[str] = list(connection.exec_driver_sql(query).scalars())
    return {" ".join(sql.split()) for sql in found if not re.search("alembic_version|experiment_search", sql)}


def test_migrations_end_in_the_tables(store: SqlStore) -> None:
    described = create_engine("sqlite://")
    StoreTable.metadata.create_all(described)
    assert definitions(store.engine) == definitions(described)
    described.dispose()


def test_the_newest_revision_is_known_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(each.revision for each in reversed([*scripts.walk_revisions()])) == REVISIONS


def test_a_store_of_the_first_revision_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, REVISIONS[0])
        connection.exec_driver_sql(
            "INSERT INTO experiment VALUES ('aaa', 1, 'draft', '', '', '', '', '', '[]', '{}', '', '')"
        )
    engine.dispose()
    opened = open_store(path)
    with opened.read() as reader:
        assert reader.keys() == ["aaa"]
        assert reader.overrides("aaa", "any") == []
    opened.close()


def test_a_store_keeps_its_id(tmp_path: Path, store: SqlStore) -> None:
    again, other = open_store(tmp_path / "store.db"), open_store(tmp_path / "new" / "folder" / "other.db")
    assert again.store_id == store.store_id != other.store_id
    again.close()
    other.close()


def test_a_newer_store_asks_for_an_upgrade(tmp_path: Path, store: SqlStore) -> None:
    run(store, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreUnavailable, match="newer version of Crossfade") as refused:
        open_store(tmp_path / "store.db")
    assert "Upgrade crossfade" in refused.value.next
    assert not refused.value.retryable


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'songs.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE song (title TEXT)")
    with pytest.raises(StoreUnavailable, match="another program"):
        open_store(tmp_path / "songs.db")
    assert definitions(engine) == {"CREATE TABLE song (title TEXT)"}
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'nobody'",
        "UPDATE OR IGNORE audit SET seq = 7",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (seq, at, who, what, subject) VALUES (1, 'x', 'x', 'x', 'x')",
        "REPLACE INTO audit (seq, at, who, what, subject) VALUES (1, 'x', 'x', 'x', 'x')",
    ],
)
def test_audit_cannot_be_rewritten_by_any_statement(store: SqlStore, statement: str) -> None:
    with store.write() as writer:
        writer.audit(AuditEvent(at=datetime(2026, 3, 4, tzinfo=UTC), who="ana", what="did", subject="aaa"))
    with pytest.raises(IntegrityError, match="audit_is_append_only"):
        run(store, statement)
    with store.read() as reader:
        assert [(each.who, each.what) for each in reader.audit_of("aaa", 5)] == [("ana", "did")]


def ranges(*rows: str) -> str:
    columns = "(id, layer, lo, hi, experiment, taken_at, released_at)"
    return f"INSERT INTO bucket_range {columns} VALUES {', '.join(rows)}"  # noqa: S608 - a test's own rows


@pytest.mark.parametrize(
    "statement",
    [
        ranges(f"(9, 'top', 15, 25, 'aaa', '{NOW}', NULL)"),
        ranges(f"(9, 'top', 30, 40, 'bbb', '{NOW}', NULL)", f"(10, 'top', 39, 41, 'bbb', '{NOW}', NULL)"),
        ranges(f"(9, 'top', 0, 10000, 'aaa', '{NOW}', NULL)").replace("INSERT", "INSERT OR IGNORE"),
        ranges(f"(1, 'top', 5, 15, 'bbb', '{NOW}', NULL)").replace("INSERT", "INSERT OR REPLACE"),
        "UPDATE bucket_range SET hi = 21 WHERE id = 1",
        "UPDATE bucket_range SET layer = 'top' WHERE id = 3",
        "UPDATE bucket_range SET released_at = NULL WHERE id = 4",
        "UPDATE OR REPLACE bucket_range SET lo = 19 WHERE id = 2",
    ],
)
def test_overlapping_ranges_are_stopped_by_the_database(store: SqlStore, statement: str) -> None:
    run(
        store,
        "INSERT INTO experiment VALUES ('aaa', 1, 'running', '', '', '', '', '', '[]', '{}', '')",
        "INSERT INTO experiment VALUES ('bbb', 1, 'running', '', '', '', '', '', '[]', '{}', '')",
        ranges(
            f"(1, 'top', 10, 20, 'aaa', '{NOW}', NULL)",
            f"(2, 'top', 20, 30, 'bbb', '{NOW}', NULL)",
            f"(3, 'other', 10, 20, 'bbb', '{NOW}', NULL)",
            f"(4, 'top', 0, 30, 'bbb', '{NOW}', '{NOW}')",
        ),
    )
    with pytest.raises(IntegrityError, match="bucket_range_overlap"):
        run(store, statement)
    with store.read() as reader:
        assert [(each.lo, each.hi, each.key) for each in reader.held("top")] == [(10, 20, "aaa"), (20, 30, "bbb")]


@pytest.mark.parametrize("bounds", ["-1, 5", "5, 5", "6, 5", "0, 10001"])
def test_buckets_outside_the_layer_are_refused(store: SqlStore, bounds: str) -> None:
    with pytest.raises(IntegrityError, match="CHECK"):
        run(store, ranges(f"(9, 'top', {bounds}, 'aaa', '{NOW}', NULL)"))


def test_a_range_needs_an_experiment(store: SqlStore) -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        run(store, ranges(f"(9, 'top', 0, 5, 'ghost', '{NOW}', NULL)"))


def test_questions_of_every_launch_are_answered_by_an_index(store: SqlStore) -> None:
    questions = [
        "SELECT * FROM bucket_range WHERE layer = 'a' AND released_at IS NULL AND lo < 5 AND hi > 3",
        "SELECT * FROM bucket_range WHERE experiment = 'a' AND released_at IS NULL",
        "SELECT * FROM bucket_range WHERE layer = 'a' AND released_at IS NOT NULL AND released_at >= 'b'",
        "SELECT max(released_at) FROM bucket_range WHERE experiment = 'a' AND released_at IS NOT NULL",
        "SELECT * FROM bucket_range WHERE released_at IS NULL AND until >= 'a' AND until < 'b'",
        "SELECT * FROM live_group WHERE environment = 'a' AND surface IN ('b', 'c')",
        "SELECT * FROM live_member WHERE group_id = 1 ORDER BY key LIMIT 3",
        "SELECT * FROM experiment WHERE surface = 'a' AND environment = 'b' AND state IN ('c', 'd')",
        "SELECT * FROM experiment ORDER BY updated DESC, key LIMIT 5",
        "SELECT * FROM operation WHERE key = 'a' AND status = 'running'",
        "SELECT * FROM operation WHERE status = 'running' AND lease_until <= 'a'",
        "SELECT * FROM audit WHERE subject = 'a' ORDER BY seq DESC",
    ]
    with store.engine.begin() as connection:
        for question in questions:
            [*steps] = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all()
            assert "USING INDEX" in str(steps[0]) or "USING COVERING INDEX" in str(steps[0]), (question, steps)
