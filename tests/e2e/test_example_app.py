"""The service in examples/app beside a home in which Crossfade launches, previews and stops."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.model.brief import Brief
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

APP = Path(__file__).resolve().parents[2] / "examples" / "app" / "app.py"
USERS = [f"u{number}" for number in range(300)]
PRODUCTION = ["recently-played", "made-for-you", "jump-back-in", "new-releases", "podcasts", "charts"]
FIRST = ["made-for-you", "recently-played", "jump-back-in"]
COLUMNS = {
    "entity_id",
    "entity_type",
    "experiment_key",
    "variant",
    "rule_id",
    "exposed_at",
    "flag_version",
    "client_version",
    "reason",
}


class OneDay:
    """A clock that stands on a day without a blackout."""

    def now(self) -> datetime:
        return datetime(2026, 9, 1, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


class Product:
    """The running service, asked over HTTP."""

    def __init__(self, client: httpx.Client, exposures: Path) -> None:
        self._client = client
        self._exposures = exposures

    def get(self, **query: str) -> httpx.Response:
        return self._client.get("/home", params=query)

    def home(self, user: str, **attributes: str) -> dict[str, Any]:
        answer = self.get(user_id=user, **attributes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def exposures(self) -> list[dict[str, Any]]:
        lines = self._exposures.read_text(encoding="utf-8").splitlines() if self._exposures.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def crossfade(tmp_path: Path) -> Crossfade:
    return build(Settings(home=tmp_path / "home"), "test", OneDay())


@pytest.fixture
def product(tmp_path: Path) -> Generator[Product]:
    exposures = tmp_path / "exposures.jsonl"
    settings = {"CROSSFADE_HOME": str(tmp_path / "home"), "EXPOSURES": str(exposures), "PORT": "0"}
    started = subprocess.Popen(
        [sys.executable, str(APP)],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started as process:
        try:
            assert process.stderr is not None
            told = re.search(r"running on (http://\S+)", "".join(iter_until(process.stderr, "running on")))
            assert told is not None
            with httpx.Client(base_url=told.group(1), timeout=30) as client:
                yield Product(client, exposures)
        finally:
            process.terminate()


def iter_until(lines: Any, words: str) -> Generator[str]:
    for line in lines:
        yield line
        if words in line:
            return


def launch(crossfade: Crossfade, **changes: Any) -> str:
    """Launch "Made for You first" on Home, for half of the units."""
    brief = {
        "surface": "home",
        "change": "Made for You first",
        "because": "it is what people come for",
        "variants": {"treatment": {"shelf_order": FIRST}},
        "success_metrics": {"minutes_played": None},
        "allocation": 0.5,
        **changes,
    }
    draft = crossfade.create_experiment(Brief.read(brief))
    assert draft.ready, draft.findings
    assert draft.key is not None
    plan = crossfade.plan_change(draft.key, "launch")
    assert plan.digest is not None
    crossfade.approve(plan.digest, approved=True, assurance="terminal", by="test")
    assert crossfade.apply_plan(plan.digest).status == "applied"
    return draft.key


def test_before_a_launch_everybody_gets_what_the_code_has(product: Product) -> None:
    answer = product.home("u1")
    assert answer["parameters"]["shelf_order"] == PRODUCTION
    assert answer["experiments"] == {}
    assert product.exposures() == []


def test_each_user_gets_the_variant_that_crossfade_explains_and_is_logged_once(
    crossfade: Crossfade, product: Product
) -> None:
    product.home("u1")  # the service runs before there is anything to read
    key = launch(crossfade)
    met: dict[str, str] = {}
    for user in USERS:
        answer = product.home(user, country="SE", app_version="9.1.4")
        explained = crossfade.explain(key, user, {})
        assert answer["experiments"] == ({key: explained.variant} if explained.variant else {})
        assert answer["parameters"]["shelf_order"] == (FIRST if explained.variant == "treatment" else PRODUCTION)
        assert answer["parameters"]["shelf_length"] == 10
        if explained.variant:
            met[user] = explained.variant
    again = {user: product.home(user)["experiments"].get(key) for user in met}
    assert again == met
    exposures = product.exposures()
    assert {line["entity_id"]: line["variant"] for line in exposures} == met
    assert len(exposures) == len(met)
    assert set(Counter(met.values())) == {"control", "treatment"}
    for line in exposures:
        assert line.keys() == COLUMNS
        assert (line["entity_type"], line["experiment_key"], line["rule_id"]) == ("user", key, key)
        assert (line["client_version"], line["reason"]) == ("9.1.4", "split")
        assert line["flag_version"].startswith("2026-09-01T12:00:00")
        assert datetime.fromisoformat(line["exposed_at"]).tzinfo is not None


def test_only_the_audience_enters(crossfade: Crossfade, product: Product) -> None:
    audience = {"country": {"not": "GB"}, "account_age_days": {"gte": 30}}
    key = launch(crossfade, audience=audience, allocation=1.0)

    def entered(**attributes: str) -> int:
        return sum(key in product.home(user, **attributes)["experiments"] for user in USERS[:50])

    assert entered(country="SE", account_age_days="400") > 40  # all but those in a holdout
    assert entered(country="GB", account_age_days="400") == 0
    assert entered(country="SE", account_age_days="3") == 0
    assert entered(country="SE") == 0
    assert entered() == 0


def test_test_units_see_their_variant_and_are_not_logged(crossfade: Crossfade, product: Product) -> None:
    key = launch(crossfade)
    outside = next(user for user in USERS if crossfade.explain(key, user, {}).variant is None)
    inside = next(user for user in USERS if crossfade.explain(key, user, {}).variant == "control")
    crossfade.preview(key, "treatment", [outside, inside], "test")
    for user in (outside, inside):
        assert product.home(user)["parameters"]["shelf_order"] == FIRST
    assert product.exposures() == []


def test_after_a_stop_the_next_request_gets_production_values(crossfade: Crossfade, product: Product) -> None:
    key = launch(crossfade)
    treated = next(user for user in USERS if crossfade.explain(key, user, {}).variant == "treatment")
    assert product.home(treated)["parameters"]["shelf_order"] == FIRST
    assert crossfade.stop(key).status == "applied"
    answer = product.home(treated)
    assert answer["parameters"]["shelf_order"] == PRODUCTION
    assert answer["experiments"] == {}
    assert len(product.exposures()) == 1


def test_shipped_values_are_production_and_a_broken_payload_changes_nothing(
    crossfade: Crossfade, product: Product, tmp_path: Path
) -> None:
    key = launch(crossfade)
    treated = next(user for user in USERS if crossfade.explain(key, user, {}).variant == "treatment")
    folder = tmp_path / "home" / "delivery" / "production"
    document = folder / "parameters" / "home.json"
    content = json.loads(document.read_bytes())
    document.write_text(json.dumps({**content, "parameters": {"shelf_length": 12}}), encoding="utf-8")
    assert product.home(treated)["parameters"]["shelf_length"] == 12
    assert product.home(treated)["parameters"]["shelf_order"] == FIRST
    for broken in ("{", '{"parameters": []}', '{"parameters": null}'):
        document.write_text(broken, encoding="utf-8")
        assert product.home(treated)["parameters"]["shelf_length"] == 12
    (folder / "growthbook.json").write_text("{", encoding="utf-8")
    assert product.home(treated)["parameters"]["shelf_order"] == FIRST


@pytest.mark.parametrize("query", [{}, {"user_id": ""}, {"user_id": "u1", "account_age_days": "old"}])
def test_a_request_that_cannot_be_decided_is_refused(product: Product, query: dict[str, str]) -> None:
    assert product.get(**query).status_code == 400
