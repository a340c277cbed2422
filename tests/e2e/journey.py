"""From a hypothesis in plain words to a running experiment, by a script that knows nothing but what the replies say."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from growthbook import GrowthBook
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent
from pydantic import JsonValue

from crossfade.core.documents import JsonObject

MOST_CALLS = 5
MOST_BYTES = 10_240
"""Of the text and the compact JSON of all replies together."""


@dataclass(frozen=True)
class Shown:
    """What the treatment shows in one place, both in words.

    `then` says what the script does with the words: `pick` the listed value, `lead` production's order with it, `set`
    a value that needs no list, `change` some fields of production's object, or send the value as it was `typed` from
    memory, under the name `typed_as`, in which case `meant` is what has to come of it.
    """

    place: str
    then: Literal["pick", "lead", "set", "change", "typed"]
    value: JsonValue
    meant: JsonValue = None
    typed_as: str = ""


@dataclass(frozen=True)
class Hypothesis:
    """What somebody on a product team says. Names of parameters, values and metrics are words to be looked up."""

    name: str
    surface: str
    """Where it is expected to end; the script never looks at it."""
    words: str
    change: str
    because: str
    shows: tuple[Shown, ...]
    wins: str
    by: float | None = None
    audience: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    allocation: float | None = None
    days: int | None = None
    variant: str = "treatment"
    listener: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Attributes of somebody in the audience."""
    typed: frozenset[str] = frozenset()
    """`metric` or `audience` when their names are sent as they stand here, without a look at the reply."""
    slips: bool = False
    """Whether something in it is wrong, so that one update is allowed."""


class Stuck(AssertionError):
    """The replies do not say what the next call needs."""


@dataclass
class Conversation:
    """Calls tools, and keeps what they replied."""

    client: Client
    calls: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    bytes: int = 0

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        result = await self.client.call_tool(tool, dict(arguments))
        block = result.content[0]
        assert isinstance(block, TextContent)
        structured: dict[str, Any] = result.structured_content or {}
        self.calls.append(tool)
        self.texts.append(block.text)
        self.bytes += len(block.text.encode()) + len(compact(structured).encode())
        assert not result.is_error, block.text
        assert block.text.splitlines()[-1] == f"next: {structured['next']}"
        return structured

    async def paste(self, following: str) -> dict[str, Any]:
        """Make the call that a reply's `next` holds, as it stands there."""
        return await self.call(*pasted(following))

    @property
    def transcript(self) -> str:
        return "\n\n".join(f"### {tool}\n{text}" for tool, text in zip(self.calls, self.texts, strict=True))


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pasted(following: str) -> tuple[str, dict[str, Any]]:
    """(tool, arguments) of a call in a `next`; its values are JSON."""
    match = re.match(r"(\w+)\(", following)
    if match is None:
        raise Stuck(f"no call in: {following}")
    for end in (found.end() for found in re.finditer(r"\)", following)):
        try:
            tree = ast.parse(following[:end], mode="eval").body
        except SyntaxError:
            continue
        assert isinstance(tree, ast.Call)
        return match[1], {word.arg: _json(word.value) for word in tree.keywords if word.arg is not None}
    raise Stuck(f"not a call that can be pasted: {following}")


def _json(node: ast.expr) -> Any:
    text = ast.unparse(ast.fix_missing_locations(_Json().visit(node)))
    return ast.literal_eval(text)


class _Json(ast.NodeTransformer):
    """JSON's names for Python's; what is no JSON, such as the `...` that stands for somebody's decision, is refused."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        constants = {"true": True, "false": False, "null": None}
        if node.id not in constants:
            raise Stuck(f"not JSON: {node.id}")
        return ast.Constant(constants[node.id])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if node.value is ...:
            raise Stuck("somebody has to decide")
        return node


def folded(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", words.lower()).strip()


def named(words: str, names: Iterable[str], what: str) -> str:
    """The one name that the words are, or that shares most words with them.

    Raises:
        Stuck: no name has all the words.
    """
    wanted = folded(words).split()
    every = list(names)
    exact = [name for name in every if folded(name) == folded(words)]
    fitting = exact or [name for name in every if set(wanted) <= set(folded(name).split())]
    if len(fitting) != 1:
        raise Stuck(f"{what} {words!r} is none or several of {every}")
    return fitting[0]


def listed_values(values: str) -> list[str]:
    """The literal values in a parameter's `values`: "list 3..8 of distinct a, b" or "{count: 4, 6; source: a, b}"."""
    parts = (re.split(r"\bof distinct |\bof |: ", part)[-1] for part in re.split(r"[,;{}]", values))
    return [part.strip() for part in parts if part.strip()]


def value_of(shown: Shown, parameter: Mapping[str, Any]) -> JsonValue:
    """What to send for words, from what a reply says of the parameter."""
    options: list[str] = listed_values(parameter["values"])
    production: JsonValue = parameter.get("production")
    words = shown.value
    first = named(str(words), options, "value") if shown.then in ("pick", "lead") else ""
    if shown.then == "pick":
        return _literal(first, production)
    if shown.then == "lead":
        assert isinstance(production, list)
        return [first, *(item for item in production if item != first)]
    if shown.then == "change":
        assert isinstance(words, dict)
        assert isinstance(production, dict)
        return {**production, **words}
    return words


def _literal(text: str, production: JsonValue) -> JsonValue:
    """A listed value in the type that production has."""
    return json.loads(text) if isinstance(production, int | float) else text


@dataclass(frozen=True)
class Outcome:
    """Where a journey ended, and what the treatment is to show: place in words -> value."""

    applied: dict[str, Any]
    surface: str
    treatment: dict[str, JsonValue]

    @property
    def key(self) -> str:
        return self.applied["key"]


async def launch(talk: Conversation, said: Hypothesis) -> Outcome:
    """The whole way, one update included where the draft is not ready."""
    best, digest = await planned(talk, said)
    applied = await talk.paste(digest)
    return Outcome(applied, best["key"], {folded(shown.place): meant_by(shown, best) for shown in said.shows})


async def planned(talk: Conversation, said: Hypothesis) -> tuple[dict[str, Any], str]:
    """(the surface as it was found, the call that applies the launch)."""
    found = await talk.call("find_surfaces", {"query": said.words})
    best = found["best"]
    draft = await talk.call("create_experiment", brief_for(said, best))
    if not draft["ready"]:
        draft = await talk.paste(draft["next"])
    if not draft["ready"]:
        raise Stuck(f"one update did not make it ready: {draft['next']}")
    plan = await talk.paste(draft["next"])
    if not plan["ready"]:
        raise Stuck(f"the plan is not ready: {plan['next']}")
    return best, plan["next"]


def meant_by(shown: Shown, best: Mapping[str, Any]) -> JsonValue:
    """The value that the treatment has to show in the end."""
    if shown.then == "typed":
        return shown.meant
    parameters = {each["name"]: each for each in best["parameters"]}
    return value_of(shown, parameters[named(shown.place, parameters, "parameter")])


def brief_for(said: Hypothesis, best: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {each["name"]: each for each in best["parameters"]}
    sent: dict[str, JsonValue] = {}
    for shown in said.shows:
        if shown.then == "typed":
            sent[shown.typed_as] = shown.value
            continue
        name = named(shown.place, parameters, "parameter")
        sent[name] = value_of(shown, parameters[name])
    brief: dict[str, Any] = {
        "surface": best["key"],
        "change": said.change,
        "because": said.because,
        "variants": {said.variant: sent},
        "success_metrics": {metric_for(said, best): said.by},
    }
    if said.audience:
        brief["audience"] = {attribute_for(said, name, best): value for name, value in said.audience.items()}
    if said.allocation is not None:
        brief["allocation"] = said.allocation
    if said.days is not None:
        brief["duration_days"] = said.days
    return brief


def metric_for(said: Hypothesis, best: Mapping[str, Any]) -> str:
    """A suggested metric by its words."""
    return said.wins if "metric" in said.typed else named(said.wins, best["success_metrics"], "metric")


def attribute_for(said: Hypothesis, words: str, best: Mapping[str, Any]) -> str:
    return words if "audience" in said.typed else named(words, best["audience"], "attribute")


class Person:
    """Somebody at the client who answers every question alike."""

    def __init__(self, action: str, *, approve: bool | None = None) -> None:
        self.answer = {"action": action, "content": None if approve is None else {"approve": approve}}
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult.model_validate(self.answer)


@dataclass
class Product:
    """The product at its end: the SDK on the delivered payload."""

    payload: JsonObject
    met: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def __post_init__(self) -> None:
        self.sdk = GrowthBook(on_experiment_viewed=self._track)
        self.sdk.set_payload(self.payload)

    def _track(self, experiment: Any, result: Any, user_context: Any) -> None:
        self.met.append((experiment.key, result.key))

    def values(
        self, feature: str, listener: Mapping[str, JsonValue], units: Iterable[str]
    ) -> dict[tuple[str, str] | None, list[JsonValue]]:
        """(experiment, variant) -> values that its units get; None for the units outside of every experiment."""
        found: dict[tuple[str, str] | None, list[JsonValue]] = {}
        attribute = self.unit_attribute(feature)
        for unit in units:
            self.met.clear()
            self.sdk.set_attributes({**listener, attribute: unit})
            value = self.sdk.eval_feature(feature).value
            values = found.setdefault(self.met[0] if self.met else None, [])
            if value not in values:
                values.append(value)
        return found

    def unit_attribute(self, feature: str) -> str:
        features: Any = self.payload["features"]
        return features[feature]["rules"][0]["hashAttribute"]
