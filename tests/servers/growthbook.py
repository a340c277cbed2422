"""A stand-in for GrowthBook's API, held to its published description: each request, and each answer of its own, is
checked against it. Its refusals have the bodies of the real one."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest

from .growthbook_answers import experiment_answer, feature_answer, page, revision_answer
from .growthbook_contract import Operation, operations
from .growthbook_experiments import Experiments, definition
from .growthbook_features import Features, Refused
from .listening import Handler, Listener

KEY_ENV, API_KEY, CLIENT_KEY = "GROWTHBOOK_API_KEY_OF_THE_TESTS", "secret_made-up-for-the-tests", "sdk-made-up"
ENVIRONMENT, OTHER_ENVIRONMENT = "production", "staging"
OWNER = "curator@example.org"


class GrowthbookServer:
    """Serves from a free port of this machine until it is closed; `url` leads to it."""

    def __init__(self, limit: int | None = None) -> None:
        """
        Args:
            limit: calls a minute that it takes; None for any number.
        """
        self.limit = limit
        operations()  # read before the first call, which may have half a second
        self.clear()
        self._server = Listener(self, _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def clear(self) -> None:
        self._lock = threading.RLock()
        self._dates = count(1)
        self.features = Features((ENVIRONMENT, OTHER_ENVIRONMENT), self._now)
        self.experiments = Experiments(self.features, self._now)
        self.calls: list[str] = []
        self._taken: deque[float] = deque()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a catalogue says of it."""
        usual = {"url": self.url, "api_key_env": KEY_ENV, "environment": ENVIRONMENT, "owner": OWNER}
        return {**usual, "calls_a_minute": 100_000, **more}

    def payload(self, environment: str = ENVIRONMENT) -> dict[str, Any]:
        """What an SDK downloads."""
        with self._lock:
            found = {name: definition(each, self.experiments, environment) for name, each in self.features.kept.items()}
            return {"status": 200, "features": {name: each for name, each in found.items() if each is not None}}

    def downloaded(self) -> bytes:
        return json.dumps(self.payload()).encode()

    def held(self) -> bytes | None:
        """All that it keeps, without dates and what was thrown away; None where that is nothing."""
        with self._lock:
            if not self.features.kept and not self.experiments.kept:
                return None
            live = {
                name: {key: value for key, value in each.items() if key != "dateCreated"}
                for name, each in self.features.kept.items()
            }
            drafts = [
                each["comment"]
                for some in self.features.revisions.values()
                for each in some
                if each["status"] == "draft"
            ]
            return json.dumps([live, drafts, self._experiments()], sort_keys=True).encode()

    def by_hand(self, method: str, path: str, body: Any = None) -> Any:
        """What somebody else does there."""
        status, answer = self.answer(method, path, body)
        assert status == 200, answer
        return answer

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        path, _, query = target.partition("?")
        if path == f"/api/features/{CLIENT_KEY}":
            return 200, self.payload()
        for operation in operations():
            parts = operation.matches(method, path.removeprefix("/api"))
            if parts is not None:
                return self._answered(operation, parts, query, body)
        return 404, {"message": "Unknown API endpoint"}

    def too_many(self) -> bool:
        """Whether the calls of the last minute are those that it takes."""
        if self.limit is None:
            return False
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 60:
            self._taken.popleft()
        self._taken.append(now)
        return len(self._taken) > self.limit

    def _answered(self, operation: Operation, parts: dict[str, str], query: str, body: Any) -> tuple[int, Any]:
        faults = operation.faults(parts, query, body)
        if faults:
            return 400, {"message": "\n".join(faults)}
        asked = {**parts, **dict(parse_qsl(query))}
        with self._lock:
            self.calls.append(f"{operation.method} {operation.path}")
            try:
                answer = self._handlers()[f"{operation.method} {operation.path}"](asked, body)
            except Refused as refusal:
                return refusal.status, refusal.body
            wrong = operation.wrong(answer)
        assert not wrong, (operation.path, wrong)
        return 200, answer

    def _handlers(self) -> dict[str, Callable[[dict[str, str], Any], Any]]:
        kept, revision = self.features, "/v2/features/{id}/revisions/{version}"
        edited = self._edited
        return {
            "get /v1/environments": lambda asked, body: {
                "environments": [_environment(each) for each in kept.environments]
            },
            "get /v2/features": lambda asked, body: page(
                "features", list(map(self._feature, self._listed(asked))), asked
            ),
            "post /v2/features": lambda asked, body: {"feature": self._feature(kept.create(body, self._unlocked))},
            "get /v2/features/{id}": self._one_feature,
            f"put {revision}/archive": edited(lambda draft, asked, body: draft.update(archived=body["archived"])),
            f"put {revision}/metadata": edited(
                lambda draft, asked, body: draft.update(description=body.get("description", draft["description"]))
            ),
            f"put {revision}/default-value": edited(
                lambda draft, asked, body: kept.set_default(draft, asked["id"], body["defaultValue"])
            ),
            f"post {revision}/toggle": edited(
                lambda draft, asked, body: draft["on"].update({body["environment"]: body["enabled"]})
            ),
            f"post {revision}/rules": edited(lambda draft, asked, body: kept.add(draft, asked["id"], body["rule"])),
            f"delete {revision}/rules/{{ruleId}}": edited(lambda draft, asked, body: kept.drop(draft, asked["ruleId"])),
            f"post {revision}/rules/reorder": edited(lambda draft, asked, body: kept.reorder(draft, body["ruleIds"])),
            f"post {revision}/publish": self._revised(kept.publish),
            f"post {revision}/discard": self._revised(kept.discard),
            "get /v1/experiments": self._some_experiments,
            "post /v1/experiments": lambda asked, body: self._changed(self.experiments.create(body, self._unlocked)),
            "post /v1/experiments/{id}": lambda asked, body: self._changed(self.experiments.update(asked["id"], body)),
            "post /v1/experiments/{id}/start": lambda asked, body: self._changed(
                self.experiments.start(asked["id"], body)
            ),
        }

    def _edited(self, change: Callable[[Any, dict[str, str], Any], Any]) -> Callable[[dict[str, str], Any], Any]:
        def handle(asked: dict[str, str], body: Any) -> Any:
            comment = body.get("revisionComment", body.get("comment"))
            name, version = asked["id"], asked["version"]
            draft = self.features.edit(name, version, comment, lambda draft: change(draft, asked, body))
            return {"revision": revision_answer(name, draft)}

        return handle

    def _revised(self, act: Callable[[str, str], dict[str, Any]]) -> Callable[[dict[str, str], Any], Any]:
        return lambda asked, body: {"revision": revision_answer(asked["id"], act(asked["id"], asked["version"]))}

    def _one_feature(self, asked: dict[str, str], body: Any) -> Any:
        if asked["id"] not in self.features.kept:
            raise Refused(400, "Could not find a feature with that key")
        drafts = [each for each in self.features.revisions[asked["id"]] if each["status"] == "draft"]
        shown = [revision_answer(asked["id"], each) for each in drafts]
        more = {"revisions": shown} if asked.get("withRevisions") == "drafts" else {}
        return {"feature": {**self._feature(self.features.kept[asked["id"]]), **more}}

    def _feature(self, feature: dict[str, Any]) -> Any:
        return feature_answer(feature, {each: definition(feature, self.experiments, each) for each in feature["on"]})

    def _listed(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        project = asked.get("projectId")
        return [each for each in self.features.kept.values() if project in (None, each["project"])]

    def _some_experiments(self, asked: dict[str, str], body: Any) -> Any:
        key = asked.get("trackingKey")
        found = [each for each in self.experiments.kept.values() if key in (None, each["trackingKey"])]
        return page("experiments", [experiment_answer(each, self.experiments.linked(each)) for each in found], asked)

    def _changed(self, experiment: dict[str, Any]) -> Any:
        return {"experiment": experiment_answer(experiment, self.experiments.linked(experiment))}

    def _experiments(self) -> Any:
        dates = ("dateCreated", "dateUpdated")
        return [
            {key: value for key, value in each.items() if key not in dates} for each in self.experiments.kept.values()
        ]

    @contextmanager
    def _unlocked(self) -> Generator[None]:
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()

    def _now(self) -> str:
        return f"2026-11-01T12:00:00.{next(self._dates) % 1000:03}Z"


def _environment(name: str) -> Any:
    return {"id": name, "description": "", "toggleOnList": True, "defaultState": True, "projects": []}


class _Handler(Handler[GrowthbookServer]):
    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        growthbook, given = self.server.served, self.headers.get("authorization")
        if self.path.startswith("/api/features/"):
            self._send(*growthbook.answer(self.command, self.path, None))
        elif not given:
            self._send(400, {"message": "Missing Authorization header"})
        elif given != f"Bearer {API_KEY}":
            self._send(401, {"message": "Invalid API key"})
        elif growthbook.too_many():
            message = f"Too many requests, limit to {growthbook.limit} per minute"
            self._send(429, {"message": message}, {"retry-after": "60"})
        else:
            self._send(*growthbook.answer(self.command, self.path, json.loads(raw) if raw else None))

    do_GET = do_POST = do_PUT = do_DELETE = _handle

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            **(headers or {}),
            "content-type": "application/json",
            "content-length": str(len(raw)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)


@cache
def growthbook_server() -> GrowthbookServer:
    """The stand-in of this run of the tests."""
    return GrowthbookServer()


@contextmanager
def growthbook_in_use() -> Generator[GrowthbookServer]:
    """The same with nothing in it, and its key in the environment."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(KEY_ENV, API_KEY)
        server = growthbook_server()
        server.clear()
        yield server
