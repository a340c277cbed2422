"""A process that runs the real application and kills itself at a chosen event.

Run as a program it is a nursery: for each line of JSON on stdin it forks a child that does what the line asks, and
answers with the events that the child lived through, how it ended, and what it answered.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from crossfade.adapters.store.store import SqlStore
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed, CrossfadeError
from crossfade.core.model.brief import Brief
from crossfade.core.ports.backend import Backend, Probe
from crossfade.core.ports.store import Store, Writer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build


class Events:
    """Tells each event on a pipe as it happens, and dies at the one numbered `last` (from 1)."""

    def __init__(self, tell: Callable[[str], None], last: int | None) -> None:
        self._tell = tell
        self._last = last
        self._count = 0

    def happen(self, name: str) -> None:
        self._count += 1
        self._tell(name)
        if self._count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore:
    """A store whose write transactions are events: before they begin, before they commit, and after."""

    def __init__(self, inner: Store, events: Events) -> None:
        self._inner = inner
        self._events = events

    def read(self) -> Any:
        return self._inner.read()

    @contextmanager
    def write(self) -> Generator[Writer]:
        self._events.happen("before journal")
        with self._inner.write() as tx:
            yield tx
            self._events.happen("uncommitted journal")
        self._events.happen("after journal")


class Around:
    """A backend that does what the one inside does."""

    def __init__(self, inner: Backend) -> None:
        self.kind = inner.kind
        self.local_paths = inner.local_paths
        self.promises = inner.promises
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def location(self, settings: JsonObject) -> str | None:
        return self._inner.location(settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return self._inner.problems(settings)

    def probe(self, settings: JsonObject) -> Probe:
        return self._inner.probe(settings)

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        return self._inner.read(settings, document, entry)

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        self._inner.write(settings, document, entry, **change)


class MortalBackend(Around):
    """A backend whose writes are events; it refuses to change the entries of a document in `refused`."""

    def __init__(self, inner: Backend, events: Events, refused: list[str]) -> None:
        super().__init__(inner)
        self._events = events
        self._refused = refused

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        self._events.happen(f"before {document}")
        if document in self._refused and change["after"] is not None:
            raise BackendFailed("This document takes nothing more.")
        super().write(settings, document, entry, **change)
        self._events.happen(f"after {document}")


class FrozenClock:
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def sleep(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Life:
    """How one child ended."""

    events: list[str]
    killed: bool
    answer: Any


class Nursery:
    """Children of one warm process, so that each costs milliseconds rather than the imports."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, act: str, home: Path, catalogue: Path, now: datetime, **more: object) -> Life:
        """Let a child `act` ("apply", "stop", "resume" or "preview"); `die_at` is the number of its last event."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        where = {"home": str(home), "catalogue": str(catalogue), "url": os.environ.get("CROSSFADE_DATABASE_URL")}
        asked = {"act": act, **where, "now": now.isoformat(), **more}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Life(told["events"], told["signal"] == signal.SIGKILL, told["answer"])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


def _mortal(asked: dict[str, Any], events: Events) -> Crossfade:
    settings = Settings(
        home=Path(asked["home"]),
        database_url=asked["url"],
        catalogue=Path(asked["catalogue"]),
        lease_seconds=asked.get("lease", 15.0),
    )
    whole = build(settings, "nursery", FrozenClock(datetime.fromisoformat(asked["now"]))).dependencies
    assert isinstance(whole.store, SqlStore)
    refused: list[str] = asked.get("refused", [])
    return Crossfade(
        replace(
            whole,
            store=MortalStore(whole.store, events),
            backends={kind: MortalBackend(each, events, refused) for kind, each in whole.backends.items()},
        )
    )


def _act(app: Crossfade, asked: dict[str, Any]) -> object:
    if asked["act"] == "apply":
        return app.apply_plan(asked["digest"]).model_dump(mode="json")
    if asked["act"] == "stop":
        return app.stop(asked["key"]).model_dump(mode="json")
    if asked["act"] == "preview":
        return app.preview(asked["key"], asked["variant"], asked["units"], "curator").model_dump(mode="json")
    return [operation.status for operation in app.resume_abandoned()]


def _child(asked: dict[str, Any], pipe: IO[str]) -> None:
    def tell(what: str, value: object) -> None:
        pipe.write(json.dumps({what: value}) + "\n")
        pipe.flush()

    app = _mortal(asked, Events(lambda name: tell("event", name), asked.get("die_at")))
    try:
        tell("answer", _act(app, asked))
    except CrossfadeError as error:
        tell("answer", error.as_dict())


def _bear(asked: dict[str, Any]) -> dict[str, object]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            with os.fdopen(writing, "w") as pipe:
                _child(asked, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(pid, 0)
    answers = [line["answer"] for line in told if "answer" in line]
    return {
        "events": [line["event"] for line in told if "event" in line],
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "answer": answers[0] if answers else None,
    }


def _warm_up() -> None:
    """Import and build what the children will need, by going through what they do."""
    with tempfile.TemporaryDirectory() as home:
        catalogue = Path(__file__).with_name("museum_catalogue")
        app = build(Settings(home=Path(home), database_url=None, catalogue=catalogue), "nursery")
        asked: dict[str, object] = {
            "surface": "gallery",
            "change": "Warm up",
            "because": "Imports take time",
            "variants": {"guide": {"guide_first": True}},
            "success_metrics": "ticket_rate",
        }
        digest = app.plan_change(str(app.create_experiment(Brief.read(asked)).key), "launch").digest or ""
        app.approve(digest, approved=True, assurance="terminal", by="nursery")
        app.apply_plan(digest)
        assert isinstance(app.dependencies.store, SqlStore)
        app.dependencies.store.close()


def main() -> None:
    _warm_up()
    for line in sys.stdin:
        print(json.dumps(_bear(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
