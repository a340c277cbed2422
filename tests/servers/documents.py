"""A small server of JSON documents with compare-and-swap by version, for what holds of every system behind HTTP, and
the place in which our adapters keep documents there."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from crossfade.adapters.documents import untold
from crossfade.adapters.documents.document import Edit
from crossfade.adapters.entries import require_name
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.http import HttpClient
from crossfade.adapters.owners import Owner
from crossfade.adapters.parameters import Parameters
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed
from crossfade.core.ports.backend import Backend, Location
from crossfade.core.ports.capabilities import Promises
from crossfade.core.ports.clock import Clock

from .listening import Handler, Listener

TRIES = 20
"""Writes of one update that others may come before."""


class DocumentServer:
    """Serves from a free port of this machine until it is closed.

    GET /documents/FOLDER lists {"names": [...]}; GET /documents/FOLDER/NAME answers {"version", "document"} or 404; PUT
    there takes the same, with the version that is to be replaced or null for none, and answers 200, or 409 where
    another version stands.
    """

    def __init__(self) -> None:
        self.stored: dict[str, tuple[int, JsonObject]] = {}
        self._lock = threading.Lock()
        self._server = Listener(self, _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, Any]:
        with self._lock:
            if path in self.stored:
                version, document = self.stored[path]
                return 200, {"version": version, "document": document}
            if path.count("/") == 2:
                return 200, {"names": sorted(each.rpartition("/")[2] for each in self.stored if each.startswith(path))}
        return 404, {"message": "There is no such document."}

    def put(self, path: str, body: Any) -> tuple[int, Any]:
        with self._lock:
            there = self.stored[path][0] if path in self.stored else None
            if there != body["version"]:
                return 409, {"message": "Another version stands."}
            self.stored[path] = ((there or 0) + 1, body["document"])
            return 200, {"version": self.stored[path][0]}


class _Handler(Handler[DocumentServer]):
    def do_GET(self) -> None:
        self._send(*self.server.served.answer(self.path))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._send(*self.server.served.put(self.path, json.loads(body)))

    def _send(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class ServedDocument:
    """A document there, as an adapter sees it."""

    def __init__(self, http: HttpClient, path: str) -> None:
        self._http = http
        self._path = path

    def read(self) -> JsonObject | None:
        return self._versioned()[1]

    def update(self, edit: Edit) -> None:
        for _ in range(TRIES):
            version, found = self._versioned()
            changed = edit(found)
            if changed is None or self._put(version, changed):
                return
        raise BackendFailed("Others keep the document busy.", next="Repeat the call.", retryable=True)

    def _versioned(self) -> tuple[int | None, JsonObject | None]:
        answer = self._http.call("GET", self._path, expected=frozenset({404}))
        if answer.status == 404:
            return None, None
        body = answer.body
        version, document = (body.get("version"), body.get("document")) if isinstance(body, dict) else (None, None)
        if not isinstance(version, int) or not isinstance(document, dict):
            raise BackendFailed("The answer holds no document.", next="Repeat the call.", retryable=True)
        return version, document

    def _put(self, version: int | None, document: JsonObject) -> bool:
        # A repeat does no harm: it finds another version where the first one had its effect.
        body: JsonObject = {"version": version, "document": document}
        answer = self._http.call("PUT", self._path, json=body, repeatable=True, expected=frozenset({409}))
        return answer.status == 200


def there(url: str) -> dict[str, JsonObject]:
    """What a catalogue says of two backends, `flags` and `texts`, whose documents lie there."""
    return {
        "flags": {"kind": "growthbook_served", "settings": {"url": url, "folder": "flags"}},
        "texts": {"kind": "parameters_served", "settings": {"url": url, "folder": "texts"}},
    }


class Unheard(ServedDocument):
    """A control: it says that a write is done which it has only sent, and gives back what it would have written."""

    def __init__(self, http: HttpClient, path: str, sent: dict[str, JsonObject], at: str) -> None:
        super().__init__(http, path)
        self._sent = sent
        self._at = at

    def read(self) -> JsonObject | None:
        return self._sent.get(self._at) or super().read()

    def update(self, edit: Edit) -> None:
        changed = edit(self.read())
        if changed is None:
            return
        self._sent[self._at] = changed
        with suppress(BackendFailed):
            super().update(lambda _: changed)


class ServedDocuments:
    """The place: `url` of the server, and `folder` there."""

    kind: str = "served"
    local_paths: tuple[str, ...] = ()
    promises: Promises = Promises(compare_and_swap=True, atomic=True)
    version = untold

    def __init__(self) -> None:
        self._clients: dict[str, HttpClient] = {}

    def adapters(self, clock: Clock, owner: Owner) -> dict[str, Backend]:
        """Those that keep their documents here, by kind."""
        made: tuple[Backend, ...] = (GrowthbookPayload(self, clock, owner), Parameters(self, owner))
        return {each.kind: each for each in made}

    def location(self, settings: JsonObject) -> str | None:
        return f"{settings['url']}/{settings['folder']}"

    def locations(self, settings: JsonObject) -> list[Location]:
        return [Location(f"{self.location(settings)}/", "")]

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return []

    def document(self, settings: JsonObject, name: str) -> ServedDocument:
        return ServedDocument(self._client(settings), f"{self._folder(settings)}/{require_name(name, 'document')}")

    def names(self, settings: JsonObject) -> list[str]:
        body = self._client(settings).call("GET", self._folder(settings)).body
        names = body.get("names") if isinstance(body, dict) else None
        if not isinstance(names, list):
            raise BackendFailed("The answer holds no names.", next="Repeat the call.", retryable=True)
        return [str(name) for name in names]

    def close(self) -> None:
        for each in self._clients.values():
            each.close()

    def _client(self, settings: JsonObject) -> HttpClient:
        url = str(settings["url"])
        return self._clients.setdefault(url, HttpClient("The document server", url))

    def _folder(self, settings: JsonObject) -> str:
        return f"/documents/{settings['folder']}"


class Forgetful(ServedDocuments):
    """A control: the place of documents whose writes nobody makes sure of."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, JsonObject] = {}

    def document(self, settings: JsonObject, name: str) -> ServedDocument:
        path = f"{self._folder(settings)}/{require_name(name, 'document')}"
        return Unheard(self._client(settings), path, self._sent, f"{settings['url']}{path}")
