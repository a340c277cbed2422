"""What is answered to a line on stdin that is no message."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import INVALID_REQUEST, PARSE_ERROR, jsonrpc_message_adapter

from crossfade.server.stdio import NO_MESSAGE, GuardedLines, refusal

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
NOTIFICATION = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
RESPONSE = b'{"jsonrpc":"2.0","id":1,"result":{}}\n'

DEEP = b"[" * 300 + b"]" * 300

NO_JSON = {
    b"hello": None,
    b"{": None,
    b'{"jsonrpc":"2.0","id":7,"method":"ping"': 7,
    b'{"id":"seven","method":"ping",': "seven",
    b'{"jsonrpc":"2.0","method":"tools/call","params":{"id":3,"x":[{"id":4}]},"id":5,}': 5,
    b'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"text":"\\ud800"}}': 8,
    b'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"text":"\xff"}}': 9,
    b'{"jsonrpc":"2.0","id":10,"method":"tools/call","params":{"deep":' + DEEP + b"}}": 10,
    b'{"jsonrpc":"2.0","params":{"text":"' + b"x" * 2_000_000 + b'\\ud800"},"method":"ping","id":11}': 11,
    b'{"jsonrpc":"2.0","method":"id","params":{"text":"\\ud800"}}': None,
    b'{"jsonrpc":"2.0","id":12.5,"method":"\\ud800"}': None,
    b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}': None,
    b'{"jsonrpc":"2.0","id":13,"result":{"text":"\\ud800"}}': None,
    b'[{"jsonrpc":"2.0","id":14,"method":"ping"},': None,
    b"\x00\x01\x02": None,
    b"\xef\xbb\xbf" + PING: 1,
}

NO_REQUEST = {
    b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"arguments":{"share":0.1,"share":0.9}}}': 5,
    b'{"jsonrpc":"2.0","id":6,"method":"ping","method":"ping"}': 6,
    b"[]": None,
    b"1": None,
    b"null": None,
    b'"ping"': None,
    b"{}": None,
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]': None,
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}': None,
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}': None,
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}': None,
    b'{"jsonrpc":"2.0","id":{},"method":"ping"}': None,
    b'{"jsonrpc":"2.0","id":20}': 20,
    b'{"jsonrpc":"1.0","id":21,"method":"ping"}': 21,
    b'{"id":22,"method":"ping"}': 22,
    b'{"jsonrpc":"2.0","id":23,"method":5}': 23,
    b'{"jsonrpc":"2.0","id":"a","method":"ping","params":[1,2]}': "a",
    b'{"jsonrpc":"2.0","id":24,"result":5}': None,
    b'{"jsonrpc":"2.0","id":25,"error":"no"}': None,
}


@pytest.mark.parametrize("line", [PING, NOTIFICATION, RESPONSE])
def test_a_message_is_let_through(line: bytes) -> None:
    assert refusal(line) is None


@pytest.mark.parametrize(("line", "request_id"), NO_JSON.items(), ids=range(len(NO_JSON)))
def test_what_is_no_json_is_answered_with_the_id_that_can_be_made_out(line: bytes, request_id: object) -> None:
    refused = refusal(line)
    assert refused is not None
    assert (refused.error.code, refused.id) == (PARSE_ERROR, request_id)


@pytest.mark.parametrize(("line", "request_id"), NO_REQUEST.items(), ids=range(len(NO_REQUEST)))
def test_json_that_is_no_message_is_answered_with_its_id(line: bytes, request_id: object) -> None:
    refused = refusal(line)
    assert refused is not None
    assert (refused.error.code, refused.id) == (INVALID_REQUEST, request_id)


@pytest.mark.parametrize("quote", [b'"', b'\\"', b'{"', b"[", b'"id"', b'"id":'])
def test_a_long_line_of_nonsense_is_answered_in_linear_time(quote: bytes) -> None:
    refused = refusal(b'{"' + quote * 200_000)
    assert refused is not None
    assert refused.error.code == PARSE_ERROR


def test_the_reader_gets_messages_whole_and_a_mark_for_every_other_line() -> None:
    lines = GuardedLines(io.BytesIO(b"\n \r\n" + PING + b"nonsense\n\n" + NOTIFICATION + b"[]\n" + PING.rstrip()))
    read = list(iter(lines.readline, ""))
    assert [line.encode() for line in read] == [
        PING,
        NO_MESSAGE.encode(),
        NOTIFICATION,
        NO_MESSAGE.encode(),
        PING.rstrip(),
    ]
    assert [refused.error.code for refused in lines.refusals] == [PARSE_ERROR, INVALID_REQUEST]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={"jsonrpc": st.just("2.0") | JSON, "id": JSON, "method": st.text() | JSON, "params": JSON, "result": JSON},
)


@given(st.binary(max_size=200) | FIELDS.map(lambda fields: json.dumps(fields).encode()))
def test_any_line_is_either_a_message_or_answered(line: bytes) -> None:
    refused = refusal(line)
    if refused is None:
        jsonrpc_message_adapter.validate_json(line.decode())
    else:
        json.loads(refused.model_dump_json())


@given(st.binary(max_size=60), st.integers(min_value=0, max_value=10**17))
def test_the_id_before_a_broken_rest_is_found(rest: bytes, number: int) -> None:
    line = b'{"jsonrpc":"2.0","id":%d,"method":"ping","params":{"text":"\\ud800' % number + rest.replace(b'"', b"")
    refused = refusal(line)
    assert refused is not None
    assert refused.id == number
