"""Raw lines on a server's stdin: whatever should get a reply gets exactly one, and the server goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR

from .lines import RawServer
from .museum import Museum

CALL = '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"find_surfaces","arguments":{"query":%s}}}'
NESTED = "[" * 320 + "]" * 320
WIDE = '"' + "x" * 2_000_000

REFUSED: dict[str, tuple[bytes, int, object]] = {
    "no JSON": (b"hello", PARSE_ERROR, None),
    "half a request": (b'{"jsonrpc":"2.0","id":7,"method":"ping"', PARSE_ERROR, 7),
    "an id only in an argument": (b'{"method":"ping","params":{"id":7}', PARSE_ERROR, None),
    "a lone surrogate": ((CALL % (8, '"\\ud800"')).encode(), PARSE_ERROR, 8),
    "bytes that are not UTF-8": ((CALL % (9, '"')).encode()[:-4] + b'\xff"}}}', PARSE_ERROR, 9),
    "nesting of 320": ((CALL % (10, NESTED)).encode(), PARSE_ERROR, 10),
    "2 MB without an end": ((CALL % (11, WIDE)).encode(), PARSE_ERROR, 11),
    "a batch": (b'[{"jsonrpc":"2.0","id":12,"method":"ping"}]', INVALID_REQUEST, None),
    "an empty batch": (b"[]", INVALID_REQUEST, None),
    "a number": (b"42", INVALID_REQUEST, None),
    "a null id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
    "a fraction as id": (b'{"jsonrpc":"2.0","id":0.5,"method":"ping"}', INVALID_REQUEST, None),
    "no method": (b'{"jsonrpc":"2.0","id":13}', INVALID_REQUEST, 13),
    "a list as params": (b'{"jsonrpc":"2.0","id":14,"method":"ping","params":[]}', INVALID_REQUEST, 14),
    "another version": (b'{"jsonrpc":"1.0","id":15,"method":"ping"}', INVALID_REQUEST, 15),
    "an unknown method": (b'{"jsonrpc":"2.0","id":16,"method":"tools/guess"}', METHOD_NOT_FOUND, 16),
    "no name of a tool": (b'{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{}}', INVALID_PARAMS, 17),
    "an unknown tool": (
        b'{"jsonrpc":"2.0","id":18,"method":"tools/call","params":{"name":"find_surface","arguments":{}}}',
        INVALID_PARAMS,
        18,
    ),
    "a list as arguments": (
        b'{"jsonrpc":"2.0","id":19,"method":"tools/call","params":{"name":"find_surfaces","arguments":[]}}',
        INVALID_PARAMS,
        19,
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawServer]:
    server = RawServer(Museum(tmp_path_factory.mktemp("lines")))
    server.greet()
    yield server
    assert server.close() == 0


@pytest.mark.parametrize("what", REFUSED)
def test_one_error_answers_a_bad_line_and_the_server_goes_on(server: RawServer, what: str) -> None:
    line, code, request_id = REFUSED[what]
    server.send(line)
    reply = server.reply()
    assert reply["error"]["code"] == code
    assert reply["id"] == request_id
    assert len(json.dumps(reply)) < 2_000
    assert "result" in server.ask("ping")


@pytest.mark.parametrize("line", [b"", b"   ", b"\r", b'{"jsonrpc":"2.0","method":"notifications/guess"}'])
def test_nothing_answers_a_blank_line_or_a_notification(server: RawServer, line: bytes) -> None:
    server.send(line)
    assert "result" in server.ask("ping")


CREATE = (
    '{"jsonrpc":"2.0","id":31,"method":"tools/call","params":{"name":"create_experiment","arguments":{'
    '"surface":"gallery","change":"a","because":"b","variants":{},"success_metrics":["ticket_rate"],%s}}}'
)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ('"allocation":NaN', "/allocation"),
        ('"allocation":-Infinity', "/allocation"),
        ('"audience":{"visits":{"gte":1e999}}', "/audience/visits/gte"),
        ('"more":{"design":{"alpha":NaN}}', "/more/design/alpha"),
    ],
)
def test_a_number_that_json_does_not_have_is_refused_at_its_place(server: RawServer, given: str, at: str) -> None:
    server.send((CREATE % given).encode())
    result = server.reply()["result"]
    assert result["isError"]
    assert (result["structuredContent"]["code"], result["structuredContent"]["pointer"]) == ("not_finite", at)
    listed = server.ask("tools/call", {"name": "find_experiments", "arguments": {}})["result"]
    assert listed["structuredContent"]["experiments"] == []


def test_a_call_of_2_mb_gets_its_answer(server: RawServer) -> None:
    server.send((CALL % (30, WIDE + '"')).encode())
    reply = server.reply()
    assert reply["id"] == 30
    assert len(json.dumps(reply)) < 20_000
    assert len(server.ask("tools/list")["result"]["tools"]) > 5


def test_answers_to_many_lines_at_once_come_one_for_each(server: RawServer) -> None:
    lines = [line for line, code, _ in REFUSED.values() if code in (PARSE_ERROR, INVALID_REQUEST) and len(line) < 2_000]
    for line in lines:
        server.send(line)
    codes = [server.reply()["error"]["code"] for _ in lines]
    assert len(codes) == len(lines)
    assert "result" in server.ask("ping")


def test_a_bad_line_before_the_handshake_is_answered_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = RawServer(Museum(tmp_path_factory.mktemp("early")))
    server.send(b"hello")
    assert server.reply()["error"]["code"] == PARSE_ERROR
    server.send(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_surfaces"}}')
    assert "error" in server.reply()
    server.greet()
    assert "result" in server.ask("tools/list")
    assert server.close() == 0
