"""The calls that replies propose, as they can be pasted. A tool's name and arguments are written out only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from ..documents import JsonObject, canonical
from ..model.experiment import Change, Record


def find_surfaces(query: str = "words about the change") -> str:
    return f'find_surfaces(query="{query}")'


def find_experiments() -> str:
    return "find_experiments()"


def look_at(key: str) -> str:
    return f'get_experiment(key="{key}")'


def plan_some() -> str:
    """For whoever has no key that we know of."""
    return 'plan_change(key="...", change="launch")'


def plan(key: str, change: Change, ask: Sequence[str] = (), stage: int | None = None) -> str:
    """`ask` holds codes of findings that a person is to be asked about, `stage` is one of the ramp, from 1."""
    asking = f", ask={_texts(ask)}" if ask else ""
    going = f", stage={stage}" if stage is not None else ""
    return f'plan_change(key="{key}", change="{change}"{going}{asking})'


def apply(handle: str) -> str:
    return f'apply_plan(digest="{handle}")'


def update(key: str, version: int, fixes: Sequence[str] = (), changes: str = "") -> str:
    """`changes` is JSON text, or `{...}` where only a person knows what to write."""
    arguments = [f'key="{key}"', f"version={version}"]
    if fixes:
        arguments.append(f"fixes={_texts(fixes)}")
    if changes:
        arguments.append(f"changes={changes}")
    return f"update_experiment({', '.join(arguments)})"


def _texts(texts: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def follow_up(record: Record) -> str:
    """An iteration on an experiment; only what is new in it is left to be written."""
    metrics = record.document.get("metrics")
    goals: dict[str, JsonValue] = {
        name: use.get("mde")
        for name, use in (metrics if isinstance(metrics, dict) else {}).items()
        if isinstance(use, dict) and use.get("role") == "success"
    }
    return _create(record.surface, goals, {}, f'from="{record.key}", ')


def create(surface: str, parameter: str, metric: str) -> str:
    return _create(surface, {metric: None}, {"treatment": {parameter: ...}})


def create_the_same() -> str:
    return "create_experiment(...) with these values"


def surface(key: str) -> str:
    return f'find_surfaces(query="{key}")'


def estimate(
    surface: str,
    metrics: Mapping[str, float | None],
    days: int | None,
    allocation: float | None,
    audience: JsonObject | str,
    variants: int,
) -> str:
    arguments = [f'surface="{surface}"', f"metrics={canonical(dict(metrics))}"]
    arguments += [f"days={days}"] if days is not None else []
    arguments += [f"allocation={allocation:g}"] if allocation is not None else []
    arguments += [f"audience={canonical(audience)}"] if audience else []
    arguments += [f"variants={variants}"] if variants != 2 else []
    return f"estimate_sample_size({', '.join(arguments)})"


def create_sized(
    surface: str,
    parameter: str,
    metrics: Mapping[str, float | None],
    audience: JsonObject | str,
    allocation: float,
    days: int,
    treatments: Sequence[str],
) -> str:
    call = _create(surface, dict(metrics), {name: {parameter: ...} for name in treatments})
    asked = f", audience={canonical(audience)}" if audience else ""
    return f"{call[:-1]}{asked}, allocation={allocation:g}, duration_days={days})"


def _create(
    surface: str, goals: Mapping[str, JsonValue], variants: Mapping[str, Mapping[str, object]], earlier: str = ""
) -> str:
    shown = ", ".join(
        f'"{name}": {{' + ", ".join(f'"{parameter}": ...' for parameter in parameters) + "}"
        for name, parameters in variants.items()
    )
    return (
        f'create_experiment({earlier}surface="{surface}", change="...", because="...", '
        f"variants={{{shown or '...'}}}, success_metrics={canonical(dict(goals)) if goals else '{...}'})"
    )
