"""What tests of calls over HTTP share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.server.clock import SystemClock

from ..servers.application import application
from ..servers.documents import DocumentServer, ServedDocuments, there
from ..servers.proxy import FaultProxy


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Between the application and a server of documents; it spoils calls when it is told to."""
    documents = DocumentServer()
    between = FaultProxy(documents.url)
    yield between
    between.close()
    documents.close()


@pytest.fixture
def app(proxy: FaultProxy, tmp_path: Path) -> Iterator[Crossfade]:
    """The museum's experiments, delivered to that server."""
    place = ServedDocuments()
    yield application(tmp_path, SystemClock(), place.adapters, there(proxy.url))
    place.close()
