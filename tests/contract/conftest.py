"""What the suites over every backend are asked of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .backends import COLLECTIONS, FILES, PLACES, SYSTEMS, Subject, subject_of

DOCUMENTS = [
    pytest.param(kind, marks=() if kind in FILES else (pytest.mark.backends,)) for kind in (*PLACES, *COLLECTIONS)
]

SUITES = ("test_backends", "test_backends_races")
"""What every backend is asked; other files have subjects of their own."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is asked of the bytes of a document is asked of no other backend."""
    if "subject" in metafunc.fixturenames and metafunc.definition.path.stem in SUITES:
        alone = metafunc.definition.get_closest_marker("of_documents") is not None
        metafunc.parametrize("subject", [*DOCUMENTS, *(() if alone else SYSTEMS)], indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def written(subject: Subject) -> Subject:
    """A subject with one entry, `first`, in place."""
    subject.write("first", None, subject.entry("first", "A"))
    return subject
