"""Where a proof takes place: a home of its own, a store, and the workers in it."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .processes import CATALOGUE, Worker
from .verifier import Place


@dataclass(frozen=True)
class Run:
    """What the command was asked for: the long form or the bounded one, and the seed of all that is random."""

    long: bool
    seed: int

    def random(self, of: str) -> random.Random:
        return random.Random(f"{self.seed} {of}")


@dataclass
class Stage:
    place: Place
    rng: random.Random
    orders: dict[str, Any] = field(default_factory=dict[str, Any])
    workers: list[Worker] = field(default_factory=list[Worker])

    def worker(self, **orders: Any) -> Worker:
        """A worker that stands ready."""
        worker = self.start(**orders)
        answer = worker.answer()
        assert answer == {"value": "ready"}, answer
        return worker

    def start(self, **orders: Any) -> Worker:
        """A worker whose first answer tells whether it stands."""
        where = {"home": str(self.place.home), "catalogue": str(CATALOGUE), "url": self.place.url}
        worker = Worker(**{**where, **self.orders, **orders})
        self.workers.append(worker)
        return worker

    def launch(self, worker: Worker, key: str, change: str = "launch") -> dict[str, Any]:
        """Plan and apply a change; a launch is drafted first."""
        if change == "launch":
            worker.ask("draft", key=key)
        return worker.ask("apply", digest=worker.ask("plan", key=key, change=change)["digest"])


@contextmanager
def staged(run: Run, proof: str, url: str | None = None, **orders: Any) -> Generator[Stage]:
    """A stage whose home goes when the block ends, with every worker that is left."""
    home = Path(tempfile.mkdtemp(prefix="crossfade-faults-"))
    stage = Stage(Place(home, url), run.random(proof), orders)
    try:
        yield stage
    finally:
        for worker in stage.workers:
            worker.kill()
        shutil.rmtree(home, ignore_errors=True)
