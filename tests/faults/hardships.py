"""A clock that jumps by a day, a disk that is full, and an upgrade while an operation is under way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from .stage import Run, Stage, staged
from .table import Row
from .verifier import ENDED, read_store, verify

BOUNDED, LONG = 8, 200
PAST_THE_LEASE = 1 / 1_440  # a minute, in days
LAST_RELEASE = "0003"
"""Revision of the tables before the newest."""


def clock_jumps(run: Run, store: str, url: str | None) -> Row:
    """The process dies within a launch, and who goes on has a clock a day ahead, or behind; then one whose clock says
    another day at each look."""
    row = Row("clock jumps of a day", store)
    with staged(run, row.proof, url, hasty=True) as stage:
        for days in (1, -1):
            for name in ("gallery", "payload"):
                key = f"jumped-{name}-{days}"
                digest = _left_behind(stage, key, name)
                row.faults.lost += _carried_on(stage, row, key, digest, days=days)
        for number in range(LONG // 4 if run.long else 2):
            restless = stage.worker(restless=stage.rng.random())
            row.faults.lost += _whole_life(stage, restless, f"restless-{number}")
            restless.kill()
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    return row


def _left_behind(stage: Stage, key: str, document: str, **orders: Any) -> str:
    """The digest of a launch whose process died right after it had written a document."""
    dying = stage.worker(faults=[{"document": document, "how": "lost"}], **orders)
    dying.ask("draft", key=key)
    digest = dying.ask("plan", key=key, change="launch")["digest"]
    dying.send("apply", digest=digest)
    assert dying.answer() is None
    return digest


def _carried_on(stage: Stage, row: Row, key: str, digest: str, **orders: Any) -> Iterator[str]:
    """What is wrong with how another process carries it on, which then stops it."""
    other = stage.worker(**orders)
    swept = other.ask("resume")
    if len(swept) != 1 or swept[0] not in ENDED:
        yield f"{key}: the sweep ended {swept}"
    other.send("apply", digest=digest)
    answer = other.answer()
    row.repeats += 1
    if answer is None or answer.get("value", {}).get("status") not in ENDED:
        yield f"{key}: the repeat was answered with {answer}"
        return
    yield from (f"{key}: {what}" for what in verify(stage.place, [answer["value"]], swept=False).all())
    other.ask("stop", key=key)
    other.kill()


def _whole_life(stage: Stage, worker: Any, key: str) -> Iterator[str]:
    worker.ask("draft", key=key)
    for change in ("launch", "pause", "resume", "stop"):
        status = worker.ask("race", key=key, change=change)
        if status not in ENDED:
            yield f"{key}: {change} ended {status}"
        yield from (f"{key}: {what}" for what in verify(stage.place, swept=False).all())


def disk_full(run: Run, store: str, url: str | None) -> Row:
    """No file can grow beyond a size while a change is applied: any size, so that any write of it fails. Then there is
    room again."""
    row = Row("disk full", store)
    with staged(run, row.proof, url, hasty=True) as stage:
        sound, refused = stage.worker(), 0
        for number in range(LONG if run.long else BOUNDED):
            key = f"full-{number}"
            sound.ask("draft", key=key)
            digest = sound.ask("plan", key=key, change="launch")["digest"]
            cramped = stage.worker(limit=round(2 ** stage.rng.uniform(6, 22)))
            cramped.send("apply", digest=digest)
            answer = cramped.answer()
            refused += answer is None or answer.get("value", {}).get("status") != "applied"
            cramped.kill()
            row.faults.lost += _after_room(stage, sound, key, digest)
            row.repeats += 1
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    row.told = f"{refused} changes met it"
    return row


def _after_room(stage: Stage, sound: Any, key: str, digest: str) -> Iterator[str]:
    answer = sound.ask("apply", digest=digest)
    yield from (f"{key}: {what}" for what in verify(stage.place, [answer], swept=False).all())
    sound.ask("stop", key=key)


def upgrade(run: Run, store: str, url: str | None) -> Row:
    """The process dies within a launch, in a store as the last revision had it; four of today start on it at once."""
    row = Row(f"upgrade from {LAST_RELEASE} in flight", store)
    for name in ("gallery", "payload"):
        with staged(run, row.proof, url, hasty=True) as stage:
            digest = _left_behind(stage, "in-flight", name)
            stage.worker().ask("older", revision=LAST_RELEASE)
            _move_rows(stage)
            for worker in [stage.start() for _ in range(4)]:
                answer = worker.answer()
                if answer != {"value": "ready"}:
                    row.faults.lost.append(f"a start was answered with {answer}")
            row.faults.lost += _carried_on(stage, row, "in-flight", digest, days=PAST_THE_LEASE)
            row.faults.add(verify(stage.place))
            row.operations += len(read_store(stage.place).operations)
    return row


def _move_rows(stage: Stage) -> None:
    """Put the rows of today's store into the empty older one, and that one in its place."""
    old, new = stage.place.home / "older.db", stage.place.home / "crossfade.db"
    with closing(sqlite3.connect(old)) as database:
        database.execute("ATTACH ? AS today", (str(new),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        kept_by_triggers = ("live_", "experiment_search", "alembic", "sqlite_")
        for (table,) in database.execute(tables).fetchall():
            if table.startswith(kept_by_triggers):
                continue
            columns = ", ".join(f'"{row[1]}"' for row in database.execute(f"PRAGMA main.table_info({table})"))
            database.execute(f"DELETE FROM main.{table}")  # noqa: S608
            database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}")  # noqa: S608
        database.commit()
    for path in (new, *new.parent.glob("crossfade.db-*")):
        path.unlink()
    old.rename(new)
