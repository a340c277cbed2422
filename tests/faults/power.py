"""The power fails at random moments while two processes work. What it can leave of the disk is made from a log of their
writes and syncs, and the product starts on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .power_disk import Disk, Lies, Record, read_log
from .processes import CATALOGUE, PATIENCE, Worker
from .stage import Run, Stage, staged
from .table import Row
from .verifier import ENDED, Faults, Place, read_store, verify

SOURCE = Path(__file__).with_name("power_record.c")
BOUNDED, LONG = 60, 1_000
"""Losses of power; a control ends with the first disk that lacks something, one of the first few."""
A_RUN = 200
"""Losses that are drawn from one log."""
LIVES = 5
"""Experiments that each process takes through their lives."""
LEASE = 0.4
LATER = 10 / 86_400
"""Days that the clock is ahead after a loss, so that nobody has to wait for a lease."""

LIES: dict[str, Lies] = {
    "no sync of SQLite's log": lambda sync: sync.path.endswith("-wal"),
    "no sync of the documents": lambda sync: sync.path.endswith(".tmp"),
    "no sync of folders": lambda sync: sync.op == "D",
}


def power_loss(run: Run) -> list[Row]:
    """A disk that keeps what was synced, and of all else what it likes."""
    row, losses = Row("power loss"), LONG if run.long else BOUNDED
    with _powered(run, row.proof) as stage:
        try:
            for done in range(0, losses, A_RUN):
                _lose_power(stage, _recorded(stage), min(A_RUN, losses - done), lambda sync: False, row)
        except LookupError as reason:
            return [Row(row.proof, not_run=str(reason.args[0]))]
    row.told = f"{losses} losses"
    return [row]


def power_controls(run: Run) -> list[Row]:
    """Disks on which one kind of sync does nothing."""
    rows = [Row(f"power loss, {name}", control=True) for name in LIES]
    with _powered(run, "power loss, controls") as stage:
        try:
            log = _recorded(stage)
        except LookupError as reason:
            return [Row(row.proof, not_run=str(reason.args[0])) for row in rows]
        for row, lies in zip(rows, LIES.values(), strict=True):
            row.told = f"{_lose_power(stage, log, BOUNDED, lies, row)} losses"
    return rows


@contextmanager
def _powered(run: Run, proof: str) -> Generator[Stage]:
    """A stage whose home is on the disk that loses power, in two folders that the product makes."""
    with staged(run, proof, lease=LEASE) as stage:
        stage.place = Place(stage.place.home / "disk/var/crossfade")
        yield stage


def _compiled(work: Path) -> Path:
    """The library that records.

    Raises:
        LookupError: this machine cannot make or use it.
    """
    if sys.platform != "linux":
        raise LookupError("it records calls of Linux")
    compiler = shutil.which("cc")
    if compiler is None:
        raise LookupError("no C compiler on this machine")
    library = work / "power_record.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-pthread"], check=True)
    return library


def _recorded(stage: Stage) -> list[Record]:
    """What two processes do that start where nothing is, and work at the same time.

    Raises:
        LookupError: this machine cannot record it.
    """
    disk = _disk(stage)
    log, library = disk.with_name("log"), _compiled(disk.parent)
    _empty(disk)
    log.write_bytes(b"")
    recording = {"LD_PRELOAD": str(library), "POWER_LOG": str(log), "POWER_DISK": str(disk)}
    orders = {"home": str(stage.place.home), "catalogue": str(CATALOGUE), "log": str(log), "lives": LIVES}
    command = [sys.executable, "-m", "tests.faults.power_worker"]
    processes = [
        subprocess.Popen([*command, json.dumps({**orders, **stage.orders, "name": name})], env=os.environ | recording)
        for name in ("one", "other")
    ]
    for process in processes:
        try:
            code = process.wait(2 * PATIENCE)
        finally:
            process.kill()
        assert code == 0, "a process that is recorded fails"
    return read_log(log)


def _disk(stage: Stage) -> Path:
    return stage.place.home.parent.parent


def _empty(disk: Path) -> None:
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()


def _lose_power(stage: Stage, log: Sequence[Record], losses: int, lies: Lies, row: Row) -> int:
    """How many disks were looked at: each after a random record, every other one right after a caller was told."""
    disk, known = Disk(lies), Known()
    told = [at for at, record in enumerate(log) if record.op == "A"]
    cuts = [stage.rng.choice(told) if at % 2 else stage.rng.randrange(len(log)) for at in range(losses)]
    done, looked = 0, 0
    for cut in sorted(cuts):
        for record in log[done : cut + 1]:
            known.hear(record) if record.op == "A" else disk.happen(record)
        done = max(done, cut + 1)
        _empty(_disk(stage))
        disk.leave(stage.rng)
        row.faults.add(_started_again(stage, known, row))
        looked += 1
        if row.control and row.faults.all():
            break
    return looked


@dataclass
class Known:
    """What the callers knew when the power failed."""

    drafted: list[str] = field(default_factory=list[str])
    asked: dict[str, str] = field(default_factory=dict[str, str])
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stopped: list[str] = field(default_factory=list[str])

    def hear(self, record: Record) -> None:
        what: dict[str, Any] = json.loads(record.data)
        if "drafted" in what:
            self.drafted.append(what["drafted"])
        elif "asked" in what:
            self.asked[what["key"]] = what["asked"]
        elif "answer" in what:
            self.answers.append(what["answer"])
            del self.asked[what["answer"]["key"]]
        else:
            self.stopped.append(what["stopped"]["key"])


def _started_again(stage: Stage, known: Known, row: Row) -> Faults:
    """What is wrong after a start on this disk; whoever got no answer repeats the call."""
    worker, faults = stage.start(days=LATER), Faults()
    try:
        ready = worker.answer()
        assert ready == {"value": "ready"}, f"a start was answered with {ready}"
        worker.ask("resume")
        again = _repeated(worker, known, row)
        for change in ("launch", "stop"):  # which also sweeps out what dead writers left beside a file
            again.append(stage.launch(worker, "sweeping", change))
        faults.add(verify(stage.place, [*known.answers, *again]))
        faults.lost += _lacking(stage, known)
        row.operations += len(read_store(stage.place).operations)
    except Exception as error:  # a product that cannot work on what is left has lost it
        faults.lost.append(f"after the loss: {error}")
    finally:
        worker.kill()
        stage.workers.remove(worker)
    return faults


def _repeated(worker: Worker, known: Known, row: Row) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for digest in known.asked.values():
        worker.send("apply", digest=digest)
        answer = worker.answer()
        row.repeats += 1
        assert answer is not None, "the process died of a repeat"
        if answer.get("error", {}).get("code") == "stale_plan":
            continue
        assert answer.get("value", {}).get("status") in ENDED, f"a repeat was answered with {answer}"
        answers.append(answer["value"])
    return answers


def _lacking(stage: Stage, known: Known) -> list[str]:
    states = read_store(stage.place).states
    drafts = [f"the draft {key} was acknowledged, and is not there" for key in known.drafted if key not in states]
    stops = [f"{key} was stopped, and is {states.get(key)}" for key in known.stopped if states.get(key) != "stopped"]
    return drafts + stops
