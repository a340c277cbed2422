"""What can be broken about a worker: backends that fail on purpose, and the controls, in which a guard is missing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendFailed
from crossfade.core.ports.backend import Backend
from crossfade.core.ports.store import Store, Writer

from ..e2e.killing import Around

NO_FENCE = 10**15
"""Above every fence: a backend that is told this one refuses nobody."""


class Blind(Around):
    """A control: it writes whatever it is told, whoever has written since and under whichever fence."""

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        there = self._inner.read(settings, document, entry)
        super().write(settings, document, entry, **{**change, "before": there, "fence": NO_FENCE})


class Appending(Around):
    """A control: a system that creates what it is told to, once more when it is there already, as flag services do
    that give each rule an id of their own. It does not show its caller that something is there twice."""

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        there = self._inner.read(settings, document, entry)
        rules = (there or {}).get("rules")
        if there is None or not isinstance(rules, dict):
            return there
        return {**there, "rules": {name: _once(listed) for name, listed in rules.items()}}

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        there, after = self._inner.read(settings, document, entry), change["after"]
        if after is None or not same(there, after) or self.kind != "growthbook_file":
            super().write(settings, document, entry, **{**change, "before": there})
            return
        path = Path(str(settings["path"]))
        payload = json.loads(path.read_bytes())
        for feature in payload["features"].values():
            feature["rules"] += [rule for rule in feature["rules"] if rule["id"] == entry]
        path.write_text(json.dumps(payload))


def _once(listed: Any) -> Any:
    return [each for at, each in enumerate(listed) if each not in listed[:at]]


class Failing(Around):
    """A backend that fails at the writes of one document, `times` times.

    `error`: it refuses before the effect; `busy`: the same, and trying again can help; `timeout`: the effect is there
    and the caller is told that it took too long; `lost`: the effect is there and the process dies before it hears;
    `asleep`: the process stops just before the effect, until somebody lets it go on.
    """

    def __init__(self, inner: Backend, fault: Mapping[str, Any]) -> None:
        super().__init__(inner)
        self._fault = fault
        self._left: int = fault.get("times", 1)

    def write(self, settings: JsonObject, document: str, entry: str, **change: Any) -> None:
        how = self._how(document, change["after"])
        if how == "asleep":
            os.kill(os.getpid(), signal.SIGSTOP)
        if how in ("error", "busy"):
            raise BackendFailed("The backend refuses.", retryable=how == "busy")
        super().write(settings, document, entry, **change)
        if how == "lost":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "timeout":
            raise BackendFailed("The backend took too long.", retryable=True)

    def _how(self, document: str, after: JsonObject | None) -> str:
        only = self._fault.get("only")  # "put" or "taken out"
        other = only is not None and only != ("put" if after is not None else "taken out")
        if document != self._fault["document"] or other or not self._left:
            return ""
        self._left -= 1
        return self._fault["how"]


class Unfenced:
    """A control: a store that lets whoever lost an operation write its journal nevertheless."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def read(self) -> Any:
        return self._inner.read()

    @contextmanager
    def write(self) -> Generator[Writer]:
        with self._inner.write() as tx:
            update = tx.update_operation

            def unfenced(operation: Any, expected_fence: int) -> None:
                kept = tx.operation(operation.id)
                update(operation, kept.fence if kept is not None else expected_fence)

            tx.update_operation = unfenced  # pyright: ignore[reportAttributeAccessIssue]
            yield tx


def broken_backends(backends: Mapping[str, Backend], orders: Mapping[str, Any]) -> Mapping[str, Backend]:
    made: dict[str, Backend] = dict(backends)
    control = {"blind": Blind, "appending": Appending}.get(orders.get("backend", ""))
    if control is not None:
        made = {kind: control(each) for kind, each in made.items()}
    for fault in orders.get("faults", ()):
        made = {kind: Failing(each, fault) for kind, each in made.items()}
    return made


def broken_store(store: Store, orders: Mapping[str, Any]) -> Store:
    return Unfenced(store) if orders.get("store") == "unfenced" else store
