"""Access tokens, which Confidence gives for the id and secret of an API client."""

from __future__ import annotations

import re
import threading
import time

from pydantic import JsonValue

from ...core.errors import BackendDenied
from ..http import HttpClient, secret

MARGIN = 60.0
"""Seconds before its end in which a token is not used any more."""
_REFUSED = frozenset({400, 401, 403})
_TOKEN = re.compile("[!-~]+")
"""What a header can carry."""


class Tokens:
    """The token of one API client, or one of the user's own. Threads share it."""

    def __init__(self, url: str, id_env: str, secret_env: str, token_env: str | None) -> None:
        self._client = HttpClient("Confidence", url)
        self._id_env, self._secret_env, self._token_env = id_env, secret_env, token_env
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    @property
    def renewable(self) -> bool:
        return self._token_env is None

    def current(self) -> str:
        """
        Raises:
            BackendUnready: a secret is not set.
            BackendDenied: Confidence does not know the API client.
            BackendFailed: it cannot be asked.
        """
        if self._token_env is not None:
            return secret(self._token_env)
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, seconds = self._asked()
                self._until = time.monotonic() + max(0.0, seconds - MARGIN)
            return self._token

    def drop(self, token: str) -> None:
        """One that Confidence does not take any more; another thread may have a new one already."""
        with self._lock:
            if self._token == token:
                self._until = 0.0

    def _asked(self) -> tuple[str, float]:
        asked, hidden = {"grantType": "client_credentials", "clientId": secret(self._id_env)}, secret(self._secret_env)
        answer = self._client.call(
            "POST",
            "/v1/oauth/token",
            json={**asked, "clientSecret": hidden},
            repeatable=True,
            expected=_REFUSED,
            hidden=[hidden],
        )
        match answer.body:
            case {"accessToken": str(token), **more} if answer.status < 400 and _TOKEN.fullmatch(token):
                return token, _seconds(more.get("expiresIn"))
            case _:  # what it says may repeat the secret
                raise BackendDenied(
                    "Confidence gives no access token for this id and secret.",
                    next=f"A person sets {self._id_env} and {self._secret_env} to those of an API client.",
                    got={"status": answer.status},
                )


def _seconds(told: JsonValue) -> float:
    """For how long a token is taken. Where that is not told in seconds it is asked for anew each time."""
    return float(told) if isinstance(told, str | int) and str(told).isdecimal() else 0.0
