"""The few calls of etcd that documents need, over the JSON gateway that each of its members serves."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Sequence
from typing import TypeVar

from pydantic import Base64Bytes, JsonValue, ValidationError

from ...core.deadline import side_by_side
from ...core.documents import JsonObject
from ...core.errors import BackendDenied, BackendFailed
from ...core.model.strict import StrictModel
from ..http import Certificate, HttpClient, secret, without_secrets

ASKED_SECONDS = 15.0
"""After which no further member is asked: whoever waits holds a lease."""
_REFUSED = frozenset({400, 401, 403, 429})
_LARGE = (
    "The document is larger than etcd takes.",
    "A person raises etcd's `--max-request-bytes`, or moves the documents to another backend.",
)
_FULL = (
    "etcd has no space left.",
    "A person compacts and defragments etcd and disarms its alarm; then repeat the call.",
)
_NO_USER = (
    "etcd asks for a user.",
    "A person gives this backend the settings `user` and `password_env`.",
)
_WRONG_USER = (
    "etcd does not take the user and password.",
    "A person corrects the setting `user`, or the environment variable that `password_env` names.",
)
_NO_USERS = (
    "etcd has authentication turned off, so it knows no user.",
    "A person turns it on, or takes `user` and `password_env` out of the backend's settings.",
)
_DENIED = (
    "etcd does not let this user do that.",
    "A person gives a role of the user the right to read and write the keys that the settings name.",
)
_REFUSALS = {
    "request is too large": _LARGE,
    "larger than max": _LARGE,
    "database space exceeded": _FULL,
    "user name is empty": _NO_USER,
    "authentication failed": _WRONG_USER,
    "authentication is not enabled": _NO_USERS,
    "permission denied": _DENIED,
}
"""What etcd says -> message, what to do next."""
_OLD_TOKEN = ("invalid auth token", "revision of auth store is old")


class _Stored(StrictModel, extra="ignore"):
    key: Base64Bytes
    mod_revision: str
    value: Base64Bytes = b""


class _Header(StrictModel, extra="ignore"):
    cluster_id: str
    revision: str


class _Range(StrictModel, extra="ignore"):
    header: _Header
    """What every answer of etcd has. Without it, something else answers, and no key is not one that is missing."""
    kvs: tuple[_Stored, ...] = ()


class _Written(StrictModel, extra="ignore"):
    header: _Header
    succeeded: bool = False
    """What is false is left out."""


class _Status(StrictModel, extra="ignore"):
    header: _Header
    version: str | None = None


class Gateway:
    """One cluster. Threads may share it."""

    def __init__(
        self,
        endpoints: tuple[str, ...],
        user: str | None = None,
        password_env: str | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self._members = [_Member(endpoint, user, password_env, certificate) for endpoint in endpoints]

    def get(self, key: str) -> tuple[bytes, str] | None:
        """The value of a key and the revision of its last change; None when there is none.

        Raises:
            BackendFailed: as all methods here: no member answers, or one refuses.
        """
        for each in self._range({"key": _encoded(key)}):
            return each.value, each.mod_revision
        return None

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, sorted."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._range({"key": _encoded(prefix), "range_end": _encoded(end), "keys_only": True})
        return sorted(each.key.decode("utf-8", "replace") for each in found)

    def version(self) -> str | None:
        """Of the members that answer.

        Raises:
            BackendFailed: as all methods here; or the members are of several clusters, of which each would hold a part
                of what was written.
        """
        answers = [each for each in side_by_side(ASKED_SECONDS, [each.status for each in self._members]) if each]
        if len({each.header.cluster_id for each in answers}) > 1:
            raise BackendFailed(
                "The endpoints are members of different clusters of etcd.",
                next="Name members of one cluster only in `endpoints`.",
            )
        found = answers or [_read(_Status, self._call("/v3/maintenance/status", {}))]
        return found[0].version

    def put(self, key: str, value: bytes, revision: str | None) -> bool:
        """Set the key where its last change is of that revision, None for a key that is not there; whether it was set.

        A repeat does no harm, and fails where the first one had its effect.
        """
        compare: JsonObject = {
            "key": _encoded(key),
            "target": "MOD",
            "result": "EQUAL",
            "mod_revision": revision or "0",
        }
        change: JsonObject = {"request_put": {"key": _encoded(key), "value": base64.b64encode(value).decode()}}
        answer = self._call("/v3/kv/txn", {"compare": [compare], "success": [change]})
        return _read(_Written, answer).succeeded

    def _range(self, body: JsonObject) -> tuple[_Stored, ...]:
        return _read(_Range, self._call("/v3/kv/range", body)).kvs

    def _call(self, path: str, body: JsonObject) -> JsonObject:
        """The answer of the first member that gives one. The one that did last is asked first, and when asking took too
        long, no other one."""
        end = time.monotonic() + ASKED_SECONDS
        for number, member in enumerate(tuple(self._members)):
            try:
                answer = member.call(path, body)
            except BackendFailed as failure:
                late = time.monotonic() > end
                if not failure.retryable or late or number == len(self._members) - 1:
                    raise
                continue
            if number:
                self._members = [member, *(each for each in self._members if each is not member)]
            return answer
        raise AssertionError("settings name at least one endpoint")


class _Member:
    """One member of a cluster, and our session with it."""

    def __init__(
        self, endpoint: str, user: str | None, password_env: str | None, certificate: Certificate | None
    ) -> None:
        self._user = user
        self._password_env = password_env
        self._token: str | None = None
        self._signing_in = threading.Lock()
        self._door = HttpClient("etcd", endpoint, setting="endpoints", certificate=certificate)
        self._http = HttpClient("etcd", endpoint, setting="endpoints", certificate=certificate, secrets=self._headers)

    def call(self, path: str, body: JsonObject) -> JsonObject:
        """What the member answers; all our calls may be repeated.

        Raises:
            BackendFailed: it cannot be reached or refuses.
        """
        used = self._token
        status, answer = _sent(self._http, path, body)
        if used is not None and any(words in _said(answer) for words in _OLD_TOKEN):
            self._forget(used)
            status, answer = _sent(self._http, path, body)
        if status >= 400:
            raise self._refusal(status, answer)
        if not isinstance(answer, dict):
            raise _not_etcd()
        return answer

    def _refusal(self, status: int, answer: JsonValue) -> BackendFailed:
        token, user = self._token, self._user
        password = [secret(self._password_env or "", in_header=False)] if user is not None else []
        return _refusal(status, answer, [*password, *([token] if token is not None else [])])

    def status(self) -> _Status | None:
        """None where it does not answer."""
        try:
            return _read(_Status, self.call("/v3/maintenance/status", {}))
        except BackendFailed:
            return None

    def _headers(self) -> dict[str, str]:
        if self._user is None:
            return {}
        with self._signing_in:
            if self._token is None:
                self._token = self._signed_in(self._user)
            return {"authorization": self._token}

    def _signed_in(self, user: str) -> str:
        password = secret(self._password_env or "", in_header=False)
        body: JsonObject = {"name": user, "password": password}
        status, answer = _sent(self._door, "/v3/auth/authenticate", body, [password])
        if status >= 400:
            raise _refusal(status, answer, [password])
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise _not_etcd()
        return token

    def _forget(self, token: str) -> None:
        with self._signing_in:
            if self._token == token:
                self._token = None


def _encoded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


Answered = TypeVar("Answered", bound=StrictModel)


def _read(model: type[Answered], answer: JsonObject) -> Answered:
    try:
        return model.model_validate(answer)
    except ValidationError:
        raise _not_etcd() from None


def _not_etcd() -> BackendFailed:
    return BackendFailed("The answer is not one of etcd.", next="Correct the setting `endpoints` in the catalogue.")


def _sent(http: HttpClient, path: str, body: JsonObject, hidden: Sequence[str] = ()) -> tuple[int, JsonValue]:
    answer = http.call("POST", path, json=body, repeatable=True, expected=_REFUSED, hidden=hidden)
    return answer.status, answer.body


def _said(answer: JsonValue) -> str:
    return str(answer.get("error", "")) if isinstance(answer, dict) else ""


def _refusal(status: int, answer: JsonValue, secrets: Sequence[str]) -> BackendFailed:
    """Our words for what a member refused; its own are only in `got`."""
    said = _said(answer)
    busy = ("etcd asks for fewer calls.", "Wait, then repeat the call.")
    otherwise = busy if status == 429 else ("etcd refused the call.", "See its reason in `got`.")
    message, then = next((words for part, words in _REFUSALS.items() if part in said), otherwise)
    retryable = status == 429 and (message, then) == otherwise
    failure = BackendDenied if (message, then) in (_NO_USER, _WRONG_USER, _DENIED) else BackendFailed
    return failure(
        message, next=then, got={"status": status, "reason": without_secrets(said, secrets)}, retryable=retryable
    )
