"""`crossfade check` and `crossfade migrate`: is the ground that the server stands on sound?"""

from __future__ import annotations

import argparse
from pathlib import Path

from .topics import Commands


def add(commands: Commands) -> None:
    check = commands.add_parser("check", help="check a catalogue folder")
    check.add_argument("path", nargs="?", type=Path, help="folder of YAML files (default: the configured one)")
    check.set_defaults(run=run_check)
    migrate = commands.add_parser("migrate", help="bring the store's database up to date")
    migrate.set_defaults(run=run_migrate)


def run_check(parsed: argparse.Namespace) -> int:
    """Load a catalogue as the server would.

    Raises:
        CatalogueBroken: with every fault.
    """
    from ...adapters.all_backends import all_backends
    from ..clock import SystemClock
    from ..settings import Settings
    from ..wiring import catalogue_source

    settings = Settings()
    folder = (parsed.path or settings.catalogue_folder).expanduser().absolute()
    catalogue = catalogue_source(folder, settings.root, all_backends(SystemClock())).current()
    print(
        f"{folder}: {len(catalogue.surfaces)} surfaces, {len(catalogue.metrics)} metrics, "
        f"{len(catalogue.attributes)} attributes, {len(catalogue.holdouts)} holdouts, "
        f"{len(catalogue.environments)} environments: no problem found"
    )
    return 0


def run_migrate(_: argparse.Namespace) -> int:
    from ...adapters.store.store import open_store
    from ..settings import Settings

    where = Settings().database
    open_store(where).close()
    print(f"{where if isinstance(where, Path) else 'The database of CROSSFADE_DATABASE_URL'}: up to date")
    return 0
