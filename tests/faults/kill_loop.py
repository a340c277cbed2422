"""Processes that carry changes out are killed at random instants, again and again, and whoever called them repeats
the call, or never comes back and leaves it to the others."""

from __future__ import annotations

import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .processes import Worker
from .stage import Run, Stage, staged
from .table import Row
from .verifier import ENDED, Faults, read_store, verify

LEASE = 0.4
BOUNDED, CONTROL, LONG = 60, 6_000, 1_000
"""Kills; a control ends with the first double, which once took 410 and usually takes a few dozen."""
ROUNDS = 6
"""Times that the dust settles in between, and what there is is looked at; a lone caller looks after each change."""
NEXT = {"": "launch", "draft": "launch", "running": "pause", "paused": "resume", "resumed": "stop"}


@dataclass
class Tally:
    """What all callers of a loop have seen together."""

    usual: float
    alone: bool
    control: bool
    wanted: int = 0
    kills: int = 0
    repeats: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    abandoned: list[str] = field(default_factory=list[str])
    faults: Faults = field(default_factory=Faults)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller:
    """Takes one experiment after another through its life, with a process of its own, until enough were killed."""

    def __init__(self, stage: Stage, name: str, tally: Tally) -> None:
        self._name = name
        self._stage = stage
        self._tally = tally
        self._rng = random.Random(f"{stage.rng.random()} {name}")
        self._worker: Worker | None = None
        self._lives = 0
        self._key = ""
        self._at = ""

    def work(self) -> None:
        while self._tally.kills < self._tally.wanted and not (self._tally.control and self._tally.faults.double):
            self._change()

    def _change(self) -> None:
        """One change of the present experiment, or of a new one after the last has stopped."""
        if not self._at:
            self._lives += 1
            self._key = f"guide-{self._name}-{self._lives}"
            self._calmly("draft", key=self._key)
        change = NEXT[self._at]
        digest = self._calmly("plan", key=self._key, change=change)["digest"]
        if digest is None:  # the layer is full of what others abandoned
            self._clear_away()
            return
        answer = self._apply(digest)
        if answer is None:
            with self._tally.lock:
                self._tally.abandoned.append(self._key)
            self._at = ""
            return
        if answer["status"] == "applied":
            self._at = {"launch": "running", "pause": "paused", "resume": "resumed", "stop": ""}[change]
        if self._rng.random() < 0.05:
            self._clear_away()

    def _apply(self, digest: str) -> dict[str, Any] | None:
        """The answer to an apply, however many processes die of it; None when the caller gave up, or the plan was stale
        and is to be made anew."""
        tried = 0
        while True:
            tried += 1
            answer = self._armed("apply", digest=digest)
            if answer is None:
                if self._rng.random() < 0.12:
                    return None
                continue
            if "value" in answer:
                return self._noted(answer["value"], tried, digest)
            if answer["error"]["code"] == "stale_plan":
                return {"status": "stale"}
            if not answer["error"].get("retryable"):
                raise AssertionError(answer)

    def _noted(self, value: dict[str, Any], tried: int, digest: str) -> dict[str, Any]:
        assert value["status"] in ENDED, value
        again = self._calmly("apply", digest=digest) if self._rng.random() < 0.2 else None
        with self._tally.lock:
            self._tally.repeats += tried - 1 + (again is not None)
            self._tally.answers += [value] if again is None else [value, again]
        if self._tally.alone and not self._tally.abandoned:
            self._tally.faults.add(verify(self._stage.place, [value], swept=False))
        return value

    def _armed(self, do: str, **asked: Any) -> dict[str, Any] | None:
        """The answer, unless the process is killed before it comes: at any instant of the time that a change takes."""
        worker = self._alive()
        worker.send(do, **asked)
        if self._rng.random() < 0.2:
            return self._answered(worker)
        try:
            return worker.answer(within=self._rng.uniform(0.0, self._tally.usual))
        except TimeoutError:
            worker.kill()
            with self._tally.lock:
                self._tally.kills += 1
            self._worker = None
            return None

    def _answered(self, worker: Worker) -> dict[str, Any] | None:
        answer = worker.answer()
        assert answer is not None, "a process died that nobody killed"
        return answer

    def _calmly(self, do: str, **asked: Any) -> Any:
        return self._alive().ask(do, **asked)

    def _alive(self) -> Worker:
        if self._worker is None:
            self._worker = self._stage.worker()
            if self._rng.random() < 0.5:
                self._worker.ask("resume")
        return self._worker

    def _clear_away(self) -> None:
        """The kill switch for what was abandoned."""
        with self._tally.lock:
            found, self._tally.abandoned = self._tally.abandoned, []
        for key in found:
            with suppress(AssertionError):
                self._calmly("stop", key=key)


def usual_seconds(stage: Stage) -> float:
    """How long an apply takes here and now."""
    worker, taken = stage.worker(), list[float]()
    for number in range(3):
        worker.ask("draft", key=f"measured-{number}")
        for change in ("launch", "pause", "resume", "stop"):
            digest = worker.ask("plan", key=f"measured-{number}", change=change)["digest"]
            began = time.perf_counter()
            worker.ask("apply", digest=digest)
            taken.append(time.perf_counter() - began)
    worker.kill()
    return statistics.quantiles(taken, n=10)[-1]


def kill_loop(run: Run, store: str, url: str | None, callers: int, *, control: bool = False) -> Row:
    """Kill and repeat, as the head of this file says."""
    name = f"kill -9, {callers} process{'es' if callers > 1 else ''}"
    row = Row(f"{name}, no guard" if control else name, store, control=control)
    broken: dict[str, Any] = {"backend": "appending"} if control else {}
    with staged(run, row.proof, url, lease=LEASE, **broken) as stage:
        tally = Tally(usual_seconds(stage), callers == 1, control)
        wanted = CONTROL if control else LONG if run.long else BOUNDED
        people = [Caller(stage, str(number), tally) for number in range(callers)]
        for turn in range(1, ROUNDS + 1):
            tally.wanted = wanted * turn // ROUNDS
            with ThreadPoolExecutor(callers) as pool:
                for done in [pool.submit(caller.work) for caller in people]:
                    done.result()
            settle(stage, tally, turn)
            tally.faults.add(verify(stage.place, tally.answers))
        row.operations = len(read_store(stage.place).operations)
    row.repeats, row.faults = tally.repeats, tally.faults
    row.told = f"{tally.kills} kills, each within {tally.usual * 1000:.0f} ms of a call"
    return row


def settle(stage: Stage, tally: Tally, turn: int) -> None:
    """Let another process go on with what was left, without a wait for the leases; then write each file once more,
    which sweeps out what dead writers left there."""
    worker = stage.worker(days=10 / 86_400)
    worker.ask("resume")
    for key in tally.abandoned:
        worker.send("stop", key=key)
        worker.answer()
    tally.abandoned.clear()
    for change in ("launch", "stop"):
        tally.answers.append(stage.launch(worker, f"sweeping-{turn}", change))
    worker.kill()
