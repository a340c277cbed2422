"""A fake of Confidence's admin API, made from its published protocol buffers, on a free port of this machine.

`confidence.binpb` holds the descriptors of github.com/spotify/confidence-resolver (Apache 2.0, commit 1ac8d80a),
`confidence-resolver/protos`, without services and options: `protoc --include_imports --descriptor_set_out`. What a call
sends has to be a message of theirs, and what is answered is one. States, refusals and the giving out of buckets are as
their comments say. `state()` is what Confidence gives to its resolver, which is the real one (`confidence_product.py`).
"""

from __future__ import annotations

import gzip
import json
import random
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from pydantic import JsonValue

from crossfade.adapters.confidence import api
from crossfade.core.documents import JsonObject

from .listening import Handler, Listener
from .starting import folder_of

BUCKETS = 1_000_000
"""Equal parts of all units, by the resolver's own number."""
CLIENT, CLIENT_SECRET, ACCOUNT = "clients/made-up-website", "made-up-for-the-website", "accounts/made-up-museum"
ID, SECRET = "made-up-api-client", "made-up-for-administration"
ID_ENV, SECRET_ENV = "CONFIDENCE_ID_OF_THE_TESTS", "CONFIDENCE_SECRET_OF_THE_TESTS"
ADMIN = "flags.admin.v1"
WELL_KNOWN = ("any", "duration", "empty", "field_mask", "struct", "timestamp")
OWN_TIMES = {"create_time", "update_time"}
STATUS = {3: 400, 5: 404, 6: 409, 9: 400, 16: 401}
"""HTTP's status of a code of google.rpc."""
INVALID, NOT_FOUND, EXISTS, UNMET, UNAUTHENTICATED = 3, 5, 6, 9, 16
PAGE = 20


class Refused(Exception):
    """An error as Google's APIs tell it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.status = STATUS[code]
        self.body: dict[str, Any] = {"code": code, "message": message, "details": []}


@cache
def _messages() -> Callable[[str], Any]:
    """Gives the class of a message by its name below `confidence.`."""
    folder_of("google.protobuf")
    pools: Any = import_module("google.protobuf.descriptor_pool")
    factory: Any = import_module("google.protobuf.message_factory")
    sets: Any = import_module("google.protobuf.descriptor_pb2")
    pool = pools.DescriptorPool()  # of our own: the resolver's package has other messages of these names
    for name in WELL_KNOWN:
        known: Any = import_module(f"google.protobuf.{name}_pb2")
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    for each in sets.FileDescriptorSet.FromString(Path(__file__).with_name("confidence.binpb").read_bytes()).file:
        pool.AddSerializedFile(each.SerializeToString())
    return lambda name: factory.GetMessageClass(pool.FindMessageTypeByName(f"confidence.{name}"))


def _json_format() -> Any:
    return import_module("google.protobuf.json_format")


class ConfidenceServer:
    """`url` leads to both services, flags and IAM, and never ends by itself."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listener = Listener(self, _Handler)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._tokens = 0
        self.clear()
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()

    def clear(self) -> None:
        with self._lock:
            self.flags: dict[str, Any] = {}
            self.segments: dict[str, Any] = {}
            self.bitsets: dict[str, Any] = {}
            self.changes: list[str] = []
            """Method and path of each call that was not to read."""
            self._valid: set[str] = set()
            self._made = 0
            self._chance = random.Random(11)

    def forget_tokens(self) -> None:
        self._valid.clear()

    def admin(self, method: str, path: str, body: JsonValue = None) -> Any:
        """What somebody else does in Confidence by hand: the answer, or Refused."""
        parts = urlsplit(path)
        with self._lock:
            return self._routed(method, parts.path, _query(parts.query), body)

    def held(self) -> dict[str, Any]:
        """All there is, without the times."""
        with self._lock:
            return {name: _plain(each) for name, each in {**self.flags, **self.segments}.items()}

    def allocated(self) -> list[str]:
        """The titles of the segments that have units."""
        return sorted(each.display_name for each in self.segments.values() if each.state == each.ALLOCATED)

    def state(self) -> bytes:
        """A ResolverState, as a resolver downloads it."""
        with self._lock:
            state = _messages()(f"{ADMIN}.ResolverState")()
            state.flags.extend(each for each in self.flags.values() if each.state == each.ACTIVE)
            for name, each in self.segments.items():
                if each.state == each.ALLOCATED:
                    state.segments_no_bitsets.append(each)
                    packed = np.packbits(self.bitsets[name], bitorder="little").tobytes()
                    state.bitsets.add(segment=name, gzipped_bitset=gzip.compress(packed, 1))
            state.clients.add(name=CLIENT)
            credential = state.client_credentials.add(name=f"{CLIENT}/credentials/one")
            credential.client_secret.secret = CLIENT_SECRET
            return state.SerializeToString()

    def answer(self, method: str, target: str, authorization: str, raw: bytes) -> tuple[int, Any]:
        parts = urlsplit(target)
        with self._lock:
            try:
                body = json.loads(raw) if raw else None
                if parts.path == "/v1/oauth/token":
                    return 200, self._token(body)
                if authorization.removeprefix("Bearer ") not in self._valid:
                    raise Refused(UNAUTHENTICATED, "Request had invalid authentication credentials.")
                found = self._routed(method, parts.path, _query(parts.query), body)
                if method != "GET":
                    self.changes.append(f"{method} {parts.path}")
                return 200, found
            except Refused as refused:
                return refused.status, refused.body
            except ValueError:
                return 400, Refused(INVALID, "The body is no JSON.").body

    def _token(self, body: Any) -> Any:
        asked = _parsed("iam.v1.RequestAccessTokenRequest", body)
        if (asked.grant_type, asked.client_id, asked.client_secret) != ("client_credentials", ID, SECRET):
            raise Refused(UNAUTHENTICATED, f"The secret {asked.client_secret} is not valid.")
        self._tokens += 1
        token = f"made-up-token-{self._tokens}"
        self._valid.add(token)
        answer = _messages()("iam.v1.AccessToken")(access_token=token, expires_in=86_400)
        return _json_format().MessageToDict(answer)

    def _routed(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        for verb, pattern, call in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                answer: Any = getattr(self, call)(*found.groups(), query=query, body=body)
                return answer if hasattr(answer, "keys") else _as_json(answer)
        raise Refused(NOT_FOUND, "Method not found.")

    # Flags

    def flag(self, name: str) -> Any:
        if name not in self.flags:
            raise Refused(NOT_FOUND, f"Flag {name} was not found.")
        return self.flags[name]

    def get_flag(self, name: str, **_: Any) -> Any:
        return self.flag(name)

    def list_flags(self, query: dict[str, str], **_: Any) -> Any:
        return _page("flags", self.flags, query)

    def create_flag(self, query: dict[str, str], body: Any) -> Any:
        name = query.get("flagId", "")
        if not re.fullmatch("[a-z0-9-]{4,63}", name):
            raise Refused(INVALID, "The flag id should be 4-63 characters of [a-z0-9-].")
        if f"flags/{name}" in self.flags:
            raise Refused(EXISTS, f"Flag flags/{name} already exists.")
        flag = _parsed(f"{ADMIN}.Flag", body)
        flag.name, flag.state = f"flags/{name}", flag.ACTIVE
        self._check_flag(flag)
        self.flags[flag.name] = flag
        return flag

    def update_flag(self, name: str, query: dict[str, str], body: Any) -> Any:
        flag = self.flag(name)
        if flag.state == flag.ARCHIVED:
            raise Refused(UNMET, "The flag is archived.")
        changed = _masked(flag, _parsed(f"{ADMIN}.Flag", body), query)
        for rule in changed.rules:
            rule.name = rule.name or self._name(f"{name}/rules")
        self._check_flag(changed)
        self.flags[name] = changed
        return changed

    def archive_flag(self, name: str, **_: Any) -> Any:
        flag = self.flag(name)
        flag.state = flag.ARCHIVED
        return flag

    def add_client(self, name: str, body: Any, **_: Any) -> Any:
        flag, client = self.flag(name), _parsed(f"{ADMIN}.AddFlagClientRequest", body).client
        if client != CLIENT:
            raise Refused(NOT_FOUND, f"Client {client} was not found.")
        if client not in flag.clients:
            flag.clients.append(client)
        return flag

    def remove_client(self, name: str, body: Any, **_: Any) -> Any:
        flag, client = self.flag(name), _parsed(f"{ADMIN}.RemoveFlagClientRequest", body).client
        if client in flag.clients:
            flag.clients.remove(client)
        return flag

    def create_rule(self, name: str, body: Any, **_: Any) -> Any:
        flag, rule = self.flag(name), _parsed(f"{ADMIN}.Flag.Rule", body)
        rule.name, rule.enabled = self._name(f"{name}/rules"), False  # a new rule starts switched off
        changed = _messages()(f"{ADMIN}.Flag")()
        changed.CopyFrom(flag)
        changed.rules.append(rule)
        self._check_flag(changed)
        self.flags[name] = changed
        return rule

    def update_rule(self, name: str, flag_name: str, query: dict[str, str], body: Any) -> Any:
        rule = next((each for each in self.flag(flag_name).rules if each.name == name), None)
        if rule is None:
            raise Refused(NOT_FOUND, f"Rule {name} was not found.")
        rule.CopyFrom(_masked(rule, _parsed(f"{ADMIN}.Flag.Rule", body), query))
        return rule

    def _check_flag(self, flag: Any) -> None:
        """All variants match the schema; segments and variants that rules refer to exist."""
        variants = {each.name for each in flag.variants}
        for each in flag.variants:
            if not each.name.startswith(f"{flag.name}/variants/"):
                raise Refused(INVALID, f"The name of variant {each.name} is not one of {flag.name}.")
            _check_value(_json_format().MessageToDict(each.value), flag.schema)
        for rule in flag.rules:
            segment = self.segments.get(rule.segment)
            if segment is None or segment.state != segment.ALLOCATED:
                raise Refused(UNMET, f"Segment {rule.segment} is not allocated.")
            _check_spec(rule.assignment_spec, variants)

    # Segments

    def segment(self, name: str) -> Any:
        if name not in self.segments:
            raise Refused(NOT_FOUND, f"Segment {name} was not found.")
        return self.segments[name]

    def get_segment(self, name: str, **_: Any) -> Any:
        return self.segment(name)

    def list_segments(self, query: dict[str, str], **_: Any) -> Any:
        return _page("segments", self.segments, query)

    def create_segment(self, body: Any, **_: Any) -> Any:
        segment = _parsed(f"{ADMIN}.Segment", body)
        segment.name, segment.state = self._name("segments"), segment.UNALLOCATED
        self.segments[segment.name] = segment
        return segment

    def update_segment(self, name: str, query: dict[str, str], body: Any) -> Any:
        segment = self.segment(name)
        if segment.state != segment.UNALLOCATED:
            raise Refused(UNMET, "Only segments in state UNALLOCATED can be updated.")
        self.segments[name] = _masked(segment, _parsed(f"{ADMIN}.Segment", body), query)
        return self.segments[name]

    def allocate_segment(self, name: str, **_: Any) -> Any:
        segment = self.segment(name)
        if segment.state != segment.UNALLOCATED:
            raise Refused(UNMET, "Only segments in state UNALLOCATED can be allocated.")
        wanted, free = (
            round(float(segment.allocation.proportion.value) * BUCKETS),
            np.flatnonzero(~self._taken(segment)),
        )
        if wanted > len(free):
            raise Refused(UNMET, "There is not enough space available to allocate the segment.")
        bits = np.zeros(BUCKETS, dtype=bool)
        chance = np.random.default_rng(self._chance.getrandbits(32))
        bits[chance.choice(free, wanted, replace=False)] = True
        self.bitsets[name] = bits
        segment.state = segment.ALLOCATED
        return segment

    def archive_segment(self, name: str, **_: Any) -> Any:
        segment = self.segment(name)
        if segment.state != segment.ALLOCATED:
            raise Refused(UNMET, "Only segments in state ALLOCATED can be archived.")
        if any(rule.segment == name for flag in self.flags.values() for rule in flag.rules):
            raise Refused(UNMET, "There are rules that reference the segment.")
        segment.state = segment.ARCHIVED
        del self.bitsets[name]
        return segment

    def available_space(self, name: str, **_: Any) -> Any:
        answer = _messages()(f"{ADMIN}.SegmentAvailableSpaceResponse")()
        answer.available_space.value = f"{1 - self._taken(self.segment(name)).mean():.6f}"
        return answer

    def _taken(self, segment: Any) -> Any:
        """The buckets of those that a segment and they exclude."""
        taken = np.zeros(BUCKETS, dtype=bool)
        for name, bits in self.bitsets.items():
            other = self.segments[name].allocation
            mine = segment.allocation
            if {*mine.exclusive_to} & {*other.exclusivity_tags} or {*other.exclusive_to} & {*mine.exclusivity_tags}:
                taken |= bits
        return taken

    def _name(self, parent: str) -> str:
        self._made += 1
        return f"{parent}/{self._chance.getrandbits(60):015x}{self._made}"


FLAG, SEGMENT = "/v1/(flags/[^/:]+)", "/v1/(segments/[^/:]+)"
ROUTES = (
    ("GET", "/v1/flags", "list_flags"),
    ("POST", "/v1/flags", "create_flag"),
    ("GET", FLAG, "get_flag"),
    ("PATCH", FLAG, "update_flag"),
    ("POST", f"{FLAG}:archive", "archive_flag"),
    ("POST", f"{FLAG}:addFlagClient", "add_client"),
    ("POST", f"{FLAG}:removeFlagClient", "remove_client"),
    ("POST", f"{FLAG}/rules", "create_rule"),
    ("PATCH", "/v1/((flags/[^/:]+)/rules/[^/:]+)", "update_rule"),
    ("GET", "/v1/segments", "list_segments"),
    ("POST", "/v1/segments", "create_segment"),
    ("GET", SEGMENT, "get_segment"),
    ("PATCH", SEGMENT, "update_segment"),
    ("POST", f"{SEGMENT}:allocate", "allocate_segment"),
    ("POST", f"{SEGMENT}:archive", "archive_segment"),
    ("POST", f"{SEGMENT}:segmentAvailableSpace", "available_space"),
)
"""Method, path and what answers it, as the annotations of the services say."""


def _parsed(message: str, body: Any) -> Any:
    try:
        return _json_format().ParseDict(body or {}, _messages()(message)())
    except _json_format().ParseError as error:
        raise Refused(INVALID, str(error)) from None


def _as_json(message: Any) -> dict[str, Any]:
    """As JSON of a protocol buffer: zeros, empty texts and empty lists are left out."""
    return _json_format().MessageToDict(message)


def _plain(message: Any) -> dict[str, Any]:
    return {name: value for name, value in _as_json(message).items() if name not in OWN_TIMES}


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _masked(known: Any, wanted: Any, query: dict[str, str]) -> Any:
    """The message with the fields of an update mask, which cannot be those that only Confidence sets."""
    changed = type(known)()
    changed.CopyFrom(known)
    paths = query.get("updateMask", "").split(",")
    fields = {each.json_name: each for each in known.DESCRIPTOR.fields}
    for path in paths:
        if path not in fields or path in ("name", "state", "bitsetAllocation"):
            raise Refused(INVALID, f"The update mask has no field {path}.")
        name = fields[path].name
        changed.ClearField(name)
        part = type(known)()
        part.CopyFrom(wanted)
        for other in known.DESCRIPTOR.fields:
            if other.name != name:
                part.ClearField(other.name)
        changed.MergeFrom(part)
    return changed


def _page(what: str, held: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    """In no particular order, a page at a time."""
    start, size = int(query.get("pageToken", "0")), min(PAGE, int(query.get("pageSize", str(PAGE))))
    every = [_as_json(each) for each in held.values()]
    more = {"nextPageToken": str(start + size)} if start + size < len(every) else {}
    return {what: every[start : start + size], **more}


def _check_value(value: Any, schema: Any) -> None:
    for name, each in value.items():
        if name not in schema.schema or not re.fullmatch("[A-Za-z0-9_-]{1,32}", name):
            raise Refused(INVALID, f"The schema has no field {name}.")
        _check_field(name, each, schema.schema[name])


def _check_field(name: str, value: Any, schema: Any) -> None:
    kind = schema.WhichOneof("schema_type")
    given = type(value)  # pyright: ignore[reportUnknownVariableType]
    fits = {
        "bool_schema": given is bool,
        "string_schema": given is str and len(value) <= 250,
        "int_schema": given is float and value.is_integer(),
        "double_schema": given is float,
        "struct_schema": given is dict,
        "list_schema": given is list,
    }
    if not fits[kind]:
        raise Refused(INVALID, f"The value of {name} is no {kind}.")
    if kind == "struct_schema":
        _check_value(value, schema.struct_schema)
    each: Any
    for each in value if kind == "list_schema" else ():
        _check_field(name, each, schema.list_schema.element_schema)


def _check_spec(spec: Any, variants: set[str]) -> None:
    taken: set[int] = set()
    for each in spec.assignments:
        if each.WhichOneof("assignment") == "variant" and each.variant.variant not in variants:
            raise Refused(UNMET, f"Variant {each.variant.variant} was not found.")
        for part in each.bucket_ranges:
            buckets = {*range(part.lower, part.upper)}
            if not buckets or part.lower < 0 or part.upper > spec.bucket_count or buckets & taken:
                raise Refused(INVALID, "The bucket ranges are empty, overlap, or end beyond the bucket count.")
            taken |= buckets


class _Handler(Handler[ConfidenceServer]):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        authorization = self.headers.get("authorization") or ""
        status, answer = self.server.served.answer(self.command, self.path, authorization, body)
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def settings_for(url: str) -> JsonObject:
    """Of a backend that leads there."""
    return {"url": url, "clients": [CLIENT], "client_id_env": ID_ENV, "client_secret_env": SECRET_ENV}


@contextmanager
def api_client() -> Generator[None]:
    """The id and the secret of an API client in the environment. The fake has no limit of calls."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api, "CALLS_A_MINUTE", 1_000_000)
        patched.setenv(ID_ENV, ID)
        patched.setenv(SECRET_ENV, SECRET)
        yield


@cache
def confidence_server() -> ConfidenceServer:
    """The server of this run of the tests."""
    return ConfidenceServer()
