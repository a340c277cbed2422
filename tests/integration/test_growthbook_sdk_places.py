"""The payload in etcd and in S3, read as a product would and evaluated by GrowthBook's own SDK for 20,000 units."""

from __future__ import annotations

import base64
import json
import math
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from growthbook import GrowthBook

from crossfade.core.model.delivery import Assignment
from crossfade.core.model.plan import BucketRange

from ..contract.backends import Subject, an_assignment, backend_of, subject_of
from ..servers.etcd import encoded, etcd_server
from ..servers.moto import moto_server

pytestmark = pytest.mark.backends
COUNT = 20_000
UNITS = [f"user-{number}" for number in range(COUNT)]
SHARES = {
    "exp-a": [BucketRange(lo=0, hi=2_000), BucketRange(lo=9_000, hi=9_500)],
    "exp-b": [BucketRange(lo=2_000, hi=6_000)],
}
CHECKOUT = {"defaultValue": False, "rules": [{"force": True, "condition": {"vip": True}}]}
THEIRS = {"status": 200, "features": {"checkout": CHECKOUT}}


def met(payload: dict[str, Any], units: list[str]) -> dict[str, tuple[str, str]]:
    """Unit -> (experiment, variant) of each unit that is in one, as the SDK says."""
    sdk = GrowthBook()
    sdk.set_payload(payload)
    inside: dict[str, tuple[str, str]] = {}
    for unit in units:
        sdk.set_attributes({"user_id": unit})
        evaluated: Any = sdk.eval_feature("home.title")
        if evaluated.experimentResult is not None:
            inside[unit] = (evaluated.experiment.key, evaluated.experimentResult.key)
    return inside


@dataclass
class Product:
    """A product that gets its payload from where it lies, by means of its own."""

    subject: Subject
    fetch: Callable[[], bytes]

    def met(self) -> dict[str, tuple[str, str]]:
        return met(json.loads(self.fetch()), UNITS)

    def launch(self, experiment: str) -> None:
        self.subject.write(experiment, None, self.subject.entry(experiment, f"By {experiment}"))

    def stop(self, experiment: str) -> None:
        self.subject.write(experiment, self.subject.read(experiment), None)


def compiled(experiment: str, title: str) -> dict[str, Any]:
    whole: Assignment = an_assignment(experiment, title).model_copy(
        update={"ranges": SHARES[experiment], "previews": {}}
    )
    assigner: Any = backend_of("growthbook_file")
    return assigner.compile_assignment(whole)


def from_etcd(subject: Subject) -> bytes:
    found = httpx.post(
        f"{etcd_server().url}/v3/kv/range", json={"key": encoded(str(subject.settings["key"]))}, trust_env=False
    )
    return base64.b64decode(found.json()["kvs"][0]["value"])


def from_s3(subject: Subject) -> bytes:
    """As anybody gets an object that may be read by all, or a CDN before it."""
    where = subject.settings
    server = moto_server()
    server.s3.put_object_acl(Bucket=where["bucket"], Key=where["key"], ACL="public-read")
    return httpx.get(f"{server.url}/{where['bucket']}/{where['key']}", trust_env=False).raise_for_status().content


@pytest.fixture(params=["growthbook_etcd", "growthbook_s3"])
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    with subject_of(request.param, tmp_path) as subject:
        subject.entry = compiled
        subject.put(json.dumps(THEIRS).encode())
        fetch = from_etcd if request.param == "growthbook_etcd" else from_s3
        yield Product(subject, lambda: fetch(subject))


def require_share(count: int, total: int, share: float) -> None:
    """A count within three standard errors of its share."""
    assert abs(count / total - share) <= 3 * math.sqrt(share * (1 - share) / total)


def test_two_experiments_of_a_layer_split_their_units_and_share_none(product: Product) -> None:
    alone: dict[str, set[str]] = {}
    for experiment in SHARES:
        product.launch(experiment)
        alone[experiment] = set(product.met())
    inside = product.met()
    found = Counter(experiment for experiment, _ in inside.values())
    require_share(found["exp-a"], COUNT, 0.25)
    require_share(found["exp-b"], COUNT, 0.4)
    mine = {name: {unit for unit, (key, _) in inside.items() if key == name} for name in SHARES}
    assert mine["exp-a"] == alone["exp-a"]
    assert mine["exp-b"] == alone["exp-b"] - alone["exp-a"]
    for name, units in mine.items():
        require_share(sum(inside[unit] == (name, "new") for unit in units), len(units), 0.5)
    product.stop("exp-a")
    assert set(product.met()) == mine["exp-b"]  # none of those of the other was waiting for it


def test_a_stop_leaves_what_others_have_in_the_document_as_it_was(product: Product) -> None:
    for experiment in SHARES:
        product.launch(experiment)
    for experiment in SHARES:
        product.stop(experiment)
    left = json.loads(product.fetch())
    assert {name: value for name, value in left.items() if name not in ("crossfade", "dateUpdated")} == THEIRS
    assert product.met() == {}


def test_a_product_that_watches_etcd_sees_a_launch_and_a_stop(tmp_path: Path) -> None:
    with subject_of("growthbook_etcd", tmp_path) as subject:
        subject.entry = compiled
        seen: queue.Queue[dict[str, Any] | None] = queue.Queue()
        body = {"create_request": {"key": encoded(str(subject.settings["key"]))}}
        watching = threading.Thread(target=watch, args=(etcd_server().url, body, seen, 2), daemon=True)
        watching.start()
        assert seen.get(timeout=10) is None  # the watch is there
        subject.write("exp-a", None, compiled("exp-a", "Yours"))
        launched = seen.get(timeout=10)
        subject.write("exp-a", compiled("exp-a", "Yours"), None)
        stopped = seen.get(timeout=10)
        watching.join(10)
        assert launched is not None
        assert stopped is not None
        assert {key for key, _ in met(launched, UNITS[:400]).values()} == {"exp-a"}
        assert met(stopped, UNITS[:400]) == {}


def watch(url: str, body: dict[str, Any], seen: queue.Queue[dict[str, Any] | None], changes: int) -> None:
    """Put None once the watch is there, then each payload of so many changes."""
    with httpx.stream("POST", f"{url}/v3/watch", json=body, timeout=20, trust_env=False) as answer:
        for line in answer.iter_lines():
            result = json.loads(line)["result"]
            if result.get("created"):
                seen.put(None)
            for event in result.get("events", ()):
                seen.put(json.loads(base64.b64decode(event["kv"]["value"])))
                changes -= 1
            if changes == 0:
                return
