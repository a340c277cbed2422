"""`crossfade doctor`: what is wired, what can be reached, and what is missing."""

from __future__ import annotations

import argparse
import json

from .topics import Commands


def add(commands: Commands) -> None:
    doctor = commands.add_parser("doctor", help="tell whether store, catalogue, sweeper and backends work")
    doctor.add_argument("--json", action="store_true", help="the same as one JSON object")
    doctor.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """0 when everything works."""
    from ..settings import Settings
    from .doctor_lines import health_lines
    from .printing import say
    from .wired import wired

    settings = Settings()
    found = wired(unopened=True).health()
    if parsed.json:
        print(json.dumps({"works": found.works, **found.model_dump(mode="json", exclude_none=True)}, indent=2))
    else:
        where = settings.database
        store = "at CROSSFADE_DATABASE_URL" if isinstance(where, str) else str(where)
        for line in health_lines(found, store, str(settings.catalogue_folder)):
            say(line)
    return 0 if found.works else 1
