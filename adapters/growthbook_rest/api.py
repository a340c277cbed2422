"""The calls of GrowthBook's REST API that an entry needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.errors import BackendFailed
from ..http import Answer, HttpClient, secret
from .settings import GrowthbookSettings

PAGE = 100
"""Most things that GrowthBook lists at once."""
SHOWN = 300
_TAKEN = ("already exists", "duplicate key")
"""What GrowthBook says of a name that is taken, and its database of one that was taken meanwhile."""
Method = Literal["POST", "PUT", "DELETE"]


class Api:
    """Everything may raise BackendFailed: no answer came, or a refusal."""

    def __init__(self, url: str, api_key_env: str, calls_a_minute: int) -> None:
        self._client = HttpClient(
            "GrowthBook",
            f"{url}/api",
            secrets=lambda: {"authorization": f"Bearer {secret(api_key_env)}"},
            calls_a_minute=calls_a_minute,
        )

    def feature(self, name: str) -> JsonObject | None:
        """A feature as it is, archived or not, with its drafts; None when there is none."""
        answer = self._client.call("GET", _at(name), params={"withRevisions": "drafts"}, expected=frozenset({400, 404}))
        if answer.status == 404 or (answer.status == 400 and "could not find" in said(answer).lower()):
            return None
        return part(answer, "feature")

    def features(self, project: str | None) -> Iterator[JsonObject]:
        """Every feature, or every one of a project."""
        return self._pages("/v2/features", "features", {"projectId": project} if project else {})

    def create_feature(self, body: JsonObject) -> JsonObject | None:
        """Make a feature, live at once; None when there is one of that name. Of several at once one makes it."""
        answer = self._client.call("POST", "/v2/features", json=body, expected=frozenset({400, 409}))
        if answer.status >= 400 and any(each in said(answer) for each in _TAKEN):
            return None
        return part(answer, "feature")

    def edit(self, name: str, version: str, method: Method, path: str, body: JsonObject) -> JsonObject:
        """Change a draft revision, `new` for one that begins at what is live now; gives the revision as it is then."""
        return part(self._client.call(method, f"{_at(name)}/revisions/{version}/{path}", json=body), "revision")

    def publish(self, name: str, version: str, comment: str) -> bool:
        """Make a draft live; False when it contradicts what others have published since it began.

        Raises:
            BackendFailed: GrowthBook asks for an approval first, or for another of its gates.
        """
        at, held_up = f"{_at(name)}/revisions/{version}/publish", frozenset({400, 409, 422})
        answer = self._client.call("POST", at, json={"comment": comment}, expected=held_up)
        if answer.status == 409:
            return False
        if answer.status >= 400:
            raise BackendFailed(
                "GrowthBook does not publish the change of a feature.",
                next="See its reason in `got`. A person lets the API key publish without a review, or takes away what "
                "holds the feature up; then repeat the call.",
                got={"feature": name, "status": answer.status, "reason": said(answer)},
            )
        return True

    def discard(self, name: str, version: str) -> None:
        """Throw a draft away; one that is gone or live stays as it is."""
        gone = frozenset({400, 404, 409})
        self._client.call("POST", f"{_at(name)}/revisions/{version}/discard", json={}, expected=gone)

    def experiments(self, key: str) -> list[JsonObject]:
        """All of a tracking key, archived ones too, the oldest first."""
        return list(self._pages("/v1/experiments", "experiments", {"trackingKey": key}))

    def create_experiment(self, body: JsonObject) -> JsonObject:
        return part(self._client.call("POST", "/v1/experiments", json=body), "experiment")

    def update_experiment(self, known: str, body: JsonObject) -> JsonObject:
        """Whatever the body says; what it leaves out stays."""
        at = f"/v1/experiments/{quote(known, safe='')}"
        return part(self._client.call("POST", at, json=body, repeatable=True), "experiment")

    def start(self, known: str) -> None:
        """Begin an experiment that is a draft; one that runs already stays as it is.

        Raises:
            BackendFailed: its checklist is not complete, or somebody has ended it.
        """
        at = f"/v1/experiments/{quote(known, safe='')}/start"
        answer = self._client.call("POST", at, json={}, expected=frozenset({409}))
        if answer.status != 409:
            return
        body = answer.body if isinstance(answer.body, dict) else {}
        details = body.get("details")
        if isinstance(details, dict) and details.get("currentStatus") == "running":
            return
        incomplete = body.get("code") == "checklist_incomplete"
        raise BackendFailed(
            "GrowthBook does not start the experiment: "
            + ("its checklist is not complete." if incomplete else "its status is not that of a draft any more."),
            next="A person completes the checklist of such experiments in GrowthBook (an SDK connection is one of its "
            "items), then repeats the call."
            if incomplete
            else "Look at the experiment, then repeat the call.",
            got={"reason": said(answer), **({"missing": _missing(details)} if incomplete else {})},
        )

    def environments(self) -> list[str]:
        found = part(self._client.call("GET", "/v1/environments")).get("environments")
        return [str(each.get("id")) for each in objects(found)]

    def _pages(self, path: str, name: str, params: Mapping[str, str]) -> Iterator[JsonObject]:
        offset = 0
        while True:
            page = {**params, "limit": str(PAGE), "offset": str(offset)}
            body = part(self._client.call("GET", path, params=page))
            found = objects(body.get(name))
            yield from found
            offset += PAGE
            if not found or body.get("hasMore") is not True:
                return


def part(answer: Answer, name: str | None = None) -> JsonObject:
    """The object of that name in an answer, or the whole answer.

    Raises:
        BackendFailed: it is a refusal, or none of GrowthBook's answers.
    """
    if answer.status >= 400:
        raise BackendFailed(
            "GrowthBook refused the call.",
            next="See its reason in `got`.",
            got={"status": answer.status, "reason": said(answer)},
        )
    found = answer.body.get(name) if isinstance(answer.body, dict) and name is not None else answer.body
    if not isinstance(found, dict):
        raise BackendFailed(
            "GrowthBook answers with something else than was asked for.",
            next="See that `url` leads to GrowthBook's API host, without `/api`.",
        )
    return found


def said(answer: Answer) -> str:
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    return "".join(letter if letter.isprintable() else " " for letter in str(message or ""))[:SHOWN]


def _missing(details: JsonValue) -> str:
    items = details.get("remainingChecklistItems") if isinstance(details, dict) else None
    return ", ".join(str(each.get("key")) for each in objects(items))[:SHOWN]


def _at(feature: str) -> str:
    return f"/v2/features/{quote(feature, safe='')}"


def api_of(settings: GrowthbookSettings) -> Api:
    """One for all that have these settings, so that they share its connections and its rate."""
    return _made(settings.url, settings.api_key_env, settings.calls_a_minute)


_made = lru_cache(maxsize=32)(Api)
