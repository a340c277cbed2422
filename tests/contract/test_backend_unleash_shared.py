"""An Unleash that others share and change: other stores on its other environments, people, and what is not Unleash."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from crossfade.adapters.unleash import Unleash
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendFailed, Invalid
from crossfade.core.model.plan import BucketRange

from ..servers.unleash import FLAGS, TOKEN_ENV, UnleashServer
from .test_backend_unleash import ALICE, BOB, Subject, entry

pytestmark = pytest.mark.backends


@pytest.fixture
def subject(unleash: UnleashServer) -> Subject:
    return Subject(unleash)


@pytest.fixture
def written(subject: Subject) -> Subject:
    subject.write("first", None, entry())
    return subject


def test_stores_on_two_environments_of_one_unleash_never_take_a_flag_from_each_other(subject: Subject) -> None:
    alice, bob = subject.of(ALICE), Unleash(lambda: BOB)
    there: JsonObject = {**subject.settings, "environment": "production"}
    alice.write("first", None, entry())
    let_in = alice.entered()
    other = entry(layer_seed="elsewhere/home/top", ranges=[BucketRange(lo=5_000, hi=6_000)])
    assert bob.read(there, "flags", "first") is None
    assert bob.entries(there) == []
    with pytest.raises(BackendChanged, match="somebody else's"):
        bob.write(there, "flags", "first", before=None, after=other, fence=2)
    bob.write(there, "flags", "first", before=other, after=None, fence=3)  # finds nothing to take out
    assert same(alice.read(), entry())
    assert alice.entered() == let_in
    alice.write("first", entry(), None, fence=4)
    bob.write(there, "flags", "first", before=None, after=other, fence=5)
    assert same(bob.read(there, "flags", "first"), other)
    assert alice.read() is None
    assert alice.backend.entries(alice.settings) == []


def test_a_flag_that_was_moved_to_another_project_is_told_and_not_taken_for_stopped(written: Subject) -> None:
    with written.server.in_another_project("first"):
        for call in (written.read, lambda: written.write("first", entry(), None, fence=2)):
            with pytest.raises(BackendFailed, match="in another project"):
                call()
    written.write("first", entry(), None, fence=2)
    assert written.entered() == {}


def test_an_owner_that_was_moved_to_another_project_still_keeps_other_stores_out(subject: Subject) -> None:
    subject.of(ALICE).write("first", None, entry())
    held = subject.server.held()
    with (
        subject.server.in_another_project("crossfade.owner.development"),
        pytest.raises(BackendFailed, match="in another project"),
    ):
        subject.of(BOB).write("second", None, entry("second"))
    assert subject.server.held() == held


def test_a_stop_of_what_somebody_archived_leaves_nothing_that_a_revival_would_open_to_everybody(
    written: Subject,
) -> None:
    assert written.server.admin("DELETE", f"{FLAGS}/first").status_code == 202
    assert written.read() is None
    written.write("first", entry(), None, fence=2)
    written.server.admin("POST", "/api/admin/archive/revive/first")
    assert written.server.strategies("first") == []


def test_a_project_or_an_environment_that_is_not_there_is_found_by_a_probe(written: Subject) -> None:
    assert written.backend.probe(written.settings).version
    for changed, told in (
        ({"project": "nowhere"}, "no such project"),
        ({"environment": "nowhere"}, "no such environment"),
    ):
        with pytest.raises(BackendFailed, match=told):
            written.backend.probe({**written.settings, **changed})


@pytest.mark.parametrize("value", ["1e999", '"\\ud800"', "[" * 3_000 + "]" * 3_000])
def test_a_payload_that_somebody_made_unreadable_is_drift_and_can_be_stopped(value: str, written: Subject) -> None:
    at = f"{FLAGS}/first/environments/development/strategies"
    (main,) = (each for each in written.server.strategies("first") if each["title"] == "first")
    variants = main["variants"]
    assert isinstance(variants, list)
    assert isinstance(variants[0], dict)
    variants[0]["payload"] = {"type": "json", "value": f'{{"title": {value}}}'}
    assert written.server.admin("PUT", f"{at}/{main['id']}", main).status_code == 200
    found = written.read()
    assert not same(found, entry())
    json.dumps(found, allow_nan=False).encode()
    written.write("first", found, None, fence=2)
    assert written.entered() == {}


def test_a_name_that_is_somebody_elses_is_found_when_a_launch_is_planned(written: Subject) -> None:
    unleash = Unleash()
    assert unleash.fitted(written.settings, "flags", "first", entry()) == entry()
    assert written.server.admin("POST", FLAGS, {"name": "theirs", "type": "release"}).status_code == 201
    there: JsonObject = {**written.settings, "environment": "production"}
    for settings, name in ((written.settings, "theirs"), (there, "first")):
        with pytest.raises(BackendChanged, match="somebody else's"):
            unleash.fitted(settings, "flags", name, entry(name))


def test_all_that_unleash_takes_in_one_call_is_taken_and_more_is_refused_before_anything_is_written(
    subject: Subject,
) -> None:
    rest = len(json.dumps({"title": ""})) + 2_000
    large = entry(parameters={"title": ["For you", "ü" * ((100 * 1024 - rest) // 2)]}, previews={})
    subject.write("first", None, large)
    assert same(subject.read(), large)
    with pytest.raises(Invalid, match="more than 100 KB") as refused:
        entry(parameters={"title": ["For you", "ü" * (50 * 1024)]}, previews={})
    assert refused.value.code == "not_expressible"


def test_names_that_are_too_long_for_a_flag_are_refused_before_anything_is_written(subject: Subject) -> None:
    longest = entry(layer_seed=f"{'e' * 30}/{'s' * 29}/{'l' * 29}")
    subject.write("first", None, longest)
    assert same(subject.read(), longest)
    with pytest.raises(Invalid, match="more than 100 characters"):
        entry(layer_seed=f"{'e' * 30}/{'s' * 30}/{'l' * 29}")
    assert Unleash().problems({**subject.settings, "environment": "e" * 85})


class Answering(ThreadingHTTPServer):
    """Something that is not Unleash, and answers every call alike."""

    def __init__(self, status: int, body: JsonObject) -> None:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None: ...

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, JsonObject], str]]:
    monkeypatch.setenv(TOKEN_ENV, "made-up")
    servers: list[Answering] = []

    def start(status: int, body: JsonObject) -> str:
        servers.append(Answering(status, body))
        Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1].url

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (200, {"status": "ok"}),
        (404, {"message": "no route"}),
        (404, {"name": "NotFoundError", "message": "The path you were looking for (/api/api) is not available."}),
    ],
)
def test_what_is_not_unleash_never_counts_as_stopped(
    status: int, body: JsonObject, answering: Callable[[int, JsonObject], str]
) -> None:
    settings: JsonObject = {"url": answering(status, body), "token_env": TOKEN_ENV, "environment": "production"}
    unleash = Unleash()
    with pytest.raises(BackendFailed):
        unleash.read(settings, "flags", "first")
    with pytest.raises(BackendFailed):
        unleash.write(settings, "flags", "first", before=entry(), after=None, fence=1)
