"""Every adapter with a place to write to, and entries to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crossfade.adapters.confidence import Confidence
from crossfade.adapters.documents import Folder, KeyPrefix, ObjectPrefix, OneFile, OneKey, OneObject
from crossfade.adapters.documents.document import Collection, Place
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.growthbook_rest import GrowthbookRest
from crossfade.adapters.owners import Owner, nobody
from crossfade.adapters.parameters import Parameters
from crossfade.adapters.unleash import Unleash
from crossfade.core.documents import JsonObject
from crossfade.core.model.delivery import Assignment, Content
from crossfade.core.model.plan import BucketRange
from crossfade.core.ports.backend import Assigner, ContentStore

from ..servers.confidence import api_client, confidence_server, settings_for
from ..servers.etcd import etcd_server
from ..servers.growthbook import growthbook_in_use
from ..servers.moto import REGION, aws_environment, moto_server
from ..servers.unleash import unleash_server, unleash_token


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 1, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


A_QUARTER = BucketRange(lo=0, hi=2_500)


def an_assignment(experiment: str, title: str, held: BucketRange = A_QUARTER) -> Assignment:
    """Of an experiment that tries a title."""
    return Assignment(
        experiment=experiment,
        surface="home",
        environment="production",
        unit_attribute="user_id",
        layer_seed="home.top",
        ranges=[held],
        seed=f"{experiment}.1",
        coverage=1.0,
        variants=["control", "new"],
        weights=[0.5, 0.5],
        parameters={"title": ["For you", title], "rows": [3, 4]},
        production={"title": "For you", "rows": 3},
        audience=[[]],
        exclusions=[],
        previews={"new": ["tester-1"]},
    )


def assigned(experiment: str, title: str) -> JsonObject:
    return GrowthbookPayload(OneFile(), StoppedClock()).compile_assignment(an_assignment(experiment, title))


def shown(experiment: str, title: str) -> JsonObject:
    """A parameters entry of an experiment that tries a title."""
    variants: dict[str, JsonObject] = {"control": {"title": "For you"}, "new": {"title": title}}
    return Parameters(Folder()).compile_content(
        Content(experiment=experiment, surface="home", environment="production", variants=variants)
    )


@dataclass
class Subject:
    """One adapter with its settings, what is behind them as others see it, and a way to make entries for it."""

    backend: Assigner | ContentStore
    settings: JsonObject
    document: str
    entry: Callable[[str, str], JsonObject]
    raw: Callable[[], bytes | None]
    """The document, or all that the system holds of ours, as bytes; None when there is nothing."""
    put: Callable[[bytes], object]
    """Sets a document as somebody else would."""
    file: Path = Path()
    """Of adapters of files."""

    def read(self, entry: str) -> JsonObject | None:
        return self.backend.read(self.settings, self.document, entry)

    def write(self, entry: str, before: JsonObject | None, after: JsonObject | None, fence: int = 1) -> None:
        self.backend.write(self.settings, self.document, entry, before=before, after=after, fence=fence)

    def held(self) -> bytes:
        found = self.raw()
        assert found is not None
        return found

    def parsed(self) -> JsonObject:
        return json.loads(self.held())

    def leftovers(self) -> list[str]:
        return [each.name for each in self.file.parent.iterdir() if each.name.endswith(".tmp")]


PLACES: dict[str, Callable[[], Place]] = {
    "growthbook_file": OneFile,
    "growthbook_etcd": OneKey,
    "growthbook_s3": OneObject,
}
COLLECTIONS: dict[str, Callable[[], Collection]] = {
    "parameters_folder": Folder,
    "parameters_etcd": KeyPrefix,
    "parameters_s3": ObjectPrefix,
}
FILES = ("growthbook_file", "parameters_folder")


def parameter(kind: str) -> Any:
    """A kind as a parameter of tests."""
    return pytest.param(kind, marks=() if kind in FILES else (pytest.mark.backends,))


def backend_of(kind: str, owner: Owner = nobody) -> Assigner | ContentStore:
    if kind in SYSTEMS:
        return SYSTEMS[kind].adapter(owner)
    if kind in PLACES:
        return GrowthbookPayload(PLACES[kind](), StoppedClock(), owner)
    return Parameters(COLLECTIONS[kind](), owner)


ALICE, BOB = "a11ce000-0000-4000-8000-000000000001", "b0b00000-0000-4000-8000-000000000002"


def owned_by(subject: Subject, owner: str) -> Subject:
    """The same documents, seen by another store."""
    return replace(subject, backend=backend_of(subject.backend.kind, lambda: owner))


def strangers(subject: Subject) -> dict[str, str]:
    one, every = (subject.backend.strangers(subject.settings, name) for name in (subject.document, None))
    assert one == every
    return every


_USES = count(1)


def _subject(
    kind: str, settings: JsonObject, raw: Callable[[], bytes | None], put: Callable[[bytes], object]
) -> Subject:
    document, entry = ("payload", assigned) if kind in PLACES else ("home", shown)
    return Subject(backend_of(kind), settings, document, entry, raw, put)


def in_files(kind: str, folder: Path) -> Subject:
    path = folder / "delivery" / "payload.json" if kind in PLACES else folder / "content"
    file = path if kind in PLACES else path / "home.json"

    def put(content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    subject = _subject(kind, {"path": str(path)}, lambda: file.read_bytes() if file.exists() else None, put)
    subject.file = file
    return subject


def in_etcd(kind: str) -> Subject:
    server, place = etcd_server(), f"crossfade/{next(_USES)}/"
    where: JsonObject = {"key": f"{place}home"} if kind in PLACES else {"prefix": place}
    return _subject(
        kind,
        {"endpoints": [server.url], **where},
        lambda: server.get(f"{place}home"),
        lambda content: server.put(f"{place}home", content),
    )


def in_s3(kind: str) -> Subject:
    server = moto_server()
    bucket = server.bucket()
    where: JsonObject = {"key": "delivery/home.json"} if kind in PLACES else {"prefix": "delivery/"}
    return _subject(
        kind,
        {"bucket": bucket, "region": REGION, "endpoint": server.url, **where},
        lambda: server.get(bucket, "delivery/home.json"),
        lambda content: server.put(bucket, "delivery/home.json", content),
    )


@contextmanager
def in_unleash() -> Generator[Subject]:
    with unleash_token():
        server = unleash_server()
        server.clear()
        yield _in_a_system(Unleash(), server.settings, "flags", server.held)


@contextmanager
def in_growthbook() -> Generator[Subject]:
    with growthbook_in_use() as server:
        yield _in_a_system(GrowthbookRest(StoppedClock()), server.settings(), "features", server.held)


@contextmanager
def in_confidence() -> Generator[Subject]:
    """It holds a percent of the layer: two of them have room beside each other."""
    server = confidence_server()
    server.clear()

    def held() -> bytes | None:
        found = server.held()
        return json.dumps(found, sort_keys=True).encode() if found else None

    with api_client():
        yield _in_a_system(Confidence(), settings_for(server.url), "flags", held, BucketRange(lo=0, hi=100))


def _in_a_system(
    backend: Assigner,
    settings: JsonObject,
    document: str,
    held: Callable[[], bytes | None],
    held_range: BucketRange = A_QUARTER,
) -> Subject:
    def entry(experiment: str, title: str) -> JsonObject:
        return backend.compile_assignment(an_assignment(experiment, title, held_range))

    def put(content: bytes) -> None:
        raise AssertionError("It keeps no documents.")

    return Subject(backend, settings, document, entry, held, put)


class System(NamedTuple):
    """One that keeps no documents."""

    adapter: Callable[[Owner], Assigner]
    subject: Callable[[], AbstractContextManager[Subject]]


SYSTEMS: dict[str, System] = {
    "unleash": System(Unleash, in_unleash),
    "confidence": System(Confidence, in_confidence),
    "growthbook": System(partial(GrowthbookRest, StoppedClock()), in_growthbook),
}
EVERY = (*PLACES, *COLLECTIONS, *SYSTEMS)


@contextmanager
def subject_of(kind: str, folder: Path) -> Generator[Subject]:
    """A subject of a kind, with nothing written yet."""
    if kind in SYSTEMS:
        with SYSTEMS[kind].subject() as subject:
            yield subject
    elif kind in FILES:
        yield in_files(kind, folder)
    elif kind.endswith("_etcd"):
        yield in_etcd(kind)
    else:
        with aws_environment():
            yield in_s3(kind)
