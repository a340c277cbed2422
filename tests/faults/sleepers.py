"""A process is stopped in the middle of a launch, for longer than its lease. Another one finishes the launch and stops
the experiment; then the first wakes up, and must write nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from .kill_loop import usual_seconds
from .processes import Worker
from .stage import Run, Stage, staged
from .table import Row
from .verifier import document, read_store, verify

LEASE = 0.5
LATER = 10 / 86_400
"""Days that the clock of the others is ahead, so that nobody has to wait for a lease."""
BOUNDED, LONG = 12, 300
"""Stops at random instants."""
HELD = 3.0
"""Seconds after which who sleeps is woken, since it holds a lock that the others need."""
NO_GUARD = {"backend": "blind", "store": "unfenced"}


def sleepers(run: Run, store: str, url: str | None, *, control: bool = False) -> Row:
    """Stops right before each write, where a late one does most harm, and at random instants."""
    row = Row("SIGSTOP past the lease" + ", no guard" * control, store, control=control)
    with staged(run, row.proof, url, lease=LEASE, **(NO_GUARD if control else {})) as stage:
        usual, other = usual_seconds(stage), stage.worker(days=LATER)
        # One at a time: whoever sleeps may hold a lock that the next one needs.
        if control:  # one is enough: what it leaves behind blocks every later plan
            slept = _before_writes(stage, ["payload"])
        else:
            slept = chain(_before_writes(stage, ["gallery", "payload"]), _anywhere(run, stage, usual))
        for key, sleeper in slept:
            _overtake(stage, other, sleeper, key, row)
            sleeper.kill()
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    return row


def _before_writes(stage: Stage, documents: Sequence[str]) -> Iterator[tuple[str, Worker]]:
    for name in documents:
        key = f"asleep-{name}"
        sleeper = stage.worker(faults=[{"document": name, "how": "asleep", "only": "put"}])
        _begin(sleeper, key)
        sleeper.stopped()
        yield key, sleeper


def _anywhere(run: Run, stage: Stage, usual: float) -> Iterator[tuple[str, Worker]]:
    for number in range(LONG if run.long else BOUNDED):
        sleeper, key = stage.worker(), f"asleep-{number}"
        _begin(sleeper, key)
        if not sleeper.answers(within=stage.rng.uniform(0.0, usual)):
            sleeper.signal(signal.SIGSTOP)
            sleeper.stopped()
        yield key, sleeper


def _begin(sleeper: Worker, key: str) -> None:
    sleeper.ask("draft", key=key)
    sleeper.send("apply", digest=sleeper.ask("plan", key=key, change="launch")["digest"])


def _overtake(stage: Stage, other: Worker, sleeper: Worker, key: str, row: Row) -> None:
    other.send("stop", key=key)
    held = not other.answers(within=HELD)
    if held:
        sleeper.signal(signal.SIGCONT)
    answer = other.answer()
    before = _all(stage)
    sleeper.signal(signal.SIGCONT)
    told = sleeper.answer()
    if told is None:
        row.faults.lost.append(f"{key}: who woke up died")
    state = answer["value"]["state"] if answer is not None and "value" in answer else None
    if not held and state == "stopped" and _all(stage) != before:
        row.faults.double.append(f"{key}: who woke up has written")
    row.repeats += state == "stopped"
    if state != "stopped":  # it held a lock for too long, or had not begun yet
        state = other.ask("stop", key=key)["state"]
    if state not in ("stopped", "draft"):
        row.faults.lost.append(f"{key}: a stop ended {state}")


def _all(stage: Stage) -> Any:
    return read_store(stage.place), document(stage.place.flags), document(stage.place.texts)
