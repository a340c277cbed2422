"""The demo is killed at a random moment. What it left is explained by the product as the SDK serves it, and the demo
started again comes to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from growthbook import GrowthBook

from .stage import Run, Stage, staged
from .table import Row
from .verifier import ENDED, Place, document, read_store

DEMO = [sys.executable, "-m", "crossfade.server.cli.main", "demo", "--yes"]
CATALOGUE = Path(__file__).parents[2] / "examples/streaming"
BOUNDED, LONG = 2, 50
UNITS = [f"user-{number}" for number in range(200)]
PAST_THE_LEASE = 1 / 1_440


def killed_demo(run: Run) -> Row:
    row = Row("demo killed and restarted")
    with staged(run, row.proof) as stage:
        usual = _whole(stage, row)
        left = Counter[str]()
        for _ in range(LONG if run.long else BOUNDED):
            demo = _at_work(stage)
            with suppress(subprocess.TimeoutExpired):
                demo.wait(stage.rng.uniform(0.0, usual / 2))
            with suppress(ProcessLookupError):
                os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()
            for home in stage.place.home.glob("crossfade-demo-*"):
                left[_explained(stage, home, row)] += 1
                home.rename(home.with_name(f"seen-{home.name}"))
        _whole(stage, row)
    row.told = ", ".join(f"{count} left {what}" for what, count in sorted(left.items()))
    return row


def _at_work(stage: Stage) -> subprocess.Popen[bytes]:
    """A demo that has come as far as to have a store."""
    environment = {**os.environ, "TMPDIR": str(stage.place.home)}
    quiet = subprocess.DEVNULL
    demo = subprocess.Popen(DEMO, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    while not list(stage.place.home.glob("crossfade-demo-*/crossfade.db")) and demo.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            demo.wait(0.01)
    return demo


def _whole(stage: Stage, row: Row) -> float:
    """Seconds that a demo which nobody kills takes from its store to its end."""
    demo = _at_work(stage)
    began = time.perf_counter()
    code = demo.wait(120)
    if code != 0:
        row.faults.lost.append(f"a demo that nobody killed ended with {code}")
    return time.perf_counter() - began


def _explained(stage: Stage, home: Path, row: Row) -> str:
    """Let the product go on in the home of a demo that is gone, and tell what is there; then hold that against the
    SDK."""
    if not (home / "crossfade.db").exists():
        return "no store"
    # Its server may live still, and end by itself: whoever is late is fenced.
    worker = stage.worker(home=str(home), catalogue=str(CATALOGUE), days=PAST_THE_LEASE)
    worker.ask("resume")
    told: dict[str, Any] = worker.ask("explain", units=UNITS, attribute="user_id")
    worker.kill()
    kept = read_store(Place(home))
    row.operations += len(kept.operations)
    row.faults.lost += [f"an operation is {each['status']}" for each in kept.operations if each["status"] not in ENDED]
    payload = document(home / "delivery/production/growthbook.json")
    served = _served(payload)
    row.faults.orphans += [f"{key} is served, and the product does not know it" for key in served.keys() - told.keys()]
    for key, units in told.items():
        if kept.states[key] != units.pop("state"):
            row.faults.lost.append(f"{key} is {kept.states[key]}, and the product says otherwise")
        wrong = [unit for unit, variant in units.items() if served.get(key, {}).get(unit) != variant]
        if wrong:
            row.faults.lost.append(f"{key}: of {len(wrong)} units the product says what they do not get")
    return " and ".join(sorted(kept.states.values())) or "no experiment"


def _served(payload: dict[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    sdk = GrowthBook()
    sdk.set_payload(payload)
    for unit in UNITS:
        sdk.set_attributes({"user_id": unit})
        for name in payload.get("features", {}):
            got = sdk.eval_feature(name)
            if got.experiment is not None and got.experimentResult is not None:
                found.setdefault(got.experiment.key, {})[unit] = got.experimentResult.key
    return found
