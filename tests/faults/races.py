"""Many callers at once: for one layer, with one key, and on a machine where nothing is there yet."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from .processes import Worker
from .stage import Run, staged
from .table import Row
from .verifier import Faults, Place, read_store, verify

PROCESSES, THREADS = 8, 8
SHARE, WINNERS = 0.25, 4
CALLS = 100
OFFER = {
    "surface": "desk",
    "change": "The guide is sold with the ticket",
    "because": "Few visitors find the guide at the desk",
    "variants": {"bundled": {"bundle": True}},
    "allocation": SHARE,
}


def layer_race(run: Run, store: str, url: str | None, *, control: bool = False) -> Row:
    """64 agents want a quarter of one layer each: four get it, and the others are told that it is full."""
    row = Row("64 agents, one layer" + ", no guard" * control, store, control=control)
    with staged(run, row.proof, url) as stage:
        workers = [stage.worker() for _ in range(PROCESSES)]
        keys = [[f"agent-{at}-{number}" for number in range(THREADS)] for at in range(PROCESSES)]
        if control:
            _drop_guard(stage.place)
        _together(workers, [[{"do": "draft", "key": key, "more": OFFER} for key in mine] for mine in keys])
        answers = _together(workers, [[{"do": "race", "key": key} for key in mine] for mine in keys])
        outcomes = Counter(answer.get("value", str(answer)) for answer in answers)
        if outcomes != {"applied": WINNERS, "full": PROCESSES * THREADS - WINNERS} and not control:
            row.faults.lost.append(f"the agents were told {dict(outcomes)}")
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    return row


def one_key(run: Run, store: str, url: str | None) -> Row:
    """100 calls create one draft, then 100 apply one plan: one is made, one is done, and all get the same answer."""
    row = Row("100 calls, one key", store)
    with staged(run, row.proof, url) as stage:
        workers = [stage.worker() for _ in range(4)]
        each = CALLS // len(workers)
        drafts = _together(workers, [[{"do": "draft", "key": "guide-first"}] * each for _ in workers])
        digest = workers[0].ask("plan", key="guide-first", change="launch")["digest"]
        applied = _together(workers, [[{"do": "apply", "digest": digest}] * each for _ in workers])
        _judge_same(drafts, "version", row.faults)
        _judge_same(applied, "operation", row.faults)
        row.faults.add(verify(stage.place, [answer["value"] for answer in applied if "value" in answer]))
        row.operations, row.repeats = len(read_store(stage.place).operations), 2 * CALLS - 2
    return row


def first_starts(run: Run, store: str, url: str | None) -> Row:
    """8 processes start at once where no store is; each makes an experiment and launches it."""
    row = Row("8 simultaneous first starts", store)
    with staged(run, row.proof, url) as stage:
        workers = [stage.start() for _ in range(8)]
        for number, worker in enumerate(workers):
            answer = worker.answer()
            if answer != {"value": "ready"}:
                row.faults.lost.append(f"start {number} was answered with {answer}")
        more = {**OFFER, "allocation": 0.1}
        calls = [[{"do": "draft", "key": f"first-{at}", "more": more}] for at in range(len(workers))]
        drafts = _together(workers, calls)
        row.faults.lost += [f"a first draft was answered with {answer}" for answer in drafts if "error" in answer]
        answers = _together(workers, [[{"do": "race", "key": f"first-{at}"}] for at in range(len(workers))])
        row.faults.lost += [f"a first launch ended {each}" for each in answers if each.get("value") != "applied"]
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    return row


def _together(workers: list[Worker], calls: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The answers to all calls, which the processes begin at the same time, each call in a thread."""
    for worker, mine in zip(workers, calls, strict=True):
        worker.send("together", calls=mine)
    found: list[dict[str, Any]] = []
    for worker in workers:
        answer = worker.answer(within=240.0)
        assert answer is not None, "a process died that nobody killed"
        found += answer["value"]
    return found


def _judge_same(answers: list[dict[str, Any]], name: str, faults: Faults) -> None:
    outcomes = Counter(str(answer.get("value", {}).get(name, answer.get("error"))) for answer in answers)
    faults.lost += [str(answer["error"]) for answer in answers if "error" in answer]
    if len(outcomes) > 1:
        faults.double.append(f"calls with one key were answered with {dict(outcomes)}")


def _drop_guard(place: Place) -> None:
    with closing(sqlite3.connect(place.home / "crossfade.db")) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'bucket_range_apart%'").fetchall()
        assert triggers, "there is a guard to drop"
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
