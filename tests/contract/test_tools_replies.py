"""What tools reply: both halves of a reply say the same, fit the published schema, and stay small."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import anyio
import jsonschema
import pytest
from mcp.types import Tool
from pydantic import JsonValue

from crossfade.core.model.answers import Applied, Checked, Estimate, Experiment, Experiments, PlanView, Surfaces
from crossfade.tools.all_tools import TOOLS

from .test_tools_journey import FORGED, Reply, travel

CONCISE = 4_096
"""Most bytes of both halves of a reply, unless the call asked for more."""
ERROR_FIELDS = {"code", "message", "retryable", "pointer", "got", "allowed", "nearest", "more", "next"}
SAID_IN_WORDS: dict[tuple[str, bool], str] = {
    ("control", True): ", control",
    ("enough", False): "too few",
    ("enough", True): "ENOUGH",
    ("opens_traffic", True): "OPENS TRAFFIC",
    ("ready", False): "NOT READY",
    ("relaxes", True): "relaxes the test",
    ("retryable", False): "the same call fails until that is mended",
    ("retryable", True): "the same call can succeed later",
}
"""How the text says what the structured half says with a boolean."""
SHARES = {"free"}
"""Numbers that the text may say as percents, as people do."""


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tool], list[Reply]]:
    return anyio.run(travel, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def tools(travelled: tuple[dict[str, Tool], list[Reply]]) -> dict[str, Tool]:
    return travelled[0]


@pytest.fixture(scope="module")
def replies(travelled: tuple[dict[str, Tool], list[Reply]]) -> list[Reply]:
    return travelled[1]


def test_the_journey_meets_every_tool_and_every_field_of_an_answer(replies: list[Reply]) -> None:
    """What no reply holds is compared by no test."""
    answers = [reply for reply in replies if not reply.is_error]
    assert {reply.tool for reply in answers} == {spec.run.__name__ for spec in TOOLS}
    unmet: dict[str, set[str]] = {}
    for model in (Surfaces, Experiments, Experiment, Checked, Estimate, PlanView, Applied):
        tools = [spec.run.__name__ for spec in TOOLS if get_type_hints(spec.run)["return"] is model]
        met = {field for reply in answers if reply.tool in tools for field in reply.structured}
        unmet[model.__name__] = set(model.model_fields) - met
    assert {name: fields for name, fields in unmet.items() if fields} == {}


def test_every_scalar_of_the_structured_half_occurs_in_the_text(tools: dict[str, Tool], replies: list[Reply]) -> None:
    """Which half a model sees is up to its host."""
    unsaid: dict[str, list[str]] = {}
    for reply in replies:
        known = ERROR_FIELDS if reply.is_error else set(property_names(tools[reply.tool].output_schema or {}))
        missing = [f"{at} = {leaf!r}" for at, leaf in leaves(reply.structured, known) if not says(reply.text, at, leaf)]
        if missing:
            unsaid[f"{reply.label} ({reply.tool})"] = missing
    assert unsaid == {}, json.dumps(unsaid, indent=1, ensure_ascii=False)


def property_names(schema: JsonValue) -> Iterator[str]:
    """Every name that a schema gives to a property, at any depth."""
    if isinstance(schema, list):
        for item in schema:
            yield from property_names(item)
    elif isinstance(schema, dict):
        properties = schema.get("properties")
        yield from properties if isinstance(properties, dict) else ()
        for inner in schema.values():
            yield from property_names(inner)


def leaves(value: JsonValue, known: set[str], at: str = "") -> Iterator[tuple[str, str | int | float | bool | None]]:
    """(path, scalar) of each scalar in a reply; a key that no schema knows is one too, as the name of something."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in known:
                yield f"{at}/{name}/(its name)", name
            yield from leaves(inner, known, f"{at}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, known, f"{at}/{index}")
    else:
        yield at, value


def says(text: str, at: str, leaf: str | float | None) -> bool:
    name = at.rsplit("/", 1)[-1]
    if isinstance(leaf, bool):
        if (name, leaf) == ("ready", True):
            return "NOT READY" not in text
        words = SAID_IN_WORDS.get((name, leaf), rf"\b{json.dumps(leaf)}\b")
        return re.search(words, text) is not None
    if isinstance(leaf, str):
        shouted = leaf.upper() if name == "severity" else leaf
        sentence = shouted.removesuffix(".")  # which goes on in the text with what came and what is allowed
        quoted = json.dumps(leaf, ensure_ascii=False)[1:-1]
        return any(form in text for form in (" ".join(sentence.splitlines()), quoted))
    if leaf is None:
        return False
    percents = (f"{leaf * 100:.4g} %",) if name in SHARES else ()
    forms = "|".join(re.escape(form) for form in (json.dumps(leaf), f"{leaf:g}", *percents))
    return re.search(rf"(?<![\d.])({forms})(?!\d|\.\d)", text) is not None


def test_a_concise_reply_is_small(replies: list[Reply]) -> None:
    sizes = {f"{reply.label} ({reply.tool})": reply.size for reply in replies if not reply.long}
    assert {label: size for label, size in sizes.items() if size > CONCISE} == {}


def test_every_answer_fits_its_output_schema(tools: dict[str, Tool], replies: list[Reply]) -> None:
    assert faults(tools, [reply for reply in replies if not reply.is_error]) == {}


def test_every_error_fits_the_output_schema_too(tools: dict[str, Tool], replies: list[Reply]) -> None:
    """The MCP Inspector and the TypeScript SDK 1.x check `structuredContent` whether `isError` is set or not, and
    where it does not fit, their users see the validator's complaint in place of our message."""
    assert faults(tools, [reply for reply in replies if reply.is_error]) == {}


def faults(tools: dict[str, Tool], replies: list[Reply]) -> dict[str, str]:
    found: dict[str, str] = {}
    for reply in replies:
        try:
            jsonschema.validate(reply.structured, tools[reply.tool].output_schema or {})
        except jsonschema.ValidationError as error:
            found[f"{reply.label} ({reply.tool})"] = f"{error.json_path}: {error.message[:120]}"
    return found


def test_every_reply_ends_with_the_next_step(replies: list[Reply]) -> None:
    without = [
        reply.label
        for reply in replies
        if not reply.structured.get("next") or not reply.text.endswith(f"\nnext: {reply.structured['next']}")
    ]
    assert without == []


def test_no_text_of_a_user_begins_a_line(replies: list[Reply]) -> None:
    """Else a hypothesis could end with a `next` that somebody else than the server wants called."""
    met = [reply for reply in replies if FORGED in reply.text]
    assert {reply.is_error for reply in met} == {True, False}
    assert [reply.label for reply in met if any(line.startswith(FORGED) for line in reply.text.splitlines())] == []


def test_every_error_has_one_shape(replies: list[Reply]) -> None:
    errors = [reply for reply in replies if reply.is_error]
    assert len(errors) > 10
    for reply in errors:
        body = reply.structured
        assert set(body) <= ERROR_FIELDS, reply.label
        assert re.fullmatch(r"[a-z][a-z_]*", body["code"]), reply.label
        assert isinstance(body["retryable"], bool), reply.label
        assert body["message"].endswith("."), f"{reply.label}: {body['message']}"
        assert body.get("pointer", "/").startswith("/"), reply.label
        for names in ("allowed", "nearest", "more"):
            assert body.get(names) != [], f"{reply.label}: an absent part is left out"
        assert reply.text.startswith(f"error {body['code']}"), reply.label


def test_no_error_leaks_what_is_inside_the_server(replies: list[Reply], tmp_path: Path) -> None:
    inside = re.compile(
        r"Traceback|pydantic|sqlalchemy|sqlite|errors\.pydantic\.dev|/site-packages/|Error executing tool"
    )
    assert [reply.label for reply in replies if reply.is_error and inside.search(reply.text)] == []


@pytest.mark.parametrize(
    ("label", "code", "pointer", "nearest"),
    [
        ("unknown experiment", "not_found", "/key", None),
        ("unknown surface", "not_found", "/surface", "home"),
        ("unknown parent", "not_found", None, None),
        ("taken key", "conflict", "/key", None),
        ("stale version", "conflict", "/version", None),
        ("unknown fix", "invalid", "/fixes", None),
        ("change of a stopped one", "not_allowed", "/changes", None),
        ("wrong state", "not_allowed", None, None),
        ("unknown digest", "not_found", "/digest", None),
        ("wrong cursor", "invalid", "/cursor", None),
        ("nothing given", "invalid_arguments", "/surface", None),
        ("long text", "invalid_arguments", "/because", None),
        ("bad key", "invalid_arguments", "/key", None),
    ],
)
def test_an_error_tells_what_and_where(
    label: str, code: str, pointer: str | None, nearest: str | None, replies: list[Reply]
) -> None:
    body = next(reply.structured for reply in replies if reply.label == label)
    assert body["code"] == code
    if pointer is not None:
        assert body["pointer"] == pointer
    if nearest is not None:
        assert body["nearest"][0] == nearest
