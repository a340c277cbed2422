"""MCP tools from ToolSpecs: strict arguments, schemas without padding."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ConfigDict, JsonValue

from ..core.documents import JsonObject
from ..tools.spec import ToolSpec

VERBATIM = frozenset({"enum", "required", "const", "default"})
"""Keywords whose values are data, not schemas."""
FAILURE: JsonObject = {"required": ["code", "message", "retryable"]}


def tool_of(spec: ToolSpec) -> Tool:
    """The tool of a spec, refusing unknown arguments and published with the smallest schema that says the same."""
    tool = Tool.from_function(
        spec.run,
        title=spec.title,
        description=" ".join((spec.run.__doc__ or "").split()),
        annotations=spec.annotations,
    )
    strict = strict_arguments(tool.fn_metadata.arg_model)
    output = tool.fn_metadata.output_schema
    tool.fn_metadata.arg_model = strict
    tool.parameters = stripped(strict.model_json_schema(by_alias=True))
    # Tool.output_schema is cached on first use, so the stripped one has to be in place before that.
    tool.fn_metadata.output_schema = or_failure(stripped(output)) if output is not None else None
    return tool


def or_failure(answer: JsonObject) -> JsonObject:
    """The schema of an answer or of a failure. Widespread clients (TypeScript SDK 1.x, the MCP Inspector) hold
    `isError` results to the output schema too, and where one does not fit they show that in place of the failure."""
    either = {keyword: part for keyword, part in answer.items() if keyword != "type"}
    return {"type": "object", "anyOf": [either, FAILURE]}


def strict_arguments(model: type[ArgModelBase]) -> type[ArgModelBase]:
    """The SDK's argument model, refusing unknown arguments and handing over values under the function's own names."""

    class Strict(model):
        model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

        def model_dump_one_level(self) -> dict[str, Any]:
            return {name: getattr(self, name) for name in type(self).model_fields}

    Strict.__name__ = model.__name__
    return Strict


def stripped(schema: JsonObject) -> JsonObject:
    """A schema with its definitions in place, without titles, and without null where null means "not given"."""
    definitions = schema.get("$defs")
    return _object(schema, definitions if isinstance(definitions, dict) else {}, ())


def _lean(node: JsonValue, definitions: JsonObject, within: tuple[str, ...]) -> JsonValue:
    if isinstance(node, list):
        return [_lean(item, definitions, within) for item in node]
    return _object(node, definitions, within) if isinstance(node, dict) else node


def _object(node: JsonObject, definitions: JsonObject, within: tuple[str, ...]) -> JsonObject:
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.rsplit("/", 1)[-1]
        found = definitions.get(name)
        if name in within or not isinstance(found, dict):
            return {}  # a model that holds itself says "anything" from there on
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _object({**found, **beside}, definitions, (*within, name))
    lean: JsonObject = {}
    for key, value in node.items():
        if key == "properties" and isinstance(value, dict):
            lean[key] = {name: _lean(part, definitions, within) for name, part in value.items()}
        elif not _is_padding(key, value):
            lean[key] = value if key in VERBATIM else _lean(value, definitions, within)
    return _without_null(lean, node)


def _is_padding(key: str, value: JsonValue) -> bool:
    if key in ("title", "$defs"):
        return True
    return (key == "default" and value is None) or (key == "additionalProperties" and value is True)


def _without_null(lean: JsonObject, original: JsonObject) -> JsonObject:
    options = lean.get("anyOf")
    if not isinstance(options, list) or original.get("default", 0) is not None:
        return lean
    kept = [option for option in options if isinstance(option, dict) and option != {"type": "null"}]
    if len(kept) != 1:
        return {**lean, "anyOf": list[JsonValue](kept)}
    return {**kept[0], **{key: value for key, value in lean.items() if key != "anyOf"}}
