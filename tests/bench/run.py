"""Measure the server against a bare one of the SDK, side by side in one run (`make bench`). Never fails on a figure."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from saga import measure_applies
from scale import measure
from seeding import seed
from wire import Wire

CALL_ROUNDS, CALLS = 15, 20
START_ROUNDS = 9
LIVE = 1_000
FEW = 20
BARE = (sys.executable, str(Path(__file__).with_name("bare.py")))
OURS = (str(Path(sys.executable).with_name("crossfade")), "serve")
BRIEF: dict[str, Any] = {
    "surface": "home",
    "change": "Shelves of twelve items",
    "because": "Listeners swipe on when a shelf goes on",
    "variants": {"twelve": {"shelf_length": 12}},
    "success_metrics": {"minutes_played": None},
    "key": "shelves-of-twelve",
}

GOAL: dict[str, Any] = {"surface": "home", "metrics": {"minutes_played": None}}


@dataclass
class Row:
    """Figures of the bare server and of ours, a pair a round, so that what slows the machine slows both."""

    name: str
    unit: str
    goal: float | None
    bare: list[float] = field(default_factory=list[float])
    ours: list[float] = field(default_factory=list[float])

    def __str__(self) -> str:
        ratio = median(ours / bare for bare, ours in zip(self.bare, self.ours, strict=True))
        goal = "" if self.goal is None else f"<= {self.goal:g}x"
        verdict = "" if self.goal is None else "met" if ratio <= self.goal else "MISSED"
        bare, ours = f"{median(self.bare):,.2f}", f"{median(self.ours):,.2f}"
        return f"{self.name:46}{bare:>9}{ours:>9} {self.unit:3}{ratio:6.2f}x  {goal:8}{verdict}"


Subject = tuple[Row, Callable[[], float]]
"""What is measured, and one call of it, which gives its seconds."""


def measure_calls(bare: Wire, subjects: list[Subject]) -> None:
    """Rounds of a few calls each, of the bare server's and then of each subject's; a round counts as its median."""
    for _, call in subjects:
        call()
    for _ in range(CALL_ROUNDS):
        noop = median(bare.call("noop")[0] for _ in range(CALLS))
        for row, call in subjects:
            row.bare.append(noop * 1_000)
            row.ours.append(median(call() for _ in range(CALLS)) * 1_000)


def calls(homes: Path) -> list[Row]:
    few, spread, crowded = homes / "few", homes / "spread", homes / "crowded"
    seed(few, FEW)
    seed(spread, LIVE)
    seed(crowded, LIVE, ["home"])
    with Wire(BARE, homes) as bare, Wire(OURS, few) as small, Wire(OURS, spread) as large, Wire(OURS, crowded) as full:
        spec = ready_spec(small)

        def subject(name: str, goal: float | None, server: Wire, tool: str, **arguments: Any) -> Subject:
            return Row(name, "ms", goal), lambda: server.call(tool, **arguments)[0]

        subjects = [
            subject("find_surfaces, words", 2, small, "find_surfaces", query="home shelf order"),
            subject("find_experiments", 2, small, "find_experiments"),
            subject("get_experiment", 2, small, "get_experiment", key="seeded-00003"),
            subject(f"find_surfaces, {LIVE:,} live", None, large, "find_surfaces", query="home shelf order"),
            subject(f"find_experiments, {LIVE:,} live", None, large, "find_experiments"),
            subject(f"find_experiments by words, {LIVE:,} live", None, large, "find_experiments", query="listeners"),
            subject(f"get_experiment, {LIVE:,} live", None, large, "get_experiment", key="seeded-00003"),
            subject("estimate_sample_size", None, small, "estimate_sample_size", **GOAL),
            subject(f"validate_experiment, {FEW} live", None, small, "validate_experiment", spec=spec),
            subject("validate_experiment, sequential", None, small, "validate_experiment", spec=sequential(spec)),
            subject(f"validate_experiment, {LIVE:,} live", 4, large, "validate_experiment", spec=spec),
            subject(f"validate_experiment, {LIVE:,} live on its surface", None, full, "validate_experiment", spec=spec),
        ]
        measure_calls(bare, subjects)
    return [row for row, _ in subjects]


def sequential(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with a look a week, whose bounds have to be integrated once."""
    design = {**spec["design"], "kind": "group_sequential", "days": 28, "looks": [0.82, 0.92, 1]}
    return {**spec, "design": design}


def ready_spec(server: Wire) -> dict[str, Any]:
    server.call("create_experiment", **BRIEF)
    return server.call("get_experiment", key=BRIEF["key"], full=True)[1]["spec"]


def starts(homes: Path) -> list[Row]:
    """From starting the process to the answer to tools/list, and the memory it takes by then and a little later."""
    home = homes / "few"
    start = Row("start to tools/list", "ms", 1.5)
    listed = Row("memory after tools/list", "MB", 1.6)
    used = Row("memory after the first calls", "MB", 1.6)
    for _ in range(START_ROUNDS):
        with Wire(BARE, homes) as bare:
            bare.ask("tools/list")
            start.bare.append((time.perf_counter() - bare.begun) * 1_000)
            listed.bare.append(bare.resident)
            bare.call("noop")
            used.bare.append(bare.resident)
        with Wire(OURS, home) as ours:
            ours.ask("tools/list")
            start.ours.append((time.perf_counter() - ours.begun) * 1_000)
            listed.ours.append(ours.resident)
            ours.call("find_surfaces", query="home shelf order")
            ours.call("find_experiments")
            ours.call("get_experiment", key="seeded-00003")
            used.ours.append(ours.resident)
    return [start, listed, used]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        homes = Path(folder)
        print(f"{'stdio, medians of interleaved rounds':46}{'bare':>9}{'ours':>9}    {'ratio':>7}  goal")
        for row in calls(homes):
            print(row)
        for row in starts(homes):
            print(row)
        measure_applies(homes, BARE, OURS)
        measure(homes)


if __name__ == "__main__":
    main()
