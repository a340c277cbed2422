"""A store of an earlier revision is brought up to date with all that is in it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from crossfade.adapters.store import migrations
from crossfade.adapters.store.listing import searched
from crossfade.adapters.store.store import SqlStore, open_store
from crossfade.core.model.experiment import Record

pytestmark = pytest.mark.file_store("the revisions from before there was PostgreSQL")

TODAY = date(2026, 3, 4)
DOCUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "shelf-order": (
        "running",
        {
            "name": "Größe der Regale",
            "surface": "home",
            "layer": "top",
            "environment": "production",
            "owner": "ana",
            "tags": ["q3", 5],
            "audience": {"country": "SE", "age": {"lt": 30, "gte": 18}},
            "hypothesis": {"change": "棚を並べ替える", "because": "people scroll less", "metric": "plays"},
            "variants": {"a": {"parameters": {"rows": 3}}, "b": {"parameters": {"depth": 1}}},
        },
    ),
    "by-text": ("running", {"name": "Lists", "surface": "library", "audience": 'country = "SE"'}),
    "half-written": ("draft", {"name": 5, "tags": "x", "hypothesis": 3, "variants": [1]}),
    "long-gone": ("stopped", {"name": "Old rows", "surface": "home"}),
}


def first_revision(path: Path) -> None:
    """A store as revision 0001 had it, with an experiment in each state of life."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    at = "2026-03-01T00:00:00.000000+00:00"
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for key, (state, document) in DOCUMENTS.items():
            place = [document.get(name, "") if key != "half-written" else "" for name in ("name", "surface", "layer")]
            said = document.get("audience", {})
            audience = json.dumps(said if isinstance(said, dict) else {})  # of a text the row knew nothing
            touched = '["depth","rows"]' if state == "running" else "[]"
            connection.exec_driver_sql(
                "INSERT INTO experiment VALUES (?, 1, ?, ?, ?, ?, 'production', 'ana', ?, ?, ?, 'words')",
                (key, state, *place, touched, audience, at),
            )
            connection.exec_driver_sql(
                "INSERT INTO experiment_version VALUES (?, 1, ?, ?, '{}', '', 0, NULL, ?, ?)",
                (key, state, json.dumps(document), at, at),
            )
        connection.exec_driver_sql(
            "INSERT INTO bucket_range VALUES (1, 'top', 0, 50, 'long-gone', NULL, ?, ?)", (at, at)
        )
    engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    first_revision(tmp_path / "store.db")
    return open_store(tmp_path / "store.db")


def test_what_was_stored_is_found_by_words(store: SqlStore) -> None:
    with store.read() as reader:
        for text in ("groesse grosse", "並べ", "q3", "ROWS"):
            assert "shelf-order" in [each.key for each in reader.matching(text, limit=5)], text
        assert [each.key for each in reader.matching("half", limit=5)] == ["half-written"]
    store.close()


def test_what_is_searched_is_what_is_written_today(store: SqlStore) -> None:
    with store.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT key, names, hypothesis, details, surface FROM experiment_text").all()
    assert {row[0]: tuple(row) for row in rows} == {
        key: tuple(searched(key, document).values()) for key, (_, document) in DOCUMENTS.items()
    }
    store.close()


def test_what_is_live_is_in_its_group_and_leaves_it(store: SqlStore) -> None:
    with store.write() as writer:
        audiences = writer.live_audiences("production", ["home"])
        assert audiences == ['{"age":{"gte":18,"lt":30},"country":"SE"}']
        [group] = writer.live_beside("production", ["home"], audiences, TODAY, TODAY)
        assert (group.layer, group.touched, group.count) == ("top", ["depth", "rows"], 1)
        assert writer.live_audiences("production", ["library"]) == [r'"country = \"SE\""']
        record = writer.experiment("shelf-order")
        assert record is not None
        writer.update_experiment(Record.model_validate({**dict(record), "state": "stopped"}), 1)
        assert writer.live_on("home", "production") == 0
    store.close()


def test_what_was_given_back_is_remembered(store: SqlStore) -> None:
    with store.read() as reader:
        [part] = reader.released("top", datetime(2026, 2, 20, tzinfo=UTC))
    assert (part.key, part.day) == ("long-gone", date(2026, 3, 1))
    store.close()
