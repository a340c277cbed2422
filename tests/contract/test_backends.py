"""What every backend of documents promises, asked of each adapter in turn, wherever its documents lie."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendChanged, BackendFailed, BackendOwned
from crossfade.core.ports.backend import assigns, holds_content

from .backends import ALICE, BOB, Subject, owned_by, strangers


def test_an_entry_that_nobody_wrote_is_absent_and_nothing_is_made(subject: Subject) -> None:
    assert subject.read("first") is None
    assert subject.raw() is None


def test_what_was_written_is_read_back(written: Subject) -> None:
    assert written.read("first") == written.entry("first", "A")
    changed = written.entry("first", "B")
    written.write("first", written.entry("first", "A"), changed)
    assert written.read("first") == changed


def test_an_entry_that_was_taken_out_is_absent(written: Subject) -> None:
    written.write("first", written.entry("first", "A"), None)
    assert written.read("first") is None


def test_of_an_entry_that_was_taken_out_a_document_keeps_the_fence_alone(stored: Subject) -> None:
    stored.write("first", stored.entry("first", "A"), None)
    assert b"first" not in stored.held().replace(b'"first": 1', b"")  # the fence of its last write


@pytest.mark.parametrize("after", ["B", None])
def test_a_write_that_expects_something_else_is_refused(written: Subject, after: str | None) -> None:
    held = written.held()
    wanted = written.entry("first", after) if after else None
    with pytest.raises(BackendChanged) as refused:
        written.write("first", written.entry("first", "Z"), wanted)
    assert written.held() == held
    assert not refused.value.retryable
    shown_difference = json.dumps(refused.value.got)
    assert '\\"Z\\"' in shown_difference
    assert '\\"A\\"' in shown_difference
    assert len(json.dumps(refused.value.as_dict())) < 2_000


@pytest.mark.parametrize("before", ["A", None])
def test_a_write_that_expects_the_wrong_absence_is_refused(subject: Subject, before: str | None) -> None:
    if before is None:
        subject.write("first", None, subject.entry("first", "A"))
    with pytest.raises(BackendChanged):
        subject.write("first", subject.entry("first", before) if before else None, subject.entry("first", "B"))


@pytest.mark.parametrize("there", [True, False])
def test_a_write_under_an_older_fence_is_refused_also_when_the_entry_is_as_it_expects(
    subject: Subject, there: bool
) -> None:
    before, after = (subject.entry("first", "A"), None) if there else (None, subject.entry("first", "A"))
    subject.write("first", None, before, fence=7)
    held = subject.held()
    with pytest.raises(BackendChanged) as refused:
        subject.write("first", before, after, fence=6)
    assert not refused.value.retryable
    assert subject.held() == held
    subject.write("second", None, subject.entry("second", "B"), fence=1)
    subject.write("first", before, after, fence=7)
    assert subject.read("first") == after


def test_a_removal_of_what_is_not_there_keeps_its_fence(subject: Subject) -> None:
    subject.write("first", None, None, fence=3)
    with pytest.raises(BackendChanged):
        subject.write("first", None, subject.entry("first", "A"), fence=2)
    assert subject.read("first") is None


DAY = 24 * 3_600_000


def test_the_fence_of_what_is_gone_is_kept_for_90_days_and_of_what_is_there_for_ever(document: Subject) -> None:
    for name in ("first", "second", "third"):
        document.write(name, None, document.entry(name, "A"), fence=DAY)
    document.write("first", document.entry("first", "A"), None, fence=DAY)
    document.write("third", document.entry("third", "A"), None, fence=91 * DAY)
    with pytest.raises(BackendChanged):
        document.write("first", None, document.entry("first", "A"), fence=DAY - 1)
    document.write("third", None, document.entry("third", "A"), fence=92 * DAY)
    assert b'"first"' not in document.held()
    with pytest.raises(BackendChanged):
        document.write("second", document.entry("second", "A"), None, fence=DAY - 1)


def test_the_first_store_that_writes_owns_the_document_and_another_can_only_read(subject: Subject) -> None:
    alice, bob = owned_by(subject, ALICE), owned_by(subject, BOB)
    assert (strangers(alice), strangers(bob)) == ({}, {})
    alice.write("first", None, subject.entry("first", "A"))
    held = subject.held()
    assert (strangers(alice), strangers(bob)) == ({}, {subject.document: ALICE})
    assert bob.read("first") == subject.entry("first", "A")
    for entry, before, after in (("second", None, "B"), ("first", "A", None), ("first", None, "A")):
        with pytest.raises(BackendOwned) as refused:
            bob.write(entry, *(subject.entry(entry, each) if each else None for each in (before, after)), fence=9)
        assert ALICE in refused.value.message
        assert "CROSSFADE_DATABASE_URL" in refused.value.next
        assert not refused.value.retryable
    assert subject.held() == held
    alice.write("first", subject.entry("first", "A"), None)
    assert strangers(bob) == {subject.document: ALICE}


def test_a_document_without_a_mark_is_taken_by_the_next_write(written: Subject) -> None:
    alice, bob = owned_by(written, ALICE), owned_by(written, BOB)
    bob.write("second", None, written.entry("second", "B"))
    assert strangers(alice) == {written.document: BOB}


def test_a_document_is_adopted_from_the_owner_that_was_seen_and_from_no_other(subject: Subject) -> None:
    alice, bob = owned_by(subject, ALICE), owned_by(subject, BOB)
    alice.write("first", None, subject.entry("first", "A"))
    with pytest.raises(BackendChanged):
        bob.backend.adopt(bob.settings, bob.document, before="c")
    bob.backend.adopt(bob.settings, bob.document, before=ALICE)
    bob.backend.adopt(bob.settings, bob.document, before=ALICE)
    bob.write("first", subject.entry("first", "A"), None, fence=2)
    with pytest.raises(BackendOwned):
        alice.write("second", None, subject.entry("second", "B"))


def test_a_damaged_mark_keeps_nobody_out(stored: Subject) -> None:
    alice = owned_by(stored, ALICE)
    for damage in (7, "no id at all", None):
        document = stored.parsed()
        section: Any = document.get("crossfade", document)
        section["owner"] = damage
        stored.put(json.dumps(document).encode())
        assert strangers(alice) == {}
    alice.write("first", stored.entry("first", "A"), None)


def test_a_repeat_changes_nothing(written: Subject) -> None:
    held = written.held()
    written.write("first", None, written.entry("first", "A"))
    assert written.held() == held
    written.write("first", written.entry("first", "A"), None)
    held = written.held()
    written.write("first", written.entry("first", "A"), None)
    assert written.held() == held


ALIKE: list[tuple[JsonValue, JsonValue]] = [(1, 1.0), ({"a": 1, "b": []}, {"b": [], "a": 1}), ([None], [None])]
UNLIKE: list[tuple[JsonValue, JsonValue]] = [
    (1, True),
    (0.0, False),
    ([1], [True]),
    ({"a": False}, {"a": 0}),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    ({"a": None}, {}),
    ("1", 1),
    (None, False),
    ([], {}),
]


@pytest.mark.parametrize(
    ("one", "other", "equal"), [(*pair, True) for pair in ALIKE] + [(*pair, False) for pair in UNLIKE]
)
def test_entries_are_compared_as_json_and_not_as_python(one: JsonValue, other: JsonValue, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_other_entries_and_unknown_parts_stay(stored: Subject) -> None:
    foreign: JsonObject = {"b": [1, 2.5, None, {"z": 1, "a": "ü"}], "a": 1}
    stored.put(json.dumps({**stored.parsed(), "foreign": foreign}).encode())
    stored.write("second", None, stored.entry("second", "B"))
    stored.write("second", stored.entry("second", "B"), stored.entry("second", "C"))
    assert stored.read("first") == stored.entry("first", "A")
    stored.write("second", stored.entry("second", "C"), None)
    assert stored.read("first") == stored.entry("first", "A")
    kept = stored.parsed()["foreign"]
    assert json.dumps(kept) == json.dumps(foreign)  # the order of keys means something in a literal condition


def test_a_person_can_read_the_document(stored: Subject) -> None:
    stored.write("second", None, stored.entry("second", "Für dich"))
    text = stored.held().decode()
    assert text.endswith("}\n")
    assert "Für dich" in text
    assert max(map(len, text.splitlines())) < 120


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' + b"[" * 999],
    ids=["empty", "cut", "list", "null", "text", "binary", "NaN", "infinite", "deep"],
)
def test_a_document_that_holds_no_json_object_is_left_as_it_is(document: Subject, content: bytes) -> None:
    document.put(content)
    with pytest.raises(BackendFailed) as unreadable:
        document.read("first")
    with pytest.raises(BackendFailed) as unwritable:
        document.write("first", None, document.entry("first", "A"))
    assert document.held() == content
    for failed in (unreadable.value, unwritable.value):
        assert (failed.code, failed.retryable) == ("backend_failed", False)
        assert "Repair it" in failed.next


def test_a_byte_order_mark_is_read_over(stored: Subject) -> None:
    stored.put(b"\xef\xbb\xbf" + stored.held())
    assert stored.read("first") == stored.entry("first", "A")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "A", "", ".", "a.b", "é", "a\n", "a\0", "1a"])
def test_a_name_that_could_lead_elsewhere_is_refused(written: Subject, name: str) -> None:
    held = written.held()
    for document, entry in ((name, "first"), (written.document, name)):
        with pytest.raises(BackendFailed):
            written.backend.read(written.settings, document, entry)
        with pytest.raises(BackendFailed):
            written.backend.write(
                written.settings, document, entry, before=None, after=written.entry("first", "A"), fence=1
            )
    assert written.held() == held


def test_right_settings_have_no_problem_before_and_after_the_first_write(subject: Subject) -> None:
    assert subject.backend.problems(subject.settings) == []
    subject.write("first", None, subject.entry("first", "A"))
    assert subject.backend.problems(subject.settings) == []


def test_a_document_of_more_than_a_megabyte_passes(document: Subject) -> None:
    others: JsonObject = {f"part-{number}": "x" * 1_000 for number in range(1_200)}
    document.put(json.dumps({"others": others}).encode())
    document.write("first", None, document.entry("first", "A"))
    assert document.read("first") == document.entry("first", "A")
    assert document.parsed()["others"] == others


def test_the_entries_that_are_there_are_listed(subject: Subject) -> None:
    assert subject.backend.entries(subject.settings) == []
    for name in ("second", "first"):
        subject.write(name, None, subject.entry(name, "A"))
    assert subject.backend.entries(subject.settings) == [(subject.document, "first"), (subject.document, "second")]
    subject.write("first", subject.entry("first", "A"), None)
    assert subject.backend.entries(subject.settings) == [(subject.document, "second")]


def test_an_assigner_says_what_is_there_beside_what_was_delivered(document: Subject) -> None:
    backend, delivered = document.backend, document.entry("first", "A")
    if not assigns(backend):
        return
    theirs: JsonObject = {"home.rows": {"defaultValue": 9, "rules": [{"id": "theirs", "force": 7}]}}
    document.put(json.dumps({"features": theirs}).encode())
    fitted = backend.fitted(document.settings, document.document, "first", delivered)
    assert fitted == {**delivered, "defaults": {"home.title": "For you"}}
    document.write("first", None, fitted)
    standing = backend.standing(document.settings, document.document, "first", fitted)
    assert (standing.actual, standing.due, len(standing.shadows)) == (fitted, fitted, 1)
    assert backend.entries(document.settings, "home.top") == [(document.document, "first")]
    assert backend.entries(document.settings, "home.low") == []


def test_a_content_store_gives_the_values_in_production(document: Subject) -> None:
    if not holds_content(document.backend):
        return
    assert document.backend.production(document.settings, "home") == {}
    document.put(json.dumps({"surface": "home", "parameters": {"rows": 3, "title": None}}).encode())
    document.write("first", None, document.entry("first", "A"))
    assert document.backend.production(document.settings, "home") == {"rows": 3, "title": None}
