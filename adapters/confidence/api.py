"""The calls of Confidence's flags API that an entry needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from pydantic import JsonValue

from ...core.documents import JsonObject, objects
from ...core.errors import BackendFailed
from ..http import Answer, HttpClient
from .capabilities import CALLS_A_MINUTE
from .settings import ConfidenceSettings
from .tokens import Tokens

PAGE = "100"
LABEL = "crossfade"
"""The label of every flag of ours; its value says what the flag is."""
FlagKind = Literal["experiment", "owner"]
_GONE, _TAKEN, _UNMET = frozenset({404}), frozenset({409}), frozenset({400, 409})
"""Statuses of NOT_FOUND, ALREADY_EXISTS and FAILED_PRECONDITION."""


class Api:
    """Everything may raise BackendFailed: no answer came, or a refusal."""

    def __init__(self, url: str, iam_url: str, id_env: str, secret_env: str, token_env: str | None) -> None:
        self._tokens = Tokens(iam_url, id_env, secret_env, token_env)
        self._client = HttpClient(
            "Confidence",
            url,
            secrets=lambda: {"authorization": f"Bearer {self._tokens.current()}"},
            calls_a_minute=CALLS_A_MINUTE,
        )

    def flag(self, name: str) -> JsonObject | None:
        """A flag as it is, also one that is archived; None when there is none."""
        answer = self._call("GET", f"/v1/flags/{name}", expected=_GONE)
        return None if answer.status == 404 else _object(answer.body)

    def flags(self) -> Iterator[JsonObject]:
        return self._listed("flags")

    def create_flag(self, name: str, kind: FlagKind, description: str) -> bool:
        """Make a flag without rules; False when there is one of that name, archived or not. Of several at once one
        makes it."""
        body: JsonObject = {"description": description, "labels": {LABEL: kind}}
        return self._call("POST", "/v1/flags", json=body, params={"flagId": name}, expected=_TAKEN).status != 409

    def change_flag(self, name: str, **fields: JsonValue) -> None:
        """Set fields of a flag, all at once."""
        mask = {"updateMask": ",".join(fields)}
        body: JsonObject = {"name": f"flags/{name}", **fields}
        self._call("PATCH", f"/v1/flags/{name}", json=body, params=mask, repeatable=True)

    def add_client(self, flag: str, client: str) -> None:
        body: JsonObject = {"client": client}
        self._call("POST", f"/v1/flags/{flag}:addFlagClient", json=body, repeatable=True)

    def remove_client(self, flag: str, client: str) -> None:
        body: JsonObject = {"client": client}
        self._call("POST", f"/v1/flags/{flag}:removeFlagClient", json=body, repeatable=True)

    def create_rule(self, flag: str, rule: JsonObject) -> str:
        """Make a rule, which begins switched off; its name."""
        made = self._call("POST", f"/v1/flags/{flag}/rules", json={**rule, "enabled": False})
        return str(_object(made.body).get("name"))

    def segment(self, name: str) -> JsonObject | None:
        answer = self._call("GET", f"/v1/{name}", expected=_GONE)
        return None if answer.status == 404 else _object(answer.body)

    def segments(self) -> Iterator[JsonObject]:
        return self._listed("segments")

    def create_segment(self, segment: JsonObject) -> JsonObject:
        return _object(self._call("POST", "/v1/segments", json=segment).body)

    def change_segment(self, name: str, segment: JsonObject) -> None:
        """Of one that is not allocated yet."""
        mask = {"updateMask": ",".join(segment)}
        self._call("PATCH", f"/v1/{name}", json={"name": name, **segment}, params=mask, repeatable=True)

    def allocate(self, name: str) -> bool:
        """Whether Confidence gave the segment its units."""
        return self._call("POST", f"/v1/{name}:allocate", json={}, expected=_UNMET).status < 400

    def archive_segment(self, name: str) -> bool:
        """Whether a segment gave its units back; it does not while a rule refers to it, or before it had any."""
        return self._call("POST", f"/v1/{name}:archive", json={}, expected=_UNMET).status < 400

    def available(self, segment: str) -> str | None:
        """The share that is free for a segment, as Confidence writes it."""
        answer = self._call("POST", f"/v1/{segment}:segmentAvailableSpace", json={}, repeatable=True)
        match answer.body:
            case {"availableSpace": {"value": str(share)}}:
                return share
            case _:
                return None

    def _listed(self, what: Literal["flags", "segments"]) -> Iterator[JsonObject]:
        params = {"pageSize": PAGE}
        while True:
            page = _object(self._call("GET", f"/v1/{what}", params=params).body)
            yield from objects(page.get(what))
            token = page.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return
            params["pageToken"] = token

    def _call(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: dict[str, str] | None = None,
        repeatable: bool | None = None,
        expected: frozenset[int] = frozenset(),
    ) -> Answer:
        """A call; one that is refused for its token did nothing, so it is made again with a new one."""
        renewable = self._tokens.renewable
        used = self._tokens.current()
        first = expected | {401} if renewable else expected
        answer = self._client.call(method, path, json=json, params=params, repeatable=repeatable, expected=first)
        if answer.status != 401:
            return answer
        self._tokens.drop(used)
        return self._client.call(method, path, json=json, params=params, repeatable=repeatable, expected=expected)


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise BackendFailed(
            "Confidence answers with something else than a flag or a segment.",
            next="See that the backend's settings lead to Confidence itself.",
        )
    return value


def api_of(settings: ConfidenceSettings) -> Api:
    """One for all that have these settings, with the connections to Confidence and the token."""
    return _made(
        settings.flags_url, settings.iam_url, settings.client_id_env, settings.client_secret_env, settings.token_env
    )


_made = lru_cache(maxsize=32)(Api)
