"""What every backend promises that keeps documents, wherever they lie, beyond the suite over all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed
from crossfade.core.ports.backend import assigns, holds_content

from .backends import ALICE, COLLECTIONS, PLACES, Subject, owned_by, parameter, strangers, subject_of


@pytest.fixture(params=map(parameter, (*PLACES, *COLLECTIONS)))
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


def test_nothing_but_the_fence_is_left_of_an_entry_that_was_taken_out(written: Subject) -> None:
    written.write("first", written.entry("first", "A"), None)
    assert b"first" not in written.held().replace(b'"first": 1', b"")


DAY = 24 * 3_600_000


def test_the_fence_of_what_is_gone_goes_after_90_days(subject: Subject) -> None:
    for name in ("first", "third"):
        subject.write(name, None, subject.entry(name, "A"), fence=DAY)
    subject.write("first", subject.entry("first", "A"), None, fence=DAY)
    subject.write("third", subject.entry("third", "A"), None, fence=91 * DAY)
    assert b'"first"' in subject.held()
    subject.write("third", None, subject.entry("third", "A"), fence=92 * DAY)
    assert b'"first"' not in subject.held()


def test_unknown_parts_stay(written: Subject) -> None:
    foreign: JsonObject = {"b": [1, 2.5, None, {"z": 1, "a": "ü"}], "a": 1}
    written.put(json.dumps({**written.parsed(), "foreign": foreign}).encode())
    written.write("second", None, written.entry("second", "B"))
    written.write("second", written.entry("second", "B"), None)
    kept = written.parsed()["foreign"]
    assert json.dumps(kept) == json.dumps(foreign)  # the order of keys means something in a literal condition


def test_a_damaged_mark_keeps_nobody_out(written: Subject) -> None:
    alice = owned_by(written, ALICE)
    for damage in (7, "no id at all", None):
        document = written.parsed()
        section: Any = document.get("crossfade", document)
        section["owner"] = damage
        written.put(json.dumps(document).encode())
        assert strangers(alice) == {}
    alice.write("first", written.entry("first", "A"), None)


def test_a_person_can_read_the_document(written: Subject) -> None:
    written.write("second", None, written.entry("second", "Für dich"))
    text = written.held().decode()
    assert text.endswith("}\n")
    assert "Für dich" in text
    assert max(map(len, text.splitlines())) < 120


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' + b"[" * 999],
    ids=["empty", "cut", "list", "null", "text", "binary", "NaN", "infinite", "deep"],
)
def test_a_document_that_holds_no_json_object_is_left_as_it_is(subject: Subject, content: bytes) -> None:
    subject.put(content)
    with pytest.raises(BackendFailed) as unreadable:
        subject.read("first")
    with pytest.raises(BackendFailed) as unwritable:
        subject.write("first", None, subject.entry("first", "A"))
    assert subject.held() == content
    for failed in (unreadable.value, unwritable.value):
        assert (failed.code, failed.retryable) == ("backend_failed", False)
        assert "Repair it" in failed.next


def test_a_byte_order_mark_is_read_over(written: Subject) -> None:
    written.put(b"\xef\xbb\xbf" + written.held())
    assert written.read("first") == written.entry("first", "A")


def test_a_document_of_more_than_a_megabyte_passes(subject: Subject) -> None:
    others: JsonObject = {f"part-{number}": "x" * 1_000 for number in range(1_200)}
    subject.put(json.dumps({"others": others}).encode())
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.read("first") == subject.entry("first", "A")
    assert subject.parsed()["others"] == others


def test_an_assigner_says_what_others_have_beside_what_was_delivered(subject: Subject) -> None:
    backend, delivered = subject.backend, subject.entry("first", "A")
    if not assigns(backend):
        return
    theirs: JsonObject = {"home.rows": {"defaultValue": 9, "rules": [{"id": "theirs", "force": 7}]}}
    subject.put(json.dumps({"features": theirs}).encode())
    fitted = backend.fitted(subject.settings, subject.document, "first", delivered)
    assert fitted == {**delivered, "defaults": {"home.title": "For you"}}
    subject.write("first", None, fitted)
    standing = backend.standing(subject.settings, subject.document, "first", fitted)
    assert (standing.actual, standing.due, len(standing.shadows)) == (fitted, fitted, 1)


def test_a_content_store_gives_the_values_in_production(subject: Subject) -> None:
    if not holds_content(subject.backend):
        return
    assert subject.backend.production(subject.settings, "home") == {}
    subject.put(json.dumps({"surface": "home", "parameters": {"rows": 3, "title": None}}).encode())
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.backend.production(subject.settings, "home") == {"rows": 3, "title": None}
