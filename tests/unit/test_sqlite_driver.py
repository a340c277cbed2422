"""A SQLite that can corrupt its log is not let near one."""

from __future__ import annotations

import sqlite3
import sqlite3.dbapi2
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import structlog
from structlog.testing import capture_logs

from crossfade.adapters.store.sqlite import driver as drivers
from crossfade.adapters.store.sqlite.driver import Version, choose_driver, find_driver, searches_text, wal_is_sound
from crossfade.adapters.store.sqlite.store import SqliteStore, open_file
from crossfade.core.errors import StoreUnavailable

pytestmark = pytest.mark.file_store("its driver")


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 6, 23), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_log_is_kept_only_by_versions_with_the_mend(version: Version, sound: bool) -> None:
    assert wal_is_sound(version) is sound


def judging(every: bool) -> Callable[[Version], bool]:
    """A judgement that does not depend on the SQLite of this machine."""

    def judge(version: Version) -> bool:
        return every

    return judge


def test_the_first_sound_sqlite_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "wal_is_sound", judging(True))
    with capture_logs() as logs:
        assert choose_driver(["no_such_module", "sqlite3.dbapi2"]).wal
    assert logs == []


def test_without_a_sound_sqlite_the_last_one_works_without_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "wal_is_sound", judging(False))
    with capture_logs() as logs:
        assert not choose_driver(["no_such_module", "sqlite3.dbapi2"]).wal
    assert [(log["event"], log["version"]) for log in logs] == [("sqlite_without_wal", sqlite3.sqlite_version)]


def test_the_warning_stays_off_stdout_before_logs_are_set_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drivers, "wal_is_sound", judging(False))
    configured = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    choose_driver(["sqlite3.dbapi2"])
    if configured is not None:
        structlog.configure(**configured)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "sqlite_without_wal" in printed.err


def test_a_sqlite_that_cannot_search_text_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_index(module: ModuleType) -> bool:
        return module is not sqlite3.dbapi2

    monkeypatch.setattr(drivers, "wal_is_sound", judging(True))
    monkeypatch.setattr(drivers, "searches_text", without_index)
    with pytest.raises(StoreUnavailable, match="FTS5") as refused:
        choose_driver(["no_such_module", "sqlite3.dbapi2"])
    assert "pysqlite3" in refused.value.next


def test_the_sqlite_of_this_python_searches_text() -> None:
    assert searches_text(sqlite3.dbapi2)
    assert searches_text(find_driver().module)


def settings_of(store: SqliteStore) -> list[str | int]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with store.engine.begin() as connection:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]


def test_connections_keep_acknowledged_commits_and_wait_for_locks(tmp_path: Path) -> None:
    sound = replace(find_driver(), wal=True)
    store = open_file(tmp_path / "s.db", driver=sound)
    assert settings_of(store) == ["wal", 2, 1, 30_000]
    store.close()


def test_a_log_is_given_up_for_an_unsound_sqlite_and_not_started_again(tmp_path: Path) -> None:
    sound = replace(find_driver(), wal=True)
    for driver, journal in ((sound, "wal"), (replace(sound, wal=False), "delete"), (sound, "delete")):
        store = open_file(tmp_path / "s.db", driver=driver)
        assert settings_of(store) == [journal, 2, 1, 30_000]
        store.close()
