"""What the JavaScript SDK of Unleash makes of what we deliver, against our own rule."""

from __future__ import annotations

from typing import Any

import pytest

from crossfade.core.audience import kept_out_by
from crossfade.core.documents import JsonObject

from ..servers.npm import installed
from ..servers.unleash import UnleashServer
from .javascript_sdk import run
from .test_unleash_sdk import assignment, by_our_rule, deliver, questions, state_of

pytestmark = pytest.mark.backends

VERSION = "6.12.1"
UNITS = [f"user-{number}" for number in range(2_000)]
SCRIPT = """
const { Unleash, InMemStorageProvider } = require("unleash-client");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = asked.map(async ([state, flag, contexts]) => {
  const client = new Unleash({
    appName: "product", url: "http://127.0.0.1:9/api/", disableMetrics: true, refreshInterval: 0,
    bootstrap: { data: state.features }, storageProvider: new InMemStorageProvider(), skipInstanceCountWarning: true,
  });
  client.on("error", () => {});
  client.on("warn", () => {});
  await new Promise((ready) => client.once("ready", ready));
  return contexts.map((context) => {
    const { name, enabled } = client.getVariant(flag, context);
    return enabled ? name : null;
  });
});
Promise.all(answers).then((all) => {
  require("fs").writeFileSync(1, JSON.stringify(all));
  process.exit();
});
"""
Asked = tuple[JsonObject, str, list[JsonObject]]


def variants(asked: list[Asked]) -> list[list[str | None]]:
    """The variant of each context of each question."""
    return run(installed("unleash-client", VERSION), SCRIPT, asked)


def context(unit: str, attributes: JsonObject) -> JsonObject:
    return {"properties": {"user_id": unit, **attributes}}


@pytest.mark.clients
def test_the_core_and_the_javascript_sdk_agree_on_who_is_in() -> None:
    every = questions()
    asked: list[Asked] = [
        (state_of(alternatives), "asked", [context("somebody", unit) for unit in units])
        for _, alternatives, units, _ in every
    ]
    for (raw, _, units, audience), found in zip(every, variants(asked), strict=True):
        expected = ["in" if kept_out_by(audience, unit) is None else None for unit in units]
        assert found == expected, raw


@pytest.mark.clients
def test_the_javascript_sdk_gives_each_unit_the_variant_of_our_rule(unleash: UnleashServer) -> None:
    more: dict[str, Any] = {"coverage": 0.4, "previews": {"new-1": UNITS[:3]}}
    made = assignment("first", 2_000, 8_000, **more)
    deliver(unleash, None, made)
    (found,) = variants([(unleash.state(), "first", [context(unit, {}) for unit in UNITS])])
    expected = by_our_rule(made, UNITS)
    assert found == [expected.get(unit) for unit in UNITS]
    assert len(expected) > 400
