"""The real application in a process of its own, told by messages what to do.

Orders: `home`, `catalogue`, `lease` (seconds), `url` (of a database; else the file of the home), `days` (that its clock
is ahead), `hasty` (its clock moves on instead of waiting), `restless` (a seed: each look at its clock tells another
day), `limit` (bytes that a file may have), and what is broken: `backend`, `store`, `faults`.
"""

from __future__ import annotations

import random
import resource
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from crossfade.adapters.store import migrations
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import CrossfadeError
from crossfade.core.model.brief import Brief
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .broken import broken_backends, broken_store


class WorkerClock:
    """The machine's clock, set wrong by some days; a hasty one moves on where others wait."""

    def __init__(self, orders: Mapping[str, Any]) -> None:
        self._ahead = timedelta(days=orders.get("days", 0.0))
        self._hasty = bool(orders.get("hasty"))
        self._jumps = random.Random(orders["restless"]) if "restless" in orders else None
        self._never = threading.Event()

    def now(self) -> datetime:
        jump = self._jumps.choice((-1, 0, 1)) if self._jumps is not None else 0
        return datetime.now(UTC) + self._ahead + timedelta(days=jump)

    def sleep(self, seconds: float) -> None:
        if self._hasty:
            self._ahead += timedelta(seconds=seconds)
        else:
            self._never.wait(seconds)


def speaks(setting: str) -> bool:
    """Whether this version of the application has a setting."""
    return setting in Settings.model_fields


class Application:
    """Crossfade, with what the orders break of it."""

    def __init__(self, orders: Mapping[str, Any]) -> None:
        where: dict[str, Any] = {"home": Path(orders["home"]), "catalogue": Path(orders["catalogue"])}
        if orders.get("url"):
            where["database_url"] = orders["url"]
        settings = Settings(**where, lease_seconds=orders.get("lease", 15.0))
        clock = WorkerClock(orders)
        whole = build(settings, "mcp:faults", clock).dependencies
        backends = broken_backends(whole.backends, orders)
        self._store = whole.store
        self._home = settings.root
        self._app = Crossfade(replace(whole, backends=backends, store=broken_store(whole.store, orders)))

    def close(self) -> None:
        close = getattr(self._store, "close", None)
        if close is not None:
            close()

    def do(self, asked: dict[str, Any]) -> Any:
        doing = {
            "draft": self._draft,
            "plan": self._plan,
            "apply": self._apply,
            "stop": self._stop,
            "resume": self._resume,
            "state": self._state,
            "race": self._race,
            "older": self._older,
            "explain": self._explain,
            "together": self._together,
        }
        return doing[asked["do"]](asked)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"value": self.do(asked)}
        except CrossfadeError as error:
            return {"error": error.as_dict()}

    def _draft(self, asked: dict[str, Any]) -> Any:
        brief: dict[str, Any] = {
            "surface": "gallery",
            "change": "The audio guide comes first",
            "because": "Visitors do not find the guide",
            "variants": {"guide": {"guide_first": True}},
            "success_metrics": {"ticket_rate": None},
            "allocation": 0.2,
            **asked.get("more", {}),
        }
        return self._app.create_experiment(Brief.read({**brief, "key": asked["key"]})).model_dump(mode="json")

    def _plan(self, asked: dict[str, Any]) -> Any:
        """A plan that a person has said yes to."""
        plan = self._app.plan_change(asked["key"], asked["change"])
        if plan.digest is not None:
            self._app.approve(plan.digest, approved=True, assurance="terminal", by="curator")
        return {"digest": plan.digest, "findings": [finding.code for finding in plan.findings]}

    def _apply(self, asked: dict[str, Any]) -> Any:
        return self._app.apply_plan(asked["digest"]).model_dump(mode="json")

    def _stop(self, asked: dict[str, Any]) -> Any:
        return self._app.stop(asked["key"]).model_dump(mode="json")

    def _resume(self, asked: dict[str, Any]) -> Any:
        return [operation.status for operation in self._app.resume_abandoned()]

    def _state(self, asked: dict[str, Any]) -> Any:
        return self._app.get_experiment(asked["key"]).state

    def _race(self, asked: dict[str, Any]) -> Any:
        """Plan and apply until it is done, or until there is no room."""
        while True:
            answer = self.answer({"change": "launch", **asked, "do": "plan"})
            if "value" in answer:
                digest = answer["value"]["digest"]
                if digest is None:
                    return "full"
                answer = self.answer({"do": "apply", "digest": digest})
            if "value" in answer:
                return answer["value"]["status"]
            if answer["error"]["code"] not in ("stale_plan", "expired_plan"):
                return str(answer["error"])

    def _explain(self, asked: dict[str, Any]) -> Any:
        """Experiment -> its state, and the variant of each unit."""
        found: dict[str, dict[str, str | None]] = {}
        for each in self._app.find_experiments(limit=50).experiments:
            found[each.key] = {"state": each.state}
            for unit in asked["units"]:
                found[each.key][unit] = self._app.explain(each.key, unit, {asked["attribute"]: unit}).variant
        return found

    def _older(self, asked: dict[str, Any]) -> Any:
        """Make an empty store beside this one, as an older revision had it."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        engine = create_engine(f"sqlite:///{self._home / 'older.db'}")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, asked["revision"])
        engine.dispose()

    def _together(self, asked: dict[str, Any]) -> Any:
        """The answers to calls that begin at the same moment, each in a thread."""
        calls: list[dict[str, Any]] = asked["calls"]
        answers: list[dict[str, Any]] = [{} for _ in calls]
        start = threading.Barrier(len(calls))

        def run(number: int) -> None:
            start.wait()
            answers[number] = self.answer(calls[number])

        threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


def live(pipe: Connection, orders: Mapping[str, Any]) -> None:
    """Answer each message until the other end is gone. The first answer tells whether the application stands."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    try:
        application = Application(orders)
    except CrossfadeError as error:
        pipe.send({"error": error.as_dict()})
        return
    if "limit" in orders:
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders["limit"], resource.RLIM_INFINITY))
    pipe.send({"value": "ready"})
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, ConnectionResetError):
            return
        pipe.send(application.answer(asked))
