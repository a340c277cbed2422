"""The proofs by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from .backend_matrix import SUBJECTS, backend_matrix
from .database import Proof, immediate_stop, on_postgresql
from .hardships import clock_jumps, disk_full, upgrade
from .kill_loop import kill_loop
from .killed_demo import killed_demo
from .power import power_controls, power_loss
from .races import first_starts, layer_race, one_key
from .servers import two_servers
from .sleepers import sleepers
from .stage import Run
from .step_faults import step_faults
from .table import Row


def _on_sqlite(proof: Proof) -> Callable[[Run], list[Row]]:
    return lambda run: [proof(run, "SQLite", None)]


def _on_backend(name: str) -> Callable[[Run], list[Row]]:
    return lambda run: [backend_matrix(name, run)]


ANYWHERE: Mapping[str, Proof] = {
    "kill-1": partial(kill_loop, callers=1),
    "kill-4": partial(kill_loop, callers=4),
    "steps": step_faults,
    "sleepers": sleepers,
    "layer": layer_race,
    "one-key": one_key,
    "first-starts": first_starts,
    "clock": clock_jumps,
}
"""What must hold on each store."""

PROOFS: Mapping[str, Callable[[Run], list[Row]]] = {
    **{f"{name}-sqlite": _on_sqlite(proof) for name, proof in ANYWHERE.items()},
    "disk-sqlite": _on_sqlite(disk_full),
    "upgrade-sqlite": _on_sqlite(upgrade),
    "stdio-servers-sqlite": _on_sqlite(two_servers),
    "http-servers-sqlite": _on_sqlite(partial(two_servers, http=True)),
    "power-sqlite": power_loss,
    "demo": lambda run: [killed_demo(run)],
    **{f"matrix-{name}": _on_backend(name) for name in SUBJECTS},
    "kill-control": _on_sqlite(partial(kill_loop, callers=1, control=True)),
    "power-control": power_controls,
    "sleepers-control": _on_sqlite(partial(sleepers, control=True)),
    "layer-control": _on_sqlite(partial(layer_race, control=True)),
    **{f"{name}-postgresql": on_postgresql(name, proof) for name, proof in ANYWHERE.items()},
    "http-servers-postgresql": on_postgresql("http-servers", partial(two_servers, http=True)),
    "immediate-stop-postgresql": on_postgresql("immediate-stop", immediate_stop),
}
