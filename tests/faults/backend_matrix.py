"""Each call that a launch, and a stop, makes to a system behind HTTP is spoilt in each way; then what the system holds,
asked without the proxy, is compared with what Crossfade says of it. Where it says that a change is stuck or did not
begin, the call is repeated, as whoever made it is told to."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from crossfade.adapters.all_backends import all_backends
from crossfade.adapters.documents import s3_objects
from crossfade.adapters.http import client
from crossfade.adapters.owners import Owner
from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject, same
from crossfade.core.errors import BackendFailed, CrossfadeError
from crossfade.core.model.brief import Brief
from crossfade.core.model.experiment import Change
from crossfade.core.ports.backend import Backend
from crossfade.core.ports.clock import Clock

from ..servers.application import application
from ..servers.confidence import api_client, confidence_server, settings_for
from ..servers.documents import DocumentServer, Forgetful, ServedDocuments, there
from ..servers.etcd import etcd_server
from ..servers.growthbook import growthbook_in_use, growthbook_server
from ..servers.moto import REGION, aws_environment, moto_server
from ..servers.proxy import EFFECT, Fault, FaultProxy, How
from ..servers.unleash import ADMIN_TOKEN, ENVIRONMENT, TOKEN_ENV, unleash_server
from .served import by_confidence, by_growthbook, by_unleash, wrongly_served
from .stage import Run
from .table import Row
from .verifier import ENDED

ALWAYS = 1_000
SPENT = 6
"""Calls that fail until a step has had its attempts, of two calls each: the undo then meets a sound system."""
UNMET = "met no call"
MOST_UNMET = 4
"""At most one fault in so many may meet no call: what the cell before has left can spare a system its last one, and
the short form may take just those."""
BUCKET, FLAGS = "matrix", "matrix/flags"
CHANGES: tuple[Change, ...] = ("launch", "stop")
PATIENCE = 0.6
"""Seconds that the adapters wait for a system that hangs: each such cell takes as long."""
SHARE = 0.2
BRIEF = {
    "surface": "gallery",
    "change": "The audio guide comes first",
    "because": "Visitors do not find the guide",
    "variants": {"guide": {"guide_first": True}},
    "success_metrics": {"ticket_rate": None},
    "allocation": SHARE,
}


@dataclass(frozen=True)
class Subject:
    """A system, and the adapters that deliver to it. `serve` starts it and gives its address; `delivery` is what a
    catalogue says of the backends `flags` and `texts` at an address."""

    name: str
    serve: Callable[[], Generator[str]]
    adapters: Callable[[Clock, Owner], Mapping[str, Backend]]
    delivery: Callable[[str], Mapping[str, JsonObject]]
    document: str = "payload"
    """That of the assigner, in which its entries lie."""
    served: Callable[[str], Mapping[str, str]] | None = None
    """What the system's own SDK serves of an experiment: unit -> variant."""
    control: bool = False
    share: int = 1
    """One in so many cells is tried in the short form, others with each seed."""


def _document_server() -> Generator[str]:
    server = DocumentServer()
    yield server.url
    server.close()


def _etcd() -> Generator[str]:
    yield etcd_server().url


def _in_etcd(url: str) -> Mapping[str, JsonObject]:
    return {
        "flags": {"kind": "growthbook_etcd", "settings": {"endpoints": [url], "key": FLAGS}},
        "texts": {"kind": "parameters_etcd", "settings": {"endpoints": [url], "prefix": "matrix/texts/"}},
    }


def _s3() -> Generator[str]:
    with aws_environment():
        moto_server().s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield moto_server().url


def _in_s3(url: str) -> Mapping[str, JsonObject]:
    shared: JsonObject = {"endpoint": url, "region": REGION, "bucket": BUCKET}
    return {
        "flags": {"kind": "growthbook_s3", "settings": {**shared, "key": FLAGS}},
        "texts": {"kind": "parameters_s3", "settings": {**shared, "prefix": "texts/"}},
    }


def _unleash() -> Generator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(TOKEN_ENV, ADMIN_TOKEN)
        server = unleash_server()
        server.clear()
        yield server.url


def _in_unleash(url: str) -> Mapping[str, JsonObject]:
    flags: JsonObject = {"url": url, "token_env": TOKEN_ENV, "environment": ENVIRONMENT}
    # Not where the matrix of etcd writes, whose store is another one.
    there: JsonObject = {"endpoints": [etcd_server().url], "prefix": "beside-unleash/"}
    texts: JsonObject = {"kind": "parameters_etcd", "settings": there}
    return {"flags": {"kind": "unleash", "settings": flags}, "texts": texts}


def _growthbook() -> Generator[str]:
    with growthbook_in_use() as server:
        yield server.url


def _in_growthbook(url: str) -> Mapping[str, JsonObject]:
    flags: JsonObject = growthbook_server().settings(url=url)
    there: JsonObject = {"endpoints": [etcd_server().url], "prefix": "beside-growthbook/"}
    return {
        "flags": {"kind": "growthbook", "settings": flags},
        "texts": {"kind": "parameters_etcd", "settings": there},
    }


def _confidence() -> Generator[str]:
    with api_client():
        server = confidence_server()
        server.clear()
        yield server.url


def _in_confidence(url: str) -> Mapping[str, JsonObject]:
    # Not where the matrix of etcd writes, whose store is another one.
    there: JsonObject = {"endpoints": [etcd_server().url], "prefix": "beside-confidence/"}
    return {
        "flags": {"kind": "confidence", "settings": settings_for(url)},
        "texts": {"kind": "parameters_etcd", "settings": there},
    }


SUBJECTS: Mapping[str, Subject] = {
    "confidence": Subject(
        "Confidence, and etcd",
        _confidence,
        all_backends,
        _in_confidence,
        document="flags",
        served=by_confidence,
        share=16,
    ),
    "unleash": Subject(
        "Unleash, and etcd", _unleash, all_backends, _in_unleash, document="flags", served=by_unleash, share=8
    ),
    "growthbook": Subject(
        "a stand-in for GrowthBook, and etcd",
        _growthbook,
        all_backends,
        _in_growthbook,
        document="features",
        served=lambda key: by_growthbook(growthbook_server().downloaded(), key),
        share=16,
    ),
    "etcd": Subject(
        "etcd",
        _etcd,
        all_backends,
        _in_etcd,
        served=lambda key: by_growthbook(etcd_server().get(FLAGS), key),
        share=3,
    ),
    "s3": Subject(
        "S3",
        _s3,
        all_backends,
        _in_s3,
        served=lambda key: by_growthbook(moto_server().get(BUCKET, FLAGS), key),
        share=8,
    ),
    "documents": Subject("documents over HTTP", _document_server, ServedDocuments().adapters, there),
    "documents-control": Subject(
        "documents over HTTP, said to be written", _document_server, Forgetful().adapters, there, control=True
    ),
}
"""A system is a line here."""


class HastyClock:
    """Moves on where others wait."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@dataclass
class Ground:
    """Crossfade, a system, and the proxy between them."""

    app: Crossfade
    proxy: FaultProxy
    direct: Mapping[str, JsonObject]
    subject: Subject
    told: Counter[str] = field(default_factory=Counter[str])

    def planned(self, key: str, change: Change) -> str:
        """The digest of a plan that a person has agreed to."""
        if change == "launch":
            self.app.create_experiment(Brief.read({**BRIEF, "key": key}))
        digest = self.app.plan_change(key, change).digest
        assert digest is not None, f"{change} of {key} is blocked"
        self.app.approve(digest, approved=True, assurance="terminal", by="curator")
        return digest

    def applied(self, digest: str) -> str:
        """The status of the operation; `refused` where a failure of the backend came before there was one."""
        try:
            return self.app.apply_plan(digest).status
        except CrossfadeError as failure:
            with self.app.dependencies.store.read() as view:
                begun = view.operation_of(digest)
            if begun is None and isinstance(failure, BackendFailed):
                return "refused"
            return f"{begun.status if begun else 'refused'}, told as {failure.message}"

    def wrong(self, key: str, settled: bool) -> list[str]:
        """Where the system holds something else than Crossfade says. What is not settled may hold less: the list is
        of all that a stop has to look for."""
        with self.app.dependencies.store.read() as view:
            said = {each.place.backend: each.entry for each in view.placements(key)}
        found: list[str] = []
        for name, document in (("flags", self.subject.document), ("texts", "gallery")):
            kind, settings = self.direct[name]["kind"], self.direct[name]["settings"]
            assert isinstance(kind, str)
            assert isinstance(settings, dict)
            held = self.app.dependencies.backend(kind).read(settings, document, key)
            if held is not None and name not in said:
                found.append(f"{name} holds an entry that Crossfade does not know of")
            if settled and name in said and not same(held, said[name]):
                found.append(f"{name} holds {'nothing' if held is None else 'another entry'} where one is said to be")
        if settled and self.subject.served is not None:
            found += wrongly_served(self.app, key, self.subject.served(key), SHARE)
        return found


def backend_matrix(name: str, run: Run) -> Row:
    """One experiment a cell; the kill switch ends each."""
    subject = SUBJECTS[name]
    row = Row(f"each call x each fault: {subject.name}", control=subject.control)
    with _ground(subject) as ground:
        cells = list(_cells(ground, run, ("refused", "busy") if subject.control else tuple(EFFECT)))
        if not run.long:
            cells = cells[run.seed % subject.share :: subject.share]
        for number, (change, fault) in enumerate(cells):
            cell = f"{change}, call {fault.first} {fault.how} {fault.times} times"
            row.faults.lost += [f"{cell}: {wrong}" for wrong in _meet(ground, f"cell-{number}", change, fault)]
            row.operations += 1
        row.repeats = ground.told["repeated"]
        if ground.told[UNMET] > len(cells) // MOST_UNMET:
            row.faults.lost.append(f"{ground.told[UNMET]} of {len(cells)} faults met no call")
    del ground.told["repeated"]
    row.told = f"{len(cells)} cells: " + ", ".join(f"{count} {what}" for what, count in ground.told.most_common())
    return row


def _cells(ground: Ground, run: Run, hows: Sequence[How]) -> Generator[tuple[Change, Fault]]:
    """Every call of every change, counted on one that nothing happens to. The first of all makes more calls than any
    other: of what a layer needs, and of whose it all is."""
    _calls(ground, "stop", key="first-of-all")
    calls: list[tuple[Change, int]] = [(change, _calls(ground, change)) for change in CHANGES]
    for (change, count), how in product(calls, hows):
        for times in (1, SPENT, ALWAYS) if run.long or how in ("refused", "failed after") else (1,):
            for first in range(1, count + 1):
                yield change, Fault(how, first, times)


def _calls(ground: Ground, change: Change, key: str = "counted") -> int:
    key = f"{key}-{change}"
    if change == "stop":
        assert ground.applied(ground.planned(key, "launch")) == "applied"
    digest = ground.planned(key, change)
    ground.proxy.inject(None)
    assert ground.applied(digest) == "applied"
    count = len(ground.proxy.calls)
    ground.app.stop(key)
    return count


def _meet(ground: Ground, key: str, change: Change, fault: Fault) -> Generator[str]:
    """What is wrong after a change met a fault, after the call was repeated, and after the stop."""
    if change == "stop":
        assert ground.applied(ground.planned(key, "launch")) == "applied"
    digest = ground.planned(key, change)
    ground.proxy.inject(fault)
    status = ground.applied(digest)
    ground.proxy.inject(None)
    ground.told[status] += 1
    if fault.met < fault.first:
        ground.told[UNMET] += 1
    if status not in (*ENDED, "needs_attention", "refused"):
        yield f"it ended {status}"
    yield from ground.wrong(key, settled=status != "needs_attention")
    if status in ("needs_attention", "refused"):
        ground.told["repeated"] += 1
        again = ground.applied(digest)
        if again not in ENDED:
            yield f"{status}, and its repeat {again}"
        yield from (f"after the repeat, {wrong}" for wrong in ground.wrong(key, settled=True))
    with ground.app.dependencies.store.read() as view:
        record = view.experiment(key)
    if record is not None and record.state == "running":
        ground.app.stop(key)
    yield from (f"after the stop, {wrong}" for wrong in ground.wrong(key, settled=True))


@contextmanager
def _ground(subject: Subject) -> Generator[Ground]:
    with ExitStack() as stack, _patience():
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossfade-matrix-")))
        url = stack.enter_context(contextmanager(subject.serve)())
        proxy = FaultProxy(url)
        stack.callback(proxy.close)
        app = application(home, HastyClock(), subject.adapters, subject.delivery(proxy.url))
        yield Ground(app, proxy, subject.delivery(url), subject)


@contextmanager
def _patience() -> Generator[None]:
    """Adapters that do not wait for long, in this process."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (client, s3_objects):
            patched.setattr(module, "READ_SECONDS", PATIENCE)
        patched.setattr(client, "ANSWER_SECONDS", PATIENCE)
        patched.setattr(client, "QUICK", PATIENCE / 2)
        patched.setattr(client, "PAUSE", 0.0)
        yield
