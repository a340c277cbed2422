"""What documents in S3 promise beyond the suite over every backend: conditions, refusals, credentials."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from crossfade.adapters.documents import optimistic, s3_objects
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed

from ..servers.moto import aws_environment, moto_server
from ..servers.starting import free_port
from .backends import Subject, subject_of

pytestmark = pytest.mark.backends
KEY = "delivery/home.json"


@pytest.fixture(params=["growthbook_s3", "parameters_s3"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def payload(tmp_path: Path) -> Iterator[Subject]:
    with subject_of("growthbook_s3", tmp_path) as made:
        yield made


Answering = Callable[[Subject, str, Callable[[], object]], None]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Has something happen before a call of S3 is sent: what it gives back stands for S3's answer, None for none."""
    taken_back: list[Callable[[], None]] = []

    def answer(subject: Subject, event: str, instead: Callable[[], object]) -> None:
        settings = subject.settings
        client = s3_objects.client_of(str(settings["region"]), str(settings["endpoint"]))

        def called(**_: object) -> object:
            return instead()

        client.meta.events.register(f"before-send.s3.{event}", called)
        taken_back.append(lambda: client.meta.events.unregister(f"before-send.s3.{event}", called))

    yield answer
    for each in taken_back:
        each()


class Refused:
    """An answer of S3 that is a failure, as botocore gets it from the wire."""

    def __init__(self, status: int, code: str) -> None:
        self.status_code = status
        self.headers: dict[str, str] = {}
        self.content = f"<Error><Code>{code}</Code><Message>the system's own words</Message></Error>".encode()


def head(subject: Subject) -> dict[str, Any]:
    return moto_server().s3.head_object(Bucket=subject.settings["bucket"], Key=KEY)


def test_a_document_says_what_it_is_and_how_long_it_may_be_kept(subject: Subject) -> None:
    subject.write("first", None, subject.entry("first", "A"))
    assert head(subject)["ContentType"] == "application/json"
    assert "CacheControl" not in head(subject)
    subject.settings["cache_control"] = "max-age=30"
    subject.write("first", subject.entry("first", "A"), None)
    assert head(subject)["CacheControl"] == "max-age=30"


def test_a_repeat_makes_no_new_object(subject: Subject) -> None:
    bucket = subject.settings["bucket"]
    moto_server().s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        subject.write("first", None, subject.entry("first", "A"))
    assert len(moto_server().s3.list_object_versions(Bucket=bucket)["Versions"]) == 1


@pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")])
def test_a_write_that_met_another_looks_again_and_comes_through(
    subject: Subject, answering: Answering, status: int, code: str
) -> None:
    writes = count(1)
    answering(subject, "PutObject", lambda: Refused(status, code) if next(writes) <= 2 else None)
    subject.write("first", None, subject.entry("first", "A"))
    assert next(writes) == 4
    assert subject.read("first") == subject.entry("first", "A")


def test_a_document_that_was_deleted_meanwhile_is_made_anew(subject: Subject, answering: Answering) -> None:
    subject.write("first", None, subject.entry("first", "A"))
    writes = count(1)

    def delete() -> None:
        if next(writes) == 1:
            moto_server().s3.delete_object(Bucket=subject.settings["bucket"], Key=KEY)

    answering(subject, "PutObject", delete)
    subject.write("second", None, subject.entry("second", "B"))
    assert (subject.read("first"), subject.read("second")) == (None, subject.entry("second", "B"))


def test_a_write_whose_reply_is_lost_is_found_in_place(
    subject: Subject, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimistic, "TURN_SECONDS", 0.0)
    writes = count(1)
    wanted = subject.entry("first", "A")

    def lose() -> None:
        if next(writes) == 1:
            subject.write("first", None, wanted)  # that which gets no answer, here by another way
            errors: Any = importlib.import_module("botocore.exceptions")
            raise errors.ConnectionClosedError(endpoint_url="http://127.0.0.1")

    answering(subject, "PutObject", lose)
    subject.write("first", None, wanted)
    assert subject.read("first") == wanted


REFUSALS = [
    (403, "AccessDenied", False, "does not let"),
    (404, "NoSuchBucket", False, "no such bucket"),
    (403, "SignatureDoesNotMatch", False, "No valid credentials"),
    (400, "ExpiredToken", False, "No valid credentials"),
    (301, "PermanentRedirect", False, "another region"),
    (501, "NotImplemented", False, "on a condition"),
    (400, "SomethingNew", False, "refused"),
    (503, "SlowDown", True, "fewer calls"),
    (500, "InternalError", True, "by itself"),
    (502, "", True, "by itself"),
]


@pytest.mark.parametrize(("status", "code", "retryable", "words"), REFUSALS, ids=[each[1] for each in REFUSALS])
def test_a_refusal_is_told_in_our_words(
    payload: Subject, answering: Answering, status: int, code: str, retryable: bool, words: str
) -> None:
    answering(payload, "PutObject", lambda: Refused(status, code))
    with pytest.raises(BackendFailed) as failed:
        payload.write("first", None, payload.entry("first", "A"))
    assert words in failed.value.message
    assert failed.value.retryable is retryable
    assert failed.value.next
    assert "own words" not in str(failed.value.as_dict())
    assert payload.raw() is None


def test_a_busy_system_is_asked_again(payload: Subject, answering: Answering) -> None:
    writes = count(1)
    answering(payload, "PutObject", lambda: Refused(503, "SlowDown") if next(writes) == 1 else None)
    payload.write("first", None, payload.entry("first", "A"))
    assert next(writes) == 3


def test_a_bucket_that_does_not_exist_is_said(subject: Subject) -> None:
    subject.settings["bucket"] = "no-such-bucket"
    calls: list[Callable[[], object]] = [
        lambda: subject.read("first"),
        lambda: subject.write("first", None, subject.entry("first", "A")),
        lambda: subject.backend.entries(subject.settings),
    ]
    for call in calls:
        with pytest.raises(BackendFailed) as failed:
            call()
        assert (failed.value.message, failed.value.retryable) == ("There is no such bucket.", False)


def test_a_system_that_cannot_be_reached_can_be_tried_again(subject: Subject) -> None:
    subject.settings["endpoint"] = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(BackendFailed) as failed:
        subject.read("first")
    assert failed.value.retryable
    assert "not known" in failed.value.message


def test_no_credentials_are_said_and_where_they_come_from(subject: Subject) -> None:
    # Credentials are looked for once for each endpoint, so this is one that no other test names.
    subject.settings["endpoint"] = str(subject.settings["endpoint"]).replace("127.0.0.1", "localhost")
    with aws_environment(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""), pytest.raises(BackendFailed) as failed:
        subject.read("first")
    assert failed.value.message == "No valid credentials for S3 were found."
    assert "AWS_ACCESS_KEY_ID" in failed.value.next
    assert not failed.value.retryable


def test_without_boto3_the_way_to_install_it_is_said(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(BackendFailed) as failed:
        subject.read("first")
    assert 'pip install "crossfade[s3]"' in failed.value.next
    assert subject.backend.problems(subject.settings) == []


def test_boto3_is_imported_with_the_first_call_and_not_before() -> None:
    program = (
        "import sys; from crossfade.adapters.all_backends import all_backends; from crossfade.server.clock import "
        "SystemClock; all_backends(SystemClock()); print('boto3' in sys.modules, 'botocore' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


def test_only_names_right_below_the_prefix_are_documents(tmp_path: Path) -> None:
    with subject_of("parameters_s3", tmp_path) as subject:
        subject.write("first", None, subject.entry("first", "A"))
        for key in ("deeper/home.json", "UPPER.json", "readme.txt"):
            moto_server().put(str(subject.settings["bucket"]), f"delivery/{key}", b"{}")
        assert subject.backend.entries(subject.settings) == [("home", "first")]


WRONG: list[tuple[JsonObject, list[str]]] = [
    ({"bucket": None}, ["/bucket"]),
    ({"bucket": "Upper"}, ["/bucket"]),
    ({"bucket": "a/b"}, ["/bucket"]),
    ({"endpoint": "https://me:secret@s3.example.com"}, ["/endpoint"]),
    ({"endpoint": "s3.example.com"}, ["/endpoint"]),
    ({"region": "North Pole"}, ["/region"]),
    ({"cache_control": "a\nb"}, ["/cache_control"]),
    ({"secret_access_key": "secret"}, ["/secret_access_key"]),
]


@pytest.mark.parametrize(("settings", "at"), WRONG)
def test_wrong_settings_are_named_and_never_used_or_shown(
    subject: Subject, settings: JsonObject, at: list[str]
) -> None:
    whole = {**subject.settings, **settings}
    problems = subject.backend.problems(whole)
    assert [pointer for pointer, _ in problems] == at
    assert all('"secret"' not in message and "me:secret" not in message for _, message in problems)
    assert subject.backend.location(whole) is None
    with pytest.raises(BackendFailed):
        subject.backend.read(whole, subject.document, "first")


@pytest.mark.parametrize("wrong", [None, "", 5, "with blank", "/a", "a/", "a//b", "../a", "a/./b", "a" * 501])
def test_a_wrong_key_is_named(payload: Subject, wrong: str | int | None) -> None:
    assert [at for at, _ in payload.backend.problems({**payload.settings, "key": wrong})] == ["/key"]


@pytest.mark.parametrize("wrong", [None, "", 5, "with blank/", "a", "/", "a//", "../"])
def test_a_wrong_prefix_is_named(tmp_path: Path, wrong: str | int | None) -> None:
    with subject_of("parameters_s3", tmp_path) as subject:
        assert [at for at, _ in subject.backend.problems({**subject.settings, "prefix": wrong})] == ["/prefix"]


def test_one_object_is_one_location_whatever_the_region(subject: Subject) -> None:
    elsewhere = {**subject.settings, "region": "us-east-1", "cache_control": "no-cache"}
    assert subject.backend.location(elsewhere) == subject.backend.location(subject.settings)
    other = {**subject.settings, "bucket": "another"}
    assert subject.backend.location(other) != subject.backend.location(subject.settings)
