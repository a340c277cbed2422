"""The composition root: settings in, a working Crossfade out. Heavy imports happen here, when something needs them."""

from __future__ import annotations

import getpass
import shlex
import sys
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from ..core.app.crossfade import Crossfade
from ..core.app.dependencies import Dependencies
from ..core.documents import JsonObject
from ..core.errors import StoreUnavailable
from ..core.ports.backend import Backend
from ..core.ports.catalogue import CatalogueSource
from ..core.ports.clock import Clock
from .clock import SystemClock
from .settings import Settings
from .unopened import UnopenedStore


def build(settings: Settings, actor: str, clock: Clock | None = None, *, unopened: bool = False) -> Crossfade:
    """Everything wired. The catalogue is read when it is first asked for, so that a stop works without one.

    Args:
        unopened: whether a store that cannot be opened fails when it is used, and not now.

    Raises:
        StoreUnavailable: the database cannot be opened.
    """
    from ..adapters.all_backends import all_backends
    from ..adapters.store.store import open_store

    clock = clock or SystemClock()
    try:
        store = open_store(settings.database)
    except StoreUnavailable as failure:
        if not unopened:
            raise
        store = UnopenedStore(failure)
    backends = all_backends(clock, lambda: store.store_id)
    return Crossfade(
        Dependencies(
            catalogue=catalogue_source(settings.catalogue_folder, settings.root, backends),
            store=store,
            backends=backends,
            clock=clock,
            runner=uuid.uuid4().hex,
            actor=actor,
            lease=timedelta(seconds=settings.lease_seconds),
            command=terminal_command(settings),
            log=_warn,
        )
    )


def _warn(event: str, fields: JsonObject) -> None:
    from .logs import logger

    logger().warning(event, **fields)


def catalogue_source(folder: Path, home: Path, backends: Mapping[str, Backend]) -> CatalogueSource:
    """The catalogue of a folder, its backends' settings checked by their adapters and its paths made absolute."""
    from ..adapters.catalogue_yaml.source import YamlCatalogue
    from .backend_rules import backend_problems
    from .located import LocatedCatalogue

    source = YamlCatalogue(folder, lambda catalogue: backend_problems(catalogue, backends, home))
    return LocatedCatalogue(source, home, backends)


def terminal_command(settings: Settings) -> str:
    """What to type at any terminal to reach this store: home and database as they are set here, without a password, and
    this program by its path."""
    beside = Path(sys.executable).with_name("crossfade")
    program = shlex.quote(str(beside)) if beside.exists() else "crossfade"
    own = {} if settings.root == _usual_home() else {"CROSSFADE_HOME": str(settings.root)}
    where = settings.database
    if isinstance(where, str):
        from ..adapters.store.postgresql.address import address_of

        own["CROSSFADE_DATABASE_URL"] = address_of(where).shown
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in own.items()), program])


def _usual_home() -> Path:
    return Settings.model_fields["home"].default.expanduser().absolute()


def person() -> str:
    """Who sits at this terminal, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
