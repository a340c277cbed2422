"""The calls of Unleash's admin API that an entry needs, in one project and one of its environments."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.errors import BackendDenied, BackendFailed
from ..http import HttpClient, secret
from ..http.client import Answer
from .rights import THEN, require_rights
from .settings import UnleashSettings

FlagType = Literal["experiment", "operational"]


class Api:
    """Everything may raise BackendFailed: no answer came, or a refusal."""

    def __init__(self, url: str, token_env: str, project: str, environment: str) -> None:
        self.environment = environment
        self._project = project
        self._of_project = f"/api/admin/projects/{quote(project)}"
        self._flags = f"{self._of_project}/features"
        self._client = HttpClient("Unleash", url, secrets=lambda: {"authorization": secret(token_env)})

    def flag(self, name: str) -> JsonObject | None:
        """A flag as it is; None when there is none, or when it is archived."""
        answer = self._call("GET", self._at(name), expected=frozenset({404}))
        if answer.status == 404:
            _require_absent(answer.body, name)
            return None
        flag = _object(answer.body)
        if flag.get("name") != name:
            raise _no_flag()
        return flag

    def version(self) -> str | None:
        version = _object(self._call("GET", "/api/admin/ui-config").body).get("version")
        return version if isinstance(version, str) else None

    def require_environment(self) -> None:
        """
        Raises:
            BackendFailed: there is no such project, or it has no such environment.
        """
        answer = self._call("GET", f"{self._of_project}/overview", expected=frozenset({404}))
        if answer.status == 404:
            raise BackendFailed(
                "Unleash has no such project.",
                next="Correct the backend's `project`, or its `url`, in the catalogue.",
                got=self._project,
            )
        known = objects(_object(answer.body).get("environments"))
        if all(each.get("environment") != self.environment for each in known):
            raise self._no_environment()

    def archived(self, name: str) -> JsonObject | None:
        """The description and little else of a flag that is archived. Unleash has no call that reads it: this one
        patches nothing."""
        answer = self._call("PATCH", self._at(name), json=[], repeatable=True, expected=frozenset({404}))
        return None if answer.status == 404 else _object(answer.body)

    def descriptions(self) -> dict[str, str]:
        """Name -> description of every flag of the project that is not archived."""
        return {str(each.get("name")): str(each.get("description") or "") for each in self._listed()}

    def switched_on(self) -> dict[str, list[JsonObject]]:
        """Name -> tags of every flag of the project that is on in our environment."""
        on = [each for each in self._listed() if self.here(each).get("enabled") is True]
        return {str(each.get("name")): objects(each.get("tags")) for each in on}

    def segments(self) -> dict[str, list[JsonObject]]:
        """Id -> the constraints of every segment."""
        found = objects(_object(self._call("GET", "/api/admin/segments").body).get("segments"))
        return {str(each.get("id")): objects(each.get("constraints")) for each in found}

    def create(self, name: str, kind: FlagType, description: str) -> bool:
        """Make a flag; False when there is one of that name, archived or not. Of several at once one makes it."""
        body: JsonObject = {"name": name, "type": kind, "description": description}
        body["impressionData"] = kind == "experiment"
        taken = frozenset({409})
        return self._call("POST", self._flags, json=body, expected=taken).status != 409

    def change(self, name: str, **fields: JsonValue) -> None:
        patch: list[JsonValue] = [{"op": "replace", "path": f"/{each}", "value": to} for each, to in fields.items()]
        self._call("PATCH", self._at(name), json=patch, repeatable=True)

    def depend(self, name: str, parent: str, variants: list[str]) -> None:
        """Let a flag be evaluated only where another has one of these variants, in place of what it depended on."""
        body: JsonObject = {"feature": parent, "enabled": True, "variants": list[JsonValue](variants)}
        self._call("POST", f"{self._at(name)}/dependencies", json=body, repeatable=True)

    def add_strategy(self, name: str, strategy: JsonObject) -> None:
        self._call("POST", self._strategies(name), json=strategy)

    def put_strategy(self, name: str, known: str, strategy: JsonObject) -> None:
        self._call("PUT", f"{self._strategies(name)}/{quote(known)}", json=strategy, repeatable=True)

    def strategies_of_archived(self, name: str) -> list[JsonObject]:
        """The strategies of a flag that `flag` does not find, in our environment."""
        return objects(self._call("GET", self._strategies(name)).body)

    def drop_strategy(self, name: str, known: str) -> None:
        at = f"{self._strategies(name)}/{quote(known)}"
        self._call("DELETE", at, repeatable=True, expected=frozenset({404}))

    def switch(self, name: str, on: bool) -> None:
        """Turn a flag on or off. One without an enabled strategy must never be turned on: Unleash gives it one for
        everybody."""
        at = f"{self._at(name)}/environments/{quote(self.environment)}/{'on' if on else 'off'}"
        self._call("POST", at, repeatable=True)

    def archive(self, name: str) -> None:
        self._call("DELETE", self._at(name), repeatable=True)

    def revive(self, name: str) -> None:
        """Bring an archived flag back, turned off and without what it depended on."""
        self._call("POST", f"/api/admin/archive/revive/{quote(name)}", repeatable=True)

    def here(self, flag: JsonObject) -> JsonObject:
        """What a flag is in our environment.

        Raises:
            BackendFailed: the project has no such environment.
        """
        for each in objects(flag.get("environments")):
            if each.get("name") == self.environment:
                return each
        raise self._no_environment()

    def require_rights(self) -> None:
        """
        Raises:
            BackendDenied: the token may not do what a launch and a stop take.
        """
        found = _object(self._call("GET", "/api/admin/user").body)
        require_rights(found.get("permissions"), self._project, self.environment)

    def strategies(self, flag: JsonObject) -> list[JsonObject]:
        """The strategies of a flag in our environment, in the order in which they are tried."""
        found = objects(self.here(flag).get("strategies"))
        return sorted(found, key=lambda each: (_number(each.get("sortOrder")), str(each.get("id"))))

    def _no_environment(self) -> BackendFailed:
        return BackendFailed(
            "The project in Unleash has no such environment.",
            next="Correct the backend's `environment` in the catalogue, or let the project have it.",
            got=self.environment,
        )

    def _call(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        repeatable: bool | None = None,
        expected: frozenset[int] = frozenset(),
    ) -> Answer:
        try:
            return self._client.call(method, path, json=json, repeatable=repeatable, expected=expected)
        except BackendDenied as denied:
            denied.next = THEN  # also of a token that products use, which can be given no rights here
            raise

    def _listed(self) -> list[JsonObject]:
        return objects(_object(self._call("GET", self._flags).body).get("features"))

    def _at(self, name: str) -> str:
        return f"{self._flags}/{quote(name, safe='')}"

    def _strategies(self, name: str) -> str:
        return f"{self._at(name)}/environments/{quote(self.environment)}/strategies"


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _no_flag()
    return value


def _no_flag() -> BackendFailed:
    return BackendFailed(
        "Unleash answers with something else than a flag.", next="See that `url` leads to Unleash itself."
    )


_ELSEWHERE = "but there's a feature with that name in project"
_ASTRAY = "path you were looking for"


def _require_absent(body: JsonValue, name: str) -> None:
    """
    Raises:
        BackendFailed: a 404 says something else than that there is no such flag. What is taken for absent though it is
            on somewhere else would count as stopped.
    """
    said = str(body.get("message")) if isinstance(body, dict) and body.get("name") == "NotFoundError" else _ASTRAY
    if _ASTRAY in said:
        then = "Correct the backend's `url` in the catalogue."
        raise BackendFailed("Unleash has nothing at this address.", next=then)
    if _ELSEWHERE in said:
        raise BackendFailed(
            "The flag is in another project of Unleash, where this backend neither reads nor changes it.",
            next="A person moves it back to the project that the catalogue names; then repeat this.",
            got=name,
        )


def api_of(settings: UnleashSettings) -> Api:
    """One for all that have these settings, with the connections to Unleash."""
    return _made(settings.url, settings.token_env, settings.project, settings.environment)


_made = lru_cache(maxsize=32)(Api)
