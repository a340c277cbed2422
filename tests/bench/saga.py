"""What an apply costs: over stdio against the bare call, inside against its backends, and 32 writers in one layer."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from seeding import pattern
from wire import Wire

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import Conflict
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Change
from crossfade.core.model.plan import BUCKETS, BucketRange
from crossfade.core.planning.buckets import layer_name
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

CATALOGUE = Path(__file__).parents[1] / "e2e" / "museum_catalogue"
"""One with no days on which a launch is refused."""
CYCLES = 20
KEY = "guide-first"
BRIEF = {
    "key": KEY,
    "surface": "gallery",
    "change": "The audio guide comes first",
    "because": "Visitors do not find the guide",
    "variants": {"guide": {"guide_first": True}},
    "success_metrics": {"ticket_rate": None},
    "allocation": 0.3,
}
WRITERS, TURNS, EACH = 32, 10, 10
"""Threads, tries of each, and the buckets that each try asks for."""
ACCEPTED, BEYOND, WAIT_MS = 3, 1.5, 50


def agreed(app: Crossfade, change: Change) -> str:
    """A plan that somebody has said yes to."""
    plan = app.plan_change(KEY, change)
    assert plan.digest is not None, [finding.code for finding in plan.findings]
    app.approve(plan.digest, approved=True, assurance="terminal", by="bench")
    return plan.digest


def applies(home: Path, bare: Wire, ours: Wire) -> None:
    """Resumes, which write content and open traffic, each after a pause. The bare call comes once before each: both
    servers have rested as long, and what rested runs slower."""
    app = build(Settings(home=home, catalogue=CATALOGUE), "bench")
    app.create_experiment(Brief.read(BRIEF))
    app.apply_plan(agreed(app, "launch"))
    ours.call("find_experiments")
    accepted, ratios, beyond = list[float](), list[float](), list[float]()
    for _ in range(CYCLES):
        app.apply_plan(agreed(app, "pause"))
        digest = agreed(app, "resume")
        noop, _ = bare.call("noop")
        kept, took, answer = ours.heard("apply_plan", digest=digest)
        assert answer["status"] == "applied"
        accepted.append(kept / noop)
        ratios.append(took / noop)
        with app.dependencies.store.read() as view:
            done = view.operation_of(digest)
        assert done is not None
        assert done.seconds is not None
        backends = sum(step.backend for step in done.steps)
        beyond.append((done.seconds - backends) / backends)
    told("apply_plan until it is accepted, against a bare call", accepted, ACCEPTED)
    told("apply_plan of two steps, against a bare call", ratios)
    told("the saga beyond its backends, against these", beyond, BEYOND)


def told(name: str, ratios: list[float], goal: float | None = None) -> None:
    verdict = "" if goal is None else f"  <= {goal:g}x  {'met' if median(ratios) <= goal else 'MISSED'}"
    print(f"{name:58}{'':10}{median(ratios):6.2f}x{verdict}")


def writers(home: Path) -> None:
    """32 threads that take buckets of one layer at once."""
    app = build(Settings(home=home), "bench")
    store = app.dependencies.store
    found = pattern(app, "home", "content")
    layer = layer_name("production", "home", "content")
    now = app.dependencies.clock.now()
    waits: list[float] = []
    taken: list[tuple[int, int]] = []
    with store.write() as tx:
        for writer in range(WRITERS):
            tx.insert_experiment(found.model_copy(update={"key": f"racer-{writer:02}"}))

    def race(writer: int) -> None:
        for turn in range(TURNS):
            lo = (turn * 7 + writer // 2) * EACH % (BUCKETS // 10)  # two threads want the same
            begun = time.perf_counter()
            try:
                with store.write() as tx:
                    tx.hold(layer, [BucketRange(lo=lo, hi=lo + EACH)], f"racer-{writer:02}", None, now)
                taken.append((lo, lo + EACH))
            except Conflict:
                pass
            waits.append((time.perf_counter() - begun) * 1_000)

    threads = [threading.Thread(target=race, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    doubles = sum(one[1] > other[0] for one, other in pairwise(taken))
    last = quantiles(waits, n=100)[98]
    verdict = "met" if last <= WAIT_MS and not doubles else "MISSED"
    print(
        f"{WRITERS} writers of one layer: {len(taken)} ranges, {doubles} doubles, median {median(waits):.1f} ms, "
        f"p99 {last:.1f} ms  <= {WAIT_MS} ms {verdict}"
    )


def measure_applies(homes: Path, bare_command: tuple[str, ...], our_command: tuple[str, ...]) -> None:
    home = homes / "applies"
    home.mkdir(parents=True)
    (home / "crossfade.toml").write_text(f'catalogue = "{CATALOGUE}"\n')
    with Wire(bare_command, homes) as bare, Wire(our_command, home) as ours:
        applies(home, bare, ours)
    writers(homes / "racers")


if __name__ == "__main__":
    import tempfile

    from run import BARE, OURS

    with tempfile.TemporaryDirectory() as folder:
        measure_applies(Path(folder), BARE, OURS)
