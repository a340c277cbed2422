"""What the suites over every backend are asked of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .backends import COLLECTIONS, CONFIDENCE, FILES, PLACES, Subject, subject_of

EVERY = [pytest.param(kind, marks=() if kind in FILES else (pytest.mark.backends,)) for kind in (*PLACES, *COLLECTIONS)]


@pytest.fixture(params=EVERY)
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """One whose entries lie in a document of ours."""
    with subject_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=[*EVERY, CONFIDENCE])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def written(subject: Subject) -> Subject:
    """A subject with one entry, `first`, in place."""
    subject.write("first", None, subject.entry("first", "A"))
    return subject


@pytest.fixture
def stored(document: Subject) -> Subject:
    """The same of those in a document of ours."""
    document.write("first", None, document.entry("first", "A"))
    return document
