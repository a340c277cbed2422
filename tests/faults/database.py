"""The PostgreSQL server of the tests, where this version of the application has such a store."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .processes import Answer
from .stage import Run, staged
from .table import Row
from .verifier import ENDED, read_store, verify

BOUNDED, LONG = 6, 30
Proof = Callable[[Run, str, str | None], Row]


def on_postgresql(name: str, proof: Proof) -> Callable[[Run], list[Row]]:
    """The proof on a new database; a row that proves nothing where there is none to be had."""

    def prove(run: Run) -> list[Row]:
        try:
            url = _database()
        except LookupError as reason:
            return [Row(name, "PostgreSQL", not_run=str(reason.args[0]))]
        return [proof(run, "PostgreSQL", url)]

    return prove


def _database() -> str:
    """The URL of an empty database.

    Raises:
        LookupError: the application has no such store, or the machine no such server.
    """
    settings: Any = importlib.import_module("crossfade.server.settings")
    if "database_url" not in settings.Settings.model_fields or find_spec("tests.postgresql") is None:
        raise LookupError("this version keeps its store in SQLite alone")
    server: Any = importlib.import_module("tests.postgresql")
    outcomes: Any = importlib.import_module("_pytest.outcomes")
    try:
        return server.postgresql_server().empty_database()
    except (outcomes.Skipped, outcomes.Failed) as missing:
        raise LookupError("no PostgreSQL server on this machine") from missing


class Server:
    """The server process behind a URL, found by what it says of itself, so that it can be stopped and started."""

    def __init__(self, url: str) -> None:
        self._psycopg: Any = importlib.import_module("psycopg")
        self._url = url
        with self._psycopg.connect(url) as database:
            folder = Path(database.execute("SHOW data_directory").fetchone()[0])
        self._file = folder / "postmaster.pid"
        process = Path(f"/proc/{self.pid}")
        self._command = process.joinpath("cmdline").read_text().split("\0")[:-1]
        self._owner = {"user": process.stat().st_uid, "group": process.stat().st_gid, "extra_groups": list[int]()}

    @property
    def pid(self) -> int:
        return int(self._file.read_text().splitlines()[0])

    def crash(self) -> None:
        """Stop at once, without a checkpoint, as after a crash; then start again, and wait until it serves."""
        os.kill(self.pid, signal.SIGQUIT)
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.geteuid() == 0:
            quiet.update(self._owner)
        deadline = time.monotonic() + 60
        process: subprocess.Popen[Any] = subprocess.Popen(self._command, **quiet)
        while time.monotonic() < deadline:
            if process.poll() is not None:  # the old one was there still
                process = subprocess.Popen(self._command, **quiet)
            with suppress(self._psycopg.OperationalError), self._psycopg.connect(self._url, connect_timeout=5):
                return
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        raise AssertionError("the server does not start again")


def immediate_stop(run: Run, store: str, url: str | None) -> Row:
    """The database crashes at random moments of a change; whoever called repeats the call."""
    row = Row("immediate stop", store)
    assert url is not None
    with staged(run, row.proof, url, hasty=True) as stage:
        worker, server, failed = stage.worker(), Server(url), 0
        for number in range(LONG if run.long else BOUNDED):
            key = f"crashed-{number}"
            worker.ask("draft", key=key)
            digest = worker.ask("plan", key=key, change="launch")["digest"]
            worker.send("apply", digest=digest)
            worker.answers(within=stage.rng.uniform(0.0, 0.15))
            server.crash()
            answer: Answer | None = worker.answer()
            failed += answer is None or "error" in answer
            again = worker.ask("apply", digest=digest)
            row.repeats += 1
            if again["status"] not in ENDED:
                row.faults.lost.append(f"{key}: the repeat ended {again['status']}")
            row.faults.add(verify(stage.place, [again], swept=False))
            worker.ask("stop", key=key)
        row.faults.add(verify(stage.place))
        row.operations = len(read_store(stage.place).operations)
    row.told = f"{failed} calls met it"
    return row
