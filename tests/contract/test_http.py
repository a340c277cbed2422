"""What an adapter is told when the system behind HTTP, or something on the way to it, misbehaves."""

from __future__ import annotations

import gc
import gzip
import json
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, get_args

import httpx
import pytest

from crossfade.adapters.http import HttpClient, client, secret, secret_problem
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendDenied, BackendFailed, BackendUnreachable, BackendUnready
from crossfade.core.tracing import TRACEPARENT

from ..servers.documents import DocumentServer
from ..servers.dripping import Dripping
from ..servers.proxy import EFFECT, RETRY_AFTER, Fault, FaultProxy, How

ALWAYS = 1_000
PATH = "/documents/texts/home"
TOKEN = "s3cr3t-t0ken"
NO_WHOLE_ANSWER = "System took the call and gave no whole answer, so whether it did anything is not known."
NO_JSON = "System answers with something that is no JSON, so whether it did anything is not known."
FAILED = "System failed by itself."
TOLD: dict[How, str] = {
    "refused": NO_WHOLE_ANSWER,
    "hung": NO_WHOLE_ANSWER,
    "reset": NO_WHOLE_ANSWER,
    "unanswered": NO_WHOLE_ANSWER,
    "dripping": NO_WHOLE_ANSWER,
    "busy": "System asks for fewer calls.",
    "broken": FAILED,
    "failed after": FAILED,
    "page": NO_JSON,
    "truncated": NO_JSON,
}
SPOILT = sorted(TOLD)


@pytest.fixture(scope="module")
def documents() -> Iterator[DocumentServer]:
    server = DocumentServer()
    yield server
    server.close()


@pytest.fixture
def proxy(documents: DocumentServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """What is on the way to a server of documents, of which one is there."""
    monkeypatch.setattr(client, "READ_SECONDS", 1.0)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(client, "QUICK", 0.9)
    monkeypatch.setattr(client, "PAUSE", 0.0)
    documents.stored = {PATH: (1, {"title": "For you"})}
    between = FaultProxy(documents.url)
    yield between
    between.close()


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[HttpClient]:
    caller = HttpClient("System", proxy.url, secrets=lambda: {"authorization": f"Bearer {TOKEN}"})
    yield caller
    caller.close()


def refusal(call: Callable[[], object]) -> BackendFailed:
    with pytest.raises(BackendFailed) as refused:
        call()
    shown = "".join(traceback.format_exception(refused.value)) + json.dumps(refused.value.as_dict())
    assert TOKEN not in shown
    return refused.value


def test_each_way_to_spoil_a_call_is_tried() -> None:
    assert {*TOLD, "slow"} == set(get_args(How)) == set(EFFECT)


@pytest.mark.parametrize("how", SPOILT)
def test_a_call_that_is_spoilt_each_time_is_a_failure_that_a_repeat_may_mend(
    how: How, proxy: FaultProxy, http: HttpClient
) -> None:
    proxy.inject(Fault(how, times=ALWAYS))
    failure = refusal(lambda: http.call("GET", PATH))
    assert failure.message == TOLD[how]
    assert failure.retryable
    assert failure.next
    assert failure.retry_after == (RETRY_AFTER if how == "busy" else None)


@pytest.mark.parametrize("how", SPOILT)
def test_a_reading_call_that_fails_fast_is_made_twice(how: How, proxy: FaultProxy, http: HttpClient) -> None:
    proxy.inject(Fault(how))
    if how in ("busy", "hung", "dripping"):  # who asks to be left alone, or hangs, is not asked again at once
        refusal(lambda: http.call("GET", PATH))
        assert len(proxy.calls) == 1
    else:
        assert http.call("GET", PATH).body == {"version": 1, "document": {"title": "For you"}}
        assert len(proxy.calls) == 2


@pytest.mark.parametrize("how", SPOILT)
def test_a_call_that_may_not_be_repeated_is_made_once(
    how: How, proxy: FaultProxy, http: HttpClient, documents: DocumentServer
) -> None:
    proxy.inject(Fault(how))
    refusal(lambda: http.call("PUT", PATH, json={"version": 1, "document": {}}))
    assert len(proxy.calls) == 1
    assert documents.stored[PATH][0] == (2 if EFFECT[how] else 1)


@pytest.mark.parametrize("how", ["refused", "broken", "page"])
def test_a_writing_call_that_may_be_repeated_is(
    how: How, proxy: FaultProxy, http: HttpClient, documents: DocumentServer
) -> None:
    proxy.inject(Fault(how))
    assert http.call("PUT", PATH, json={"version": 1, "document": {}}, repeatable=True).body == {"version": 2}
    assert documents.stored[PATH][0] == 2


def test_a_slow_answer_is_an_answer(proxy: FaultProxy, http: HttpClient) -> None:
    proxy.inject(Fault("slow"))
    assert http.call("GET", PATH).status == 200
    assert len(proxy.calls) == 1


def test_where_nobody_listens_nothing_can_have_happened(proxy: FaultProxy, http: HttpClient) -> None:
    http.call("GET", PATH)
    proxy.close()
    failure = refusal(lambda: http.call("PUT", PATH, json={}))
    assert isinstance(failure, BackendUnreachable)
    assert failure.retryable
    assert failure.got == {"url": proxy.url, "reason": "ConnectError"}


def test_a_status_that_the_caller_expects_is_an_answer(http: HttpClient) -> None:
    answer = http.call("GET", "/documents/texts/search", expected=frozenset({404}))
    assert (answer.status, answer.body) == (404, {"message": "There is no such document."})


def test_threads_share_a_client(documents: DocumentServer) -> None:
    documents.stored = {PATH: (1, {"title": "For you"})}
    http = HttpClient("System", documents.url)

    def status(_: int) -> int:
        return http.call("GET", PATH).status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(status, range(200))) == {200}
    http.close()


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_callers_trace_is_sent_on_and_none_is_made_up(proxy: FaultProxy, http: HttpClient) -> None:
    token = TRACEPARENT.set(TRACE)
    http.call("GET", PATH)
    TRACEPARENT.reset(token)
    http.call("GET", PATH)
    assert [call.headers.get("traceparent") for call in proxy.calls] == [TRACE, None]
    assert {call.headers["authorization"] for call in proxy.calls} == {f"Bearer {TOKEN}"}


def answering(
    status: int, body: str | bytes = b"", headers: Mapping[str, str] | None = None, base: str = "http://system.test"
) -> HttpClient:
    """A client of a system that always answers this."""
    # An encoding is named for the sake of headers that are not ASCII, as some systems send them.
    sent = httpx.Headers(headers, encoding="utf-8")
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body, headers=sent))
    return HttpClient(
        "System", base, secrets=lambda: {"authorization": f"Bearer {TOKEN}", "x-key": TOKEN}, transport=transport
    )


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (301, BackendFailed, False),
        (400, BackendFailed, False),
        (401, BackendDenied, False),
        (403, BackendDenied, False),
        (404, BackendFailed, False),
        (408, BackendFailed, True),
        (409, BackendFailed, False),
        (422, BackendFailed, False),
        (429, BackendFailed, True),
        (500, BackendFailed, True),
        (503, BackendFailed, True),
    ],
)
def test_a_status_says_whether_a_repeat_helps(status: int, kind: type[BackendFailed], retryable: bool) -> None:
    failure = refusal(lambda: answering(status, '{"message": "No."}').call("POST", "/x"))
    assert type(failure) is kind
    assert failure.retryable is retryable
    assert failure.got == {"status": status, "reason": "No."}
    assert failure.next


ECHOES = {
    "json": json.dumps({"message": f"Bearer {TOKEN} is not known", "details": [{"message": TOKEN}]}),
    "nested": json.dumps({"error": {"message": [TOKEN, f"again {TOKEN}"]}}),
    "html": f"<html><b>Authorization: Bearer {TOKEN}</b></html>",
    "text": f"denied\x00\x1b[2J {TOKEN}" + "." * 1_000,
}


@pytest.mark.parametrize("status", [200, 401, 500])
@pytest.mark.parametrize("body", ECHOES)
def test_a_secret_that_a_system_repeats_is_not_told(body: str, status: int) -> None:
    if status == 200 and body in ("json", "nested"):
        return  # an answer for the adapter, which shows none
    failure = refusal(lambda: answering(status, ECHOES[body]).call("POST", "/x"))
    assert isinstance(failure.got, dict)
    said = str(failure.got["reason"])
    assert "***" in said
    assert len(said) <= 300
    assert said.isprintable()


@pytest.mark.parametrize("base", [f"http://user:{TOKEN}@127.0.0.1:1", f"http://user:p@{TOKEN}@127.0.0.1:1"])
def test_a_password_in_an_address_is_not_told(base: str) -> None:
    failure = refusal(lambda: HttpClient("System", base).call("GET", "/x"))
    assert failure.got == {"url": "http://127.0.0.1:1", "reason": "ConnectError"}


@pytest.mark.parametrize(
    "base",
    ["ftp://system.test", "system.test", "http://a..b", f"http://{'a' * 70}.test", "http://h:port", "http://[::"],
)
def test_an_address_that_is_none_is_the_catalogues_fault(base: str) -> None:
    failure = refusal(lambda: HttpClient("System", base).call("GET", "/x"))
    assert failure.message == "The address of System is not one of HTTP."
    assert not failure.retryable


@pytest.mark.parametrize(
    ("told", "date", "seconds"),
    [
        ("12", None, 12.0),
        (" 0 ", None, 0.0),
        ("Sat, 28 Nov 2026 12:00:30 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", 0.0),
        ("Sat, 28 Nov 1970 11:00:00 GMT", None, 0.0),
        ("²", None, None),
        ("-3", None, None),
        ("soon", None, None),
        ("Sat, 28 Nov 2026 12:00:30 -0000", "Sat, 28 Nov 2026 12:00:00 GMT", None),
        ("Sat, 28 Nov 2026 12:00:30 GMT", "today", None),
    ],
)
def test_a_retry_after_is_read_in_both_its_forms(told: str, date: str | None, seconds: float | None) -> None:
    headers = {"Retry-After": told, **({"Date": date} if date is not None else {})}
    failure = refusal(lambda: answering(429, headers=headers).call("POST", "/x"))
    assert failure.retry_after == seconds


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_BYTES", 2**20)
    failure = refusal(lambda: answering(200, b" " * 2**21).call("GET", "/x"))
    assert failure.message == "System answers with more than 1 MB, which was not read."
    assert not failure.retryable


ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "first answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a chunk's head": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "compressed nothing": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx\x9c\r\n",
        b"5\r\n\x00\x00\x00\xff\xff\r\n",
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_a_call_ends_whatever_comes_in_pieces_without_end(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    with Dripping(*ENDLESS[what]) as server, closing(HttpClient("System", server.url)) as http:
        failure = refusal(lambda: http.call("POST", "/x"))
    assert failure.message == NO_WHOLE_ANSWER
    assert failure.retryable
    assert failure.got == {"url": server.url, "reason": "too slow"}


def test_a_call_that_nobody_waits_for_any_more_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would come after what undid it. Names can take long to resolve, which no limit of a socket knows."""
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.0)
    resolved, connect = threading.Event(), socket.create_connection

    def late(*args: Any, **named: Any) -> socket.socket:
        resolved.wait(10)
        return connect(*args, **named)

    monkeypatch.setattr(socket, "create_connection", late)
    with Dripping(b"", b"") as server, closing(HttpClient("System", server.url)) as http:
        failure = refusal(lambda: http.call("POST", "/x"))
        assert failure.message == NO_WHOLE_ANSWER
        resolved.set()
        assert server.ended.wait(10)
        assert server.received == b""


def test_an_answer_that_was_compressed_twice_is_not_read() -> None:
    bomb = gzip.compress(gzip.compress(b" " * 2**20))
    failure = refusal(lambda: answering(200, bomb, {"Content-Encoding": "gzip, gzip"}).call("GET", "/x"))
    assert failure.message == "System answers in an encoding that it was not asked for."
    assert answering(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"}).call("GET", "/x").body == {}


def test_a_secret_in_a_body_is_not_told_however_it_is_written() -> None:
    password = 'p"ä ss'
    body: JsonObject = {"password": password}
    for echo in (json.dumps(body), json.dumps(body, ensure_ascii=False), password):
        for http in (answering(200, f"got {echo}"), answering(500, f"got {echo}")):
            with pytest.raises(BackendFailed) as failed:
                http.call("POST", "/x", json=body, hidden=[password])
            assert isinstance(failed.value.got, dict)
            assert "ss" not in str(failed.value.got["reason"]).replace("password", "")


def test_an_answer_without_a_body_is_an_answer() -> None:
    assert answering(204).call("DELETE", "/x").body is None


def test_what_a_system_sets_for_a_session_is_not_sent_back() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, json={}, headers={"set-cookie": "session=other; Path=/"})

    http = HttpClient("System", "http://system.test", transport=httpx.MockTransport(answer))
    for _ in range(2):
        http.call("GET", "/x")
    assert seen == [None, None]


def test_calls_beyond_the_rate_are_refused_here_with_the_time_to_wait() -> None:
    made: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request.url.path)
        return httpx.Response(200, json={})

    transport = httpx.MockTransport(answer)
    http = HttpClient("System", "http://system.test", calls_a_minute=2, transport=transport)
    http.call("GET", "/1")
    http.call("GET", "/2")
    failure = refusal(lambda: http.call("GET", "/3"))
    assert failure.retryable
    assert 50 < (failure.retry_after or 0) <= 60
    assert made == ["/1", "/2"]


def test_a_secret_that_is_not_set_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "  ", "schlüssel", "two\nlines"):
        monkeypatch.setenv("SYSTEM_TOKEN", value)
        failure = refusal(lambda: secret("SYSTEM_TOKEN"))
        assert isinstance(failure, BackendUnready)
        assert failure.got == "SYSTEM_TOKEN"
        assert "SYSTEM_TOKEN" in failure.next
    monkeypatch.setenv("SYSTEM_TOKEN", f" {TOKEN}\n")
    assert secret("SYSTEM_TOKEN") == TOKEN


def test_a_secret_in_place_of_its_name_is_refused_without_being_told() -> None:
    assert secret_problem("SYSTEM_TOKEN") is None
    for text in (TOKEN, "*:*.abc", "", "A" * 101, "1TOKEN"):
        problem = secret_problem(text)
        assert problem is not None
        assert not text or not re.search(re.escape(text), problem)


def test_a_body_that_is_sent_arrives(proxy: FaultProxy, http: HttpClient) -> None:
    body: JsonObject = {"version": 1, "document": {"title": "Für dich ☃"}}
    http.call("PUT", PATH, json=body)
    assert json.loads(proxy.calls[0].body) == body


def test_a_client_that_nobody_keeps_gives_its_connections_back(documents: DocumentServer) -> None:
    made = HttpClient("The system", documents.url)
    made.call("GET", PATH, expected=frozenset({404}))
    opened = made._opened  # pyright: ignore[reportPrivateUsage]
    assert opened is not None
    del made
    gc.collect()
    assert opened.is_closed
