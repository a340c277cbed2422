"""The example of Unleash, etcd and PostgreSQL: its catalogue on real servers, and its compose file beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from crossfade.core.model.brief import Brief
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from ..servers.etcd import etcd_server
from ..servers.unleash import ADMIN_TOKEN, UnleashServer
from ..servers.unleash_sdk import Product

EXAMPLE = Path(__file__).parents[2] / "examples/unleash_etcd"
UNLEASH, ETCD = "http://127.0.0.1:4242", "http://127.0.0.1:2379"


@pytest.mark.backends
def test_an_experiment_runs_on_the_example_as_it_is(
    tmp_path: Path, unleash: UnleashServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEASH_TOKEN", ADMIN_TOKEN)
    etcd, prefix = etcd_server(), f"{tmp_path.name}/parameters/"
    text = (EXAMPLE / "catalogue/news.yaml").read_text()
    for named, here in ((UNLEASH, unleash.url), (ETCD, etcd.url), ("crossfade/parameters/", prefix)):
        assert named in text
        text = text.replace(named, here)
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    (catalogue / "news.yaml").write_text(text)
    app = build(Settings(home=tmp_path, catalogue=catalogue), "editor")
    brief = {
        "key": "topics-first",
        "surface": "front_page",
        "change": "The reader's own topics stand first",
        "because": "Readers scroll past the day's stories to find them",
        "variants": {"topics": {"topics_first": True}},
        "success_metrics": {"articles_read": None},
    }
    app.create_experiment(Brief.read(brief))
    plan = app.plan_change("topics-first", "launch")
    assert plan.digest is not None, [finding.message for finding in plan.findings]
    app.approve(plan.digest, approved=True, assurance="terminal", by="editor")
    assert app.apply_plan(plan.digest).status == "applied"
    assert all(each.works for each in app.health().backends)
    product = Product(unleash.state())
    served = [product.variant("topics-first", {"reader_id": f"reader-{number}"}) for number in range(2_000)]
    assert {*served} == {None, "control", "topics"}
    held = etcd.get(f"{prefix}front_page")
    assert held is not None
    shown = json.loads(held)["experiments"]["topics-first"]["variants"]
    assert [shown[name]["topics_first"] for name in ("control", "topics")] == [False, True]


def test_the_compose_file_opens_what_the_catalogue_and_the_text_name() -> None:
    services = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"]
    opened = {port.rpartition(":")[0] for each in services.values() for port in each["ports"]}
    assert opened == {"127.0.0.1:5432", "127.0.0.1:2379", "127.0.0.1:4242"}
    catalogue, text = (EXAMPLE / "catalogue/news.yaml").read_text(), (EXAMPLE / "README.md").read_text()
    assert UNLEASH in catalogue
    assert ETCD in catalogue
    assert "127.0.0.1:5432/crossfade" in text
    wanted = set((EXAMPLE / "example.env").read_text().replace("=", "\n").split())
    secrets = ("POSTGRES_PASSWORD", "UNLEASH_ADMIN_TOKEN", "UNLEASH_BACKEND_TOKEN")
    for name in ("UNLEASH_IMAGE", "POSTGRES_IMAGE", "ETCD_IMAGE", *secrets):
        assert name in wanted
        assert f"${{{name}" in (EXAMPLE / "compose.yaml").read_text()
