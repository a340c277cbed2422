"""What answers in place of etcd or S3: a page, a proxy, another system. It never counts as a document that is missing,
and what it repeats of us is not told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from crossfade.adapters.documents import KeyPrefix, ObjectPrefix, s3_objects
from crossfade.adapters.parameters import Parameters
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed

from ..servers.dripping import Dripping
from ..servers.moto import aws_environment

PASSWORD = "s3cr3t-passw0rd"
Serving = Callable[[int, bytes | None, dict[str, str]], str]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Starts a server that always answers this, None being the call itself; gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def serve(status: int, body: bytes | None, headers: dict[str, str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None: ...

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers.get("content-length") or 0))
                echo = json.dumps({"error": f"permission denied {asked.decode()} {self.headers}"}).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(echo if body is None else body)

            do_GET = do_PUT = do_HEAD = do_POST

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield serve
    for each in servers:
        each.shutdown()
        each.server_close()


def failures(backend: Parameters, settings: JsonObject) -> list[BackendFailed]:
    """Of each way to use a backend."""
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.read(settings, "home", "first"),
        lambda: backend.probe(settings),
        lambda: backend.entries(settings),
        lambda: backend.write(settings, "home", "first", before={"variants": {}}, after=None, fence=1),
        lambda: backend.write(settings, "home", "first", before=None, after={"variants": {}}, fence=1),
    )
    found: list[BackendFailed] = []
    for call in calls:
        with pytest.raises(BackendFailed) as failed:
            call()
        found.append(failed.value)
    return found


@pytest.mark.parametrize("body", [b"{}", b'{"kvs": []}', b'{"header": {}}', b"[]", b"", b'{"status": "ok"}'])
def test_an_answer_of_something_else_than_etcd_is_never_a_document_that_is_missing(
    body: bytes, serving: Serving
) -> None:
    settings: JsonObject = {"endpoints": [serving(200, body, {})], "prefix": "x/"}
    for failure in failures(Parameters(KeyPrefix()), settings):
        assert failure.message == "The answer is not one of etcd."
        assert "endpoints" in failure.next


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
def test_a_password_that_something_before_etcd_repeats_is_not_told(
    status: int, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETCD_PASSWORD", PASSWORD)
    url = serving(status, None, {})
    settings: JsonObject = {"endpoints": [url], "prefix": "x/", "user": "u", "password_env": "ETCD_PASSWORD"}
    for failure in failures(Parameters(KeyPrefix()), settings):
        assert PASSWORD not in json.dumps(failure.as_dict())


PAGE = b"<html>Nothing here.</html>"
LIST = b"<Other><Name>x</Name></Other>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (301, PAGE, {"Location": "http://127.0.0.1:1/"}, "sends on"),
        (307, b"", {"Location": "http://127.0.0.1:1/"}, "sends on"),
        (404, PAGE, {}, "no S3 at this address"),
        (404, b"", {}, "no S3 at this address"),
        (200, PAGE, {}, ""),
        (200, LIST, {}, "not one of S3"),
        (403, b"<Error><Code>Signature=abc, Credential</Code></Error>", {}, ""),
    ],
)
def test_an_answer_of_something_else_than_s3_is_never_a_document_that_is_missing(
    status: int, body: bytes, headers: dict[str, str], told: str, serving: Serving
) -> None:
    url = serving(status, body, headers)
    settings: JsonObject = {"bucket": "bucket", "region": "eu-north-1", "endpoint": url, "prefix": "x/"}
    with aws_environment():
        for failure in failures(Parameters(ObjectPrefix()), settings):
            assert told in failure.message
            assert "Signature" not in json.dumps(failure.as_dict())


def test_a_call_of_s3_ends_whatever_comes_in_pieces_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_objects, "CALL_SECONDS", 0.5)
    head = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 100000\r\n\r\n'
    with aws_environment(), Dripping(head, b" ") as server:
        settings: JsonObject = {"bucket": "bucket", "region": "eu-north-1", "endpoint": server.url, "prefix": "x/"}
        with pytest.raises(BackendFailed) as failed:
            Parameters(ObjectPrefix()).read(settings, "home", "first")
    assert failed.value.retryable
    assert failed.value.got == {"reason": "too slow", "bucket": "bucket"}
