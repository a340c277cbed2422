"""`crossfade explain`: why a unit gets what it gets."""

from __future__ import annotations

import argparse
import json

from pydantic import JsonValue

from .topics import Commands


def add(commands: Commands) -> None:
    explain = commands.add_parser("explain", help="tell why a unit gets what it gets")
    explain.add_argument("experiment")
    explain.add_argument("unit")
    explain.add_argument(
        "--set", action="append", default=[], metavar="ATTRIBUTE=VALUE", help="an attribute of the unit; repeatable"
    )
    explain.set_defaults(run=run_explain)


def run_explain(parsed: argparse.Namespace) -> int:
    from .printing import say
    from .wired import wired

    answer = wired().explain(parsed.experiment, parsed.unit, dict(_attribute(text) for text in parsed.set))
    gets = "nobody here knows what" if answer.because == "assigner" else answer.variant or "production values"
    say(f"{answer.unit} gets {gets}: {answer.detail}")
    for line in answer.steps:
        say(f"  {line}")
    for name, value in answer.parameters.items():
        say(f"  {name} = {json.dumps(value, ensure_ascii=False)}")
    return 0


def _attribute(text: str) -> tuple[str, JsonValue]:
    """A value as JSON where it is JSON, as text otherwise: `age=30` is a number, `country=SE` a text."""
    name, _, raw = text.partition("=")
    try:
        value: JsonValue = json.loads(raw)
    except (ValueError, RecursionError):
        value = raw
    return name, value
