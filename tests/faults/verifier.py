"""Holds what the store says against what users are served. It imports nothing of the application: it reads the store
with the database's own module, the files as JSON, and asks the GrowthBook SDK who gets what."""

from __future__ import annotations

import importlib
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from growthbook import GrowthBook
from growthbook.core import gbhash

ENDED = ("applied", "undone")
HOLDING = ("scheduled", "running", "paused")
UNITS = [f"visitor-{number}" for number in range(400)]
UNIT = "visitor_id"


@dataclass(frozen=True)
class Place:
    """Where to look: a home, and the address of its store, which is a file of the home unless it is a database."""

    home: Path
    url: str | None = None

    @property
    def flags(self) -> Path:
        return self.home / "out/flags/flags.json"

    @property
    def texts(self) -> Path:
        return self.home / "out/texts/gallery.json"


@dataclass
class Faults:
    """What is wrong, in words. `lost`: was acknowledged, or is said to be so, and is not; `double`: is there twice, or
    serves one unit twice; `orphans`: is there and belongs to nothing."""

    lost: list[str] = field(default_factory=list[str])
    double: list[str] = field(default_factory=list[str])
    orphans: list[str] = field(default_factory=list[str])

    def all(self) -> list[str]:
        return [*self.lost, *self.double, *self.orphans]

    def add(self, other: Faults) -> None:
        self.lost += other.lost
        self.double += other.double
        self.orphans += other.orphans


@dataclass(frozen=True)
class Kept:
    """What the store says."""

    states: dict[str, str]
    layers: dict[str, str]
    operations: list[dict[str, Any]]
    steps: dict[str, list[str]]
    ranges: list[dict[str, Any]]
    placed: dict[str, set[str]]
    audit: Counter[tuple[str, str]]
    integrity: str


def read_store(place: Place) -> Kept:
    rows = _rows_of_database if place.url else _rows_of_file
    found = rows(place)
    steps: dict[str, list[str]] = defaultdict(list)
    for row in found["operation_step"]:
        steps[row["operation"]].append(row["status"])
    placed: dict[str, set[str]] = defaultdict(set)
    for row in found["placement"]:
        placed[row["key"]].add(_parsed(row["place"])["backend"])
    said = [(str(row["what"]), str(_parsed(row["after"])["operation"])) for row in found["audit"]]
    return Kept(
        states={row["key"]: row["state"] for row in found["experiment"]},
        layers={row["key"]: row["layer"] for row in found["experiment"]},
        operations=found["operation"],
        steps=steps,
        ranges=found["bucket_range"],
        placed=placed,
        audit=Counter(said),
        integrity=found["integrity"][0]["found"],
    )


TABLES = {
    "experiment": "SELECT key, state, surface || '/' || layer AS layer FROM experiment",
    "operation": "SELECT id, handle, key, change, status, from_state, to_state FROM operation ORDER BY seq",
    "operation_step": "SELECT operation, status FROM operation_step ORDER BY operation, position",
    "bucket_range": "SELECT layer, lo, hi, experiment FROM bucket_range WHERE released_at IS NULL ORDER BY layer, lo",
    "placement": "SELECT key, place FROM placement",
    "audit": "SELECT what, after FROM audit WHERE what LIKE 'operation%'",
}


def _rows_of_file(place: Place) -> dict[str, list[dict[str, Any]]]:
    with closing(sqlite3.connect(f"file:{place.home}/crossfade.db?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        read = {name: [dict(row) for row in database.execute(query)] for name, query in TABLES.items()}
        read["integrity"] = [{"found": database.execute("PRAGMA integrity_check").fetchone()[0]}]
    return read


def _rows_of_database(place: Place) -> dict[str, list[dict[str, Any]]]:
    psycopg: Any = importlib.import_module("psycopg")
    read: dict[str, list[dict[str, Any]]] = {}
    with psycopg.connect(place.url) as database:
        for name, query in TABLES.items():
            cursor = database.execute(query)
            names = [column.name for column in cursor.description]
            read[name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    read["integrity"] = [{"found": "ok"}]
    return read


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def document(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes()) if path.exists() else {}


def verify(place: Place, acknowledged: Iterable[dict[str, Any]] = (), *, swept: bool = True) -> Faults:
    """Everything that is wrong once nobody is at work any more. `acknowledged` are the answers that callers got;
    `swept` says that each file was written since a process died, which takes out what that one left beside it."""
    kept, faults = read_store(place), Faults()
    _judge_journal(kept, faults)
    _judge_acknowledged(kept, acknowledged, faults)
    _judge_ranges(kept, faults)
    if swept:
        faults.orphans += [f"{path.name} is left" for path in (place.home / "out").rglob("*.tmp")]
    _judge_files(kept, place, faults)
    _judge_traffic(kept, place, faults)
    return faults


def _judge_journal(kept: Kept, faults: Faults) -> None:
    if kept.integrity != "ok":
        faults.lost.append(f"the database is damaged: {kept.integrity}")
    last: dict[str, dict[str, Any]] = {}
    for each in kept.operations:
        last[each["key"]] = each
        name, steps = f"{each['change']} of {each['key']}", set(kept.steps[each["id"]])
        if each["status"] not in ENDED:
            faults.lost.append(f"{name} is {each['status']}")
        elif not steps <= ({"done"} if each["status"] == "applied" else {"undone", "pending"}):
            faults.lost.append(f"{name} is {each['status']}, its steps are {sorted(steps)}")
        for what in ("operation_started", f"operation_{each['status']}"):
            count = kept.audit[what, each["id"]]
            if count != 1:
                (faults.double if count else faults.lost).append(f"{name}: {what} {count} times")
    for handle, count in Counter(each["handle"] for each in kept.operations).items():
        if count > 1:
            faults.double.append(f"{handle} was applied {count} times")
    for key, each in last.items():
        ought = each["to_state"] if each["status"] == "applied" else each["from_state"]
        if each["status"] in ENDED and kept.states.get(key) != ought:
            faults.lost.append(f"{key} is {kept.states.get(key)}, the journal says {ought}")


def _judge_acknowledged(kept: Kept, acknowledged: Iterable[dict[str, Any]], faults: Faults) -> None:
    by_id = {each["id"]: each for each in kept.operations}
    for answer in acknowledged:
        there = by_id.get(answer.get("operation") or "")
        if answer["status"] in ENDED and answer.get("operation") and (there or {}).get("status") != answer["status"]:
            faults.lost.append(f"{answer['change']} of {answer['key']} was {answer['status']}, and is {there}")


def _judge_ranges(kept: Kept, faults: Faults) -> None:
    for one, other in zip(kept.ranges, kept.ranges[1:], strict=False):
        if one["layer"] == other["layer"] and other["lo"] < one["hi"]:
            faults.double.append(f"{one['experiment']} and {other['experiment']} hold one bucket of {one['layer']}")
    holding = {each["experiment"] for each in kept.ranges}
    for key, state in kept.states.items():
        if state in HOLDING and key not in holding:
            faults.lost.append(f"{key} is {state} and holds nothing")
        if state not in HOLDING and key in holding:
            faults.orphans.append(f"{key} is {state} and holds buckets")


def _judge_files(kept: Kept, place: Place, faults: Faults) -> None:
    rules = [
        (name, re.sub(":.*", "", rule["id"]), rule["id"])
        for name, feature in document(place.flags).get("features", {}).items()
        for rule in feature.get("rules", [])
    ]
    for (name, _, rule), count in Counter(rules).items():
        if count > 1:
            faults.double.append(f"{rule} is {count} times in {name}")
    there: dict[str, set[str]] = defaultdict(set)
    for _, key, _ in rules:
        there[key].add("flags")
    for key in document(place.texts).get("experiments", {}):
        there[key].add("texts")
    for key in sorted({*there, *kept.placed, *kept.states}):
        _judge_entries(key, kept, there[key], faults)


def _judge_entries(key: str, kept: Kept, there: set[str], faults: Faults) -> None:
    state = kept.states.get(key, "unknown")
    both = {"flags", "texts"} if kept.layers.get(key, "").startswith("gallery") else {"flags"}
    ought = {"running": both, "paused": both - {"flags"}}.get(state, set[str]())
    if there - ought:
        faults.orphans.append(f"{key} is {state}, and in {sorted(there - ought)}")
    if ought - there:
        faults.lost.append(f"{key} is {state}, and not in {sorted(ought - there)}")
    if kept.placed[key] - there:
        faults.lost.append(f"the store has {key} in {sorted(kept.placed[key])}, it is in {sorted(there)}")


def _judge_traffic(kept: Kept, place: Place, faults: Faults) -> None:
    """Each unit meets exactly the running experiment that holds its bucket, and gets what its variant shows."""
    payload, texts = document(place.flags), document(place.texts).get("experiments", {})
    if not payload:
        return
    sdk = GrowthBook()
    sdk.set_payload(payload)
    wrong: Counter[tuple[str, str]] = Counter()
    for unit in UNITS:
        ought = _holders(kept, unit)
        met: set[str] = set()
        sdk.set_attributes({UNIT: unit})
        for name in payload["features"]:
            got = sdk.eval_feature(name)
            if got.experiment is None or got.experimentResult is None:
                continue
            met.add(got.experiment.key)
            shown = texts.get(got.experiment.key, {}).get("variants", {}).get(got.experimentResult.key, {})
            if shown.get(name.partition(".")[2], got.value) != got.value:
                wrong["lost", f"{got.experiment.key}: flags serve {got.value}, texts {shown}"] += 1
        for layer, count in Counter(kept.layers.get(key, "?") for key in met).items():
            if count > 1:
                wrong["double", f"units meet {count} experiments in {layer}"] += 1
        for key in ought - met:
            wrong["lost", f"{key} runs, and units of its buckets are not served it"] += 1
        for key in met - ought:
            wrong["orphans", f"units are served {key}, which is {kept.states.get(key)}"] += 1
    for (kind, what), count in wrong.items():
        getattr(faults, kind).append(f"{what} ({count} units)")


def _holders(kept: Kept, unit: str) -> set[str]:
    found: set[str] = set()
    for each in kept.ranges:
        share = gbhash(each["layer"], unit, 2)
        inside = share is not None and each["lo"] <= share * 10_000 < each["hi"]
        if inside and kept.states.get(each["experiment"]) == "running":
            found.add(each["experiment"])
    return found
