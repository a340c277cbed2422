"""What the suites over every backend are asked of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .backends import EVERY, Subject, parameter, subject_of


@pytest.fixture(params=map(parameter, EVERY))
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def written(subject: Subject) -> Subject:
    """A subject with one entry, `first`, in place."""
    subject.write("first", None, subject.entry("first", "A"))
    return subject
