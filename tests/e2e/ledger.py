"""An independent look at what an experiment has left: store and delivery files, read without any of our code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .museum import Museum

HOLDING = ("scheduled", "running", "paused")
ENDED = ("applied", "undone")


class Ledger:
    """What store and files say of one experiment."""

    def __init__(self, museum: Museum, key: str = "guide-first") -> None:
        self.key = key
        self._museum = museum
        self.integrity = "ok"
        self._rows = museum.rows
        self._read()
        self.flag_rules = _rules(museum.flags, key)
        self.text_entry = _document(museum.texts).get("experiments", {}).get(key)

    def _read(self) -> None:
        found = self._rows("SELECT state, version FROM experiment WHERE key = ?", self.key)
        self.state = str(found[0]["state"]) if found else "absent"
        versions = self._rows("SELECT state FROM experiment_version WHERE key = ? ORDER BY version", self.key)
        self.version_states = [str(row["state"]) for row in versions]
        self.operations = self._rows("SELECT * FROM operation WHERE key = ? ORDER BY seq", self.key)
        self.steps = self._rows(
            "SELECT s.* FROM operation_step s JOIN operation o ON o.id = s.operation WHERE o.key = ?"
            " ORDER BY o.seq, s.position",
            self.key,
        )
        live = "SELECT layer, lo, hi FROM bucket_range WHERE experiment = ? AND released_at IS NULL ORDER BY lo"
        self.held = [(int(row["lo"]), int(row["hi"])) for row in self._rows(live, self.key)]
        self.placements = self._rows("SELECT * FROM placement WHERE key = ?", self.key)
        self.audit = [str(row["what"]) for row in self._rows("SELECT what FROM audit WHERE subject = ?", self.key)]
        self.double_held = self._rows(
            "SELECT a.experiment FROM bucket_range a JOIN bucket_range b ON a.layer = b.layer AND a.id < b.id"
            " AND a.lo < b.hi AND b.lo < a.hi WHERE a.released_at IS NULL AND b.released_at IS NULL"
        )
        if self._museum.url is None:
            self.integrity = str(self._rows("PRAGMA integrity_check")[0]["integrity_check"])

    @property
    def status(self) -> str:
        """Status of the last operation."""
        return str(self.operations[-1]["status"]) if self.operations else "none"

    @property
    def served(self) -> list[tuple[int, int]]:
        """Buckets whose units the flags file lets in; a draft with test units has a rule that lets nobody in."""
        filters: list[list[Any]] = [rule["filters"][0]["ranges"] for rule in self.flag_rules if rule.get("filters")]
        shares: list[Any] = filters[0] if filters else []
        return [(round(lo * 10_000), round(hi * 10_000)) for lo, hi in shares]

    def faults(self) -> list[str]:
        """Every place where store and files contradict each other or are left half done; empty when all is well."""
        return [*self._store_faults(), *self._delivery_faults(), *leftovers(self._museum)]

    def _store_faults(self) -> list[str]:
        faults: list[str] = []
        if self.integrity != "ok":
            faults.append(f"the database is damaged: {self.integrity}")
        if self.double_held:
            faults.append("two experiments hold one bucket")
        if any(operation["status"] not in ENDED for operation in self.operations):
            faults.append(f"an operation is {[operation['status'] for operation in self.operations]}")
        if self.operations and self.state != self._state_by_journal():
            faults.append(f"the state is {self.state}, the journal says {self._state_by_journal()}")
        if self.version_states and self.version_states[-1] != self.state:
            faults.append(f"the version is {self.version_states[-1]}, the experiment {self.state}")
        if bool(self.held) != (self.state in HOLDING):
            faults.append(f"{self.state}, and holds {self.held}")
        for operation in self.operations:
            faults += self._operation_faults(operation)
        return faults

    def _state_by_journal(self) -> str:
        last = self.operations[-1]
        return str(last["to_state"] if last["status"] == "applied" else last["from_state"])

    def _operation_faults(self, operation: dict[str, Any]) -> list[str]:
        name, status = operation["change"], operation["status"]
        steps = {str(step["status"]) for step in self.steps if step["operation"] == operation["id"]}
        allowed = {"done"} if status == "applied" else {"undone", "pending"}
        faults = [] if steps <= allowed or status not in ENDED else [f"{name} is {status}, its steps are {steps}"]
        if status in ENDED and operation["finished"] is None:
            faults.append(f"{name} has no end")
        return faults

    def _delivery_faults(self) -> list[str]:
        faults: list[str] = []
        assigns = bool(self.served)
        if assigns != (self.state == "running"):
            faults.append(f"{self.state}, and the flags file {'has' if assigns else 'lacks'} it")
        if assigns and self.served != self.held:
            faults.append(f"serves {self.served}, holds {self.held}")
        if (self.text_entry is not None) != (self.state in ("running", "paused")):
            faults.append(f"{self.state}, and its text entry is {self.text_entry}")
        placed = {json.loads(row["place"])["backend"] for row in self.placements}
        there = {name for name, found in (("flags", self.flag_rules), ("texts", self.text_entry)) if found}
        if placed != there:
            faults.append(f"the store says it is in {placed}, and it is in {there}")
        return faults


def leftovers(museum: Museum) -> list[str]:
    """Files that should not be there, or that do not parse."""
    files = [path for path in museum.out.rglob("*") if path.is_file() and path.suffix != ".lock"]
    faults = [f"{path.name} is left" for path in files if path.suffix == ".tmp"]
    for path in files:
        if path.suffix == ".json":
            json.loads(path.read_bytes())
    return faults


def _document(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes()) if path.exists() else {}


def _rules(path: Path, key: str) -> list[dict[str, Any]]:
    features: dict[str, Any] = _document(path).get("features", {})
    rules = [rule for feature in features.values() for rule in feature.get("rules", [])]
    return [rule for rule in rules if rule["id"] == key or rule["id"].startswith(f"{key}:")]
