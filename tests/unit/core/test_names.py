"""What somebody may have meant, and keys made from words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.names import fold, listed, meant, nearest, same_name, slug, spelled


def test_a_misspelt_name_finds_the_one_that_looks_most_like_it_first() -> None:
    assert nearest("contry", ["county", "platform", "country"]) == ["country", "county"]


def test_case_and_the_kind_of_dash_do_not_count() -> None:
    assert nearest("MADE_FOR_YOU", ["made-for-you", "made-for-us"], 1) == ["made-for-you"]
    assert same_name("Made for You", ["made_for_you", "home"]) == "made_for_you"


def test_a_name_that_looks_like_nothing_finds_nothing() -> None:
    assert nearest("zzz", ["country", "platform"]) == []
    assert same_name("zzz", ["country", "platform"]) is None


def test_at_most_the_wanted_number_of_names_is_found() -> None:
    assert len(nearest("plays", ["plays1", "plays2", "plays3", "plays4"])) == 3
    assert len(nearest("plays", ["plays1", "plays2", "plays3", "plays4"], 2)) == 2


def test_two_names_that_fold_alike_are_nobodys_same_name() -> None:
    assert same_name("A B", ["a-b", "a_b"]) is None


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


def test_words_become_a_key() -> None:
    assert slug("Made for you first!", 62) == "made-for-you-first"


def test_a_key_is_cut_between_words() -> None:
    assert slug("Made for you first!", 11) == "made-for"


def test_a_first_word_that_is_too_long_is_cut_inside() -> None:
    assert slug("Donaudampfschiff fahren", 5) == "donau"


def test_words_without_latin_letters_make_no_key() -> None:
    assert slug("ホーム", 62) == ""


@given(words=st.text(), limit=st.integers(1, 62))
def test_a_key_is_never_longer_than_its_limit_and_never_ends_in_a_dash(words: str, limit: int) -> None:
    key = slug(words, limit)
    assert len(key) <= limit
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", key)


def test_names_past_the_limit_are_counted() -> None:
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert listed(["a", "b"], 2) == "a, b"
    assert listed([], 2) == ""


PLANS = ["free", "premium_individual", "premium_family", "premium_duo", "premium_student"]


@pytest.mark.parametrize(
    ("name", "allowed", "found"),
    [
        ("Made for-YOU", ["made_for_you", "made_for_us"], "made_for_you"),
        ("shelforder", ["shelf_order", "shelf_length"], "shelf_order"),
        ("gird", ["grid", "carousel"], "grid"),
        ("discovry_stream", ["discovery_streams", "saves"], "discovery_streams"),
        ("listening_minutes", ["session_minutes", "listening_days"], None),
        ("SF", ["SE", "NO"], None),
        ("plays3", ["plays1", "plays2"], None),
        ("pläne", ["plans"], "plans"),
    ],
)
def test_only_a_spelling_stands_for_the_same_name(name: str, allowed: list[str], found: str | None) -> None:
    assert spelled(name, allowed) == found


@pytest.mark.parametrize(
    ("name", "allowed", "found"),
    [
        ("premium", PLANS, None),
        ("premium_dou", PLANS, "premium_duo"),
        ("premium_students_only", PLANS, "premium_student"),
        ("premium", ["premium_family", "free"], "premium_family"),
        ("zzz", PLANS, None),
    ],
)
def test_nothing_is_meant_where_several_are_about_equally_near(
    name: str, allowed: list[str], found: str | None
) -> None:
    assert meant(name, allowed) == found
