"""The proofs by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .hardships import clock_jumps, disk_full, upgrade
from .kill_loop import kill_loop
from .killed_demo import killed_demo
from .races import first_starts, layer_race, one_key
from .servers import two_servers
from .sleepers import sleepers
from .stage import Run
from .step_faults import step_faults
from .table import Row

PROOFS: Mapping[str, Callable[[Run], list[Row]]] = {
    "kill-sqlite-1": lambda run: [kill_loop(run, "SQLite", None, 1)],
    "kill-sqlite-4": lambda run: [kill_loop(run, "SQLite", None, 4)],
    "kill-control": lambda run: [kill_loop(run, "SQLite", None, 1, control=True)],
    "steps-sqlite": lambda run: [step_faults(run, "SQLite", None)],
    "sleepers-sqlite": lambda run: [sleepers(run, "SQLite", None)],
    "sleepers-control": lambda run: [sleepers(run, "SQLite", None, control=True)],
    "layer-sqlite": lambda run: [layer_race(run, "SQLite", None)],
    "layer-control": lambda run: [layer_race(run, "SQLite", None, control=True)],
    "one-key-sqlite": lambda run: [one_key(run, "SQLite", None)],
    "first-starts-sqlite": lambda run: [first_starts(run, "SQLite", None)],
    "clock-sqlite": lambda run: [clock_jumps(run, "SQLite", None)],
    "disk-sqlite": lambda run: [disk_full(run, "SQLite", None)],
    "upgrade-sqlite": lambda run: [upgrade(run, "SQLite", None)],
    "demo": lambda run: [killed_demo(run)],
    "servers-sqlite": lambda run: [two_servers(run, "SQLite", None)],
    "servers-sqlite-http": lambda run: [two_servers(run, "SQLite", None, http=True)],
}
