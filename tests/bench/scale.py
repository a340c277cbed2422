"""Many live experiments: what it costs a draft to be told of its neighbours, and a launch to find its buckets.

Inside the process, because the figures are of parts of a call. Experiments are written by SQL alone, as the store would
have them: through the port, a hundred thousand would take minutes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from seeding import pattern

from crossfade.adapters.store.store import SqlStore
from crossfade.core.app.cases import among_neighbours, examine
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.remembering import precedents
from crossfade.core.checks.engine import Case
from crossfade.core.model.plan import BucketRange
from crossfade.core.planning.buckets import layer_name, propose
from crossfade.core.planning.compile import assignment_of
from crossfade.core.planning.dry_run import dry_run
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 25
GOAL_MS = 5.0
"""For the neighbours among 10,000 live experiments."""
COUNTRIES = ("US", "BR", "MX", "IN", "GB", "DE", "ID", "FR", "ES", "IT")
IDEAS = ("Shorter", "Longer", "Calmer", "Brighter", "Bolder", "Simpler", "Richer", "Faster", "Slower", "Quieter")


def audiences() -> list[str]:
    """A hundred audiences of ordinary shapes, as JSON texts."""
    shapes: list[dict[str, Any]] = [{}]
    shapes += [{"country": [one, other]} for one, other in product(COUNTRIES, COUNTRIES) if one < other]
    shapes += [{"country": one, "is_premium": premium} for one in COUNTRIES for premium in (True, False)]
    shapes += [{"app_version": {"gte": f"8.{number}.0"}} for number in range(34)]
    return [json.dumps(each, separators=(",", ":")) for each in shapes]


def crowd(app: Crossfade, live: int) -> None:
    """Experiments in every layer of the catalogue, a range of one bucket each while there are any."""
    store = app.dependencies.store
    assert isinstance(store, SqlStore)
    catalogue = app.dependencies.catalogue.current()
    places = [(surface, name) for surface, each in catalogue.surfaces.items() for name in each.parameters]
    everyone = audiences()
    rows: list[dict[str, Any]] = []
    for number in range(live):
        surface, name = places[number % len(places)]
        layer = catalogue.surfaces[surface].parameters[name].layer
        rows.append(
            {
                "key": f"crowd-{number:06}",
                "name": f"{IDEAS[number % 10]} {name} {number}",
                "surface": surface,
                "layer": layer,
                "place": f"production/{surface}/{layer}",
                "touched": json.dumps([name]),
                "audience": everyone[number * 7 % len(everyone)],
                "lo": number // len(places) * 3 % 10_000,
                "because": f"Reason {number % 97} of {number % 89}",
                "until": f"2026-12-{1 + number % 28:02}",
            }
        )
    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(
            "INSERT INTO experiment VALUES (:key, 1, 'running', :name, :surface, :layer, 'production', 'crowd', "
            ":touched, :audience, '2026-11-01T00:00:00.000000+00:00')",
            rows,
        )
        raw.executemany(
            "INSERT INTO experiment_text (key, names, hypothesis, details, surface) "
            "VALUES (:key, :name, :because, :touched, :surface)",
            rows,
        )
        raw.executemany(
            "INSERT OR IGNORE INTO bucket_range (layer, lo, hi, experiment, until, taken_at) "
            "SELECT :place, :lo, :lo + 1, :key, :until, '2026-11-01T00:00:00.000000+00:00' WHERE NOT EXISTS "
            "(SELECT 1 FROM bucket_range WHERE layer = :place AND lo = :lo)",
            rows,
        )
        raw.execute("COMMIT")


def case_of(app: Crossfade) -> Case:
    """A draft of Home's ranking, whose parameters share a component with those of two other surfaces."""
    record = pattern(app, "home", "ranking")
    with app.dependencies.store.read() as view:
        case, _ = examine(app.dependencies, app.dependencies.catalogue.current(), view, record.key, record.document)
    assert case is not None
    audience: dict[str, Any] = {"country": ["SE", "DE", "US"]}
    return replace(case, spec=case.spec.model_copy(update={"audience": audience}))


def costs(app: Crossfade) -> dict[str, float]:
    """What -> median milliseconds."""
    case = case_of(app)
    layer = layer_name(case.spec.environment, case.spec.surface, case.spec.layer)
    later = case.spec.model_copy(
        update={"schedule": case.spec.schedule.model_copy(update={"start": case.today + timedelta(days=7)})}
    )
    with app.dependencies.store.read() as view:
        planned = replace(case, spec=later)
        return {
            "neighbours": timed(lambda: among_neighbours(view, case)),
            "neighbours of a start in a week": timed(lambda: among_neighbours(view, planned)),
            "precedents": timed(lambda: precedents(view, case)),
            "proposal of buckets": timed(lambda: propose(view.held(layer), 500)),
        } | outside(app, case, layer)


def outside(app: Crossfade, case: Case, layer: str) -> dict[str, float]:
    """What has transactions of its own."""
    store, now = app.dependencies.store, app.dependencies.clock.now()
    with store.read() as view:
        ranges = propose(view.held(layer), 20) or []
    document = case.spec.model_dump(mode="json", exclude_none=True)

    def take() -> None:
        with store.write() as tx:
            tx.hold(layer, ranges, case.key, None, now)
            tx.release(case.key, now)

    return {
        "take and release of buckets, durable": timed(take),
        "validate_experiment": timed(lambda: app.validate_experiment(document)),
        "find_surfaces": timed(lambda: app.find_surfaces("home shelf order")),
        "find_experiments by words": timed(lambda: app.find_experiments("calmer shelf order")),
    }


def timed(call: Callable[[], object]) -> float:
    call()
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1_000)
    return median(taken)


def trial(app: Crossfade) -> dict[str, float]:
    """The dry run of a launch, by the allocation that it tries."""
    case = case_of(app)
    tries: dict[str, float] = {}
    for share in (0.1, 1.0):
        assignment = assignment_of(
            case.key,
            case.spec,
            case.catalogue,
            case.production,
            ranges=[BucketRange(lo=0, hi=round(share * 10_000))],
            launch=1,
            coverage=1.0,
            on=case.today,
            previews={},
        )
        holdouts = case.catalogue.holdouts_of("home", case.today)
        tries[f"dry run of 10,000 units, allocation {share:g}"] = timed(
            lambda made=assignment, kept=holdouts: dry_run(made, [], kept)
        )
    return tries


def measure(homes: Path) -> None:
    """Print a table of milliseconds by number of live experiments."""
    columns: list[dict[str, float]] = []
    for live in SIZES:
        app = build(Settings(home=homes / f"crowd-{live}"), "bench")
        crowd(app, live)
        columns.append(costs(app))
    print(
        f"\n{'in the process, median ms, live experiments:':46}" + "".join(f"{live:>10,}" for live in SIZES) + "  goal"
    )
    for what in columns[0]:
        verdict = ""
        if what == "neighbours":
            met = "met" if columns[1][what] <= GOAL_MS else "MISSED"
            verdict = f"  <= {GOAL_MS:g} at {SIZES[1]:,}: {met}"
        print(f"{what:46}" + "".join(f"{column[what]:10.2f}" for column in columns) + verdict)
    for what, taken in trial(build(Settings(home=homes / "crowd-trial"), "bench")).items():
        print(f"{what:46}{taken:10.2f}")
