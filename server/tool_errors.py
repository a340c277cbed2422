"""Failures of a tool call as structured answers: what is wrong, what is allowed, and what to do next."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, TextContent
from pydantic import JsonValue, ValidationError

from ..core.app.refusing import claims_authority
from ..core.documents import canonical, pointer, tokens_of
from ..core.errors import SHOWN_MORE, CrossfadeError
from ..core.model.brief import sentence
from ..core.names import nearest

SYNONYMS = {
    "launch": ("start", "run", "begin", "activate", "go-live", "roll-out", "rollout", "enable"),
    "stop": ("end", "kill", "finish", "terminate", "abort", "disable"),
    "pause": ("hold", "freeze", "suspend"),
    "reconcile": ("repair", "mend", "fix", "sync", "restore", "heal", "correct"),
    "resume": ("continue", "unpause", "restart"),
}
MAX_LITERAL = 120
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(%|percent|days?|weeks?)?", re.IGNORECASE)
_OURS = frozenset({"string_too_long", "string_too_short", "string_pattern_mismatch"})
_NUMERIC = frozenset({"float_parsing", "int_parsing", "int_from_float"})
_DAY = "This must be a day, such as 2026-03-09."
_SENTENCES = {
    "literal_error": "This is none of the allowed values.",
    "missing": "This argument is needed.",
    "extra_forbidden": "There is no such argument.",
    "finite_number": "This must be a finite number.",
    "dict_type": "This must be an object; pass its fields directly, not as text.",
    "list_type": "This must be a list.",
    "string_type": "This must be text.",
    "int_parsing": "This must be a whole number.",
    "int_type": "This must be a whole number.",
    "float_parsing": "This must be a number.",
    "float_type": "This must be a number.",
    "bool_parsing": "This must be true or false.",
    "bool_type": "This must be true or false.",
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}


def error_result(body: dict[str, JsonValue]) -> CallToolResult:
    """An `isError` result whose text and structured half say the same."""
    return CallToolResult(
        content=[TextContent(type="text", text=error_text(body))], structured_content=body, is_error=True
    )


def error_text(body: dict[str, JsonValue]) -> str:
    lines = [
        f"error {body['code']}" + (f" at {body['pointer']}" if body.get("pointer") else "") + f": {body['message']}"
    ]
    for name in ("got", "allowed", "nearest"):
        value = body.get(name)
        if value is not None:
            text = (
                ", ".join(map(str, value))
                if isinstance(value, list)
                else value
                if isinstance(value, str)
                else canonical(value)
            )
            lines.append(f"{name}: {text}")
    more = body.get("more")
    if isinstance(more, list):
        lines += [f"also: {line}" for line in more]
    lines.append(
        "the same call can succeed later" if body.get("retryable") else "the same call fails until that is mended"
    )
    if body.get("next"):
        lines.append(f"next: {body['next']}")
    return "\n".join(" ".join(line.splitlines()) for line in lines)


def expected(error: CrossfadeError, tool: str, schema: dict[str, Any], given: dict[str, Any]) -> CallToolResult:
    """An expected failure; one that names no next step gets the call again, with the argument at fault open."""
    body = error.as_dict()
    if not error.next:
        body["next"] = _corrected(tool, schema, given, [{"pointer": error.pointer, "nearest": body.get("nearest")}])
    return error_result(body)


def unexpected(tool: str) -> CallToolResult:
    """A bug of ours: nothing of the exception leaves the server; its log has the traceback."""
    message = f"{tool} failed inside the server; the server's log (stderr) has the reason."
    next_step = "check with get_experiment before you repeat a write"
    return error_result({"code": "internal", "message": message, "retryable": False, "next": next_step})


def rejected_arguments(
    tool: str, schema: dict[str, Any], given: dict[str, Any], error: ValidationError
) -> CallToolResult:
    """Arguments that break the tool's schema: the first fault in full, the others in a line each."""
    properties: dict[str, Any] = schema.get("properties", {})
    faults = _merged(error, properties)
    first, rest = faults[0], faults[1:]
    body: dict[str, JsonValue] = {"code": "invalid_arguments", **first, "retryable": False}
    if rest:
        body["more"] = [_line(fault) for fault in rest[:SHOWN_MORE]]
    body["next"] = _corrected(tool, schema, given, faults)
    return error_result(body)


def _line(fault: dict[str, JsonValue]) -> str:
    near = fault.get("nearest")
    told = f" Nearest: {', '.join(map(str, near))}." if isinstance(near, list) else ""
    return f"{fault['pointer']}: {fault['message']}{told}"


def claims_among(error: ToolError) -> list[str]:
    """Pointers to the arguments of a refused call that no tool has and that decide what only a person decides."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError) or isinstance(error, UnexpectedToolError):
        return []
    unknown = [fault["loc"] for fault in cause.errors(include_url=False) if fault["type"] == "extra_forbidden"]
    return [pointer(*loc) for loc in unknown if claims_authority(str(loc[-1]))]


def _corrected(tool: str, schema: dict[str, Any], given: dict[str, Any], faults: list[dict[str, JsonValue]]) -> str:
    """The call again, with what was right in it, what was meant where that is plain, and ... where it is not."""
    properties: dict[str, Any] = schema.get("properties", {})
    values: dict[str, str] = {name: _literal(value) for name, value in given.items() if name in properties}
    for fault in faults:
        name = str(fault["pointer"]).split("/")[1] if fault["pointer"] else ""
        near = fault.get("nearest")
        meant_here = str(near[0]) if isinstance(near, list) and near else None
        changed = _with_number(given, fault) if name in properties else None
        if changed is not None:
            given = changed
            values[name] = values[name] if values[name] == "..." else _literal(given[name])
        elif name in properties:
            values[name] = _literal(meant_here) if meant_here else "..."
        elif meant_here in properties and meant_here not in values:
            values[meant_here] = _literal(given.get(name))
    for name in schema.get("required", []):
        values.setdefault(name, "...")
    ordered = [name for name in properties if name in values]
    return f"{tool}({', '.join(f'{name}={values[name]}' for name in ordered)})"


def _with_number(given: dict[str, Any], fault: dict[str, JsonValue]) -> dict[str, Any] | None:
    """The arguments with the number that a text at fault stands for; None where it stands for none."""
    number = number_meant(str(fault.get("got", "")))
    path = tokens_of(str(fault["pointer"]))
    if number is None or fault.get("nearest") != [number]:
        return None
    changed = deepcopy(given)
    inner = changed
    try:
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]]
    except (KeyError, TypeError):  # it came in another form, which was read first
        return None
    inner[path[-1]] = json.loads(number)
    return changed


def number_meant(text: str, *, whole: bool = False) -> str | None:
    """The number that a text with a unit stands for, as JSON: a share of 1 for per cent, and days for weeks. None for a
    text that is no such thing, or no whole number where one is asked for."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    unit = (found[2] or "").lower()
    times = 0.01 if unit in ("%", "percent") else 7 if unit.startswith("week") else 1
    number = round(float(found[1].replace(",", ".")) * times, 9)
    if whole and number != int(number):
        return None
    return f"{number:.9g}"


def _literal(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_LITERAL else "..."


def _merged(error: ValidationError, properties: dict[str, Any]) -> list[dict[str, JsonValue]]:
    """A fault for each error; a missing argument and an unknown one that looks like it are one mistake, told once."""
    errors = error.errors(include_url=False, include_context=True)
    missing = [str(fault["loc"][0]) for fault in errors if fault["type"] == "missing"]
    faults: list[dict[str, JsonValue]] = []
    explained: set[str] = set()
    for fault in errors:
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            name = str(fault["loc"][0])
            close = nearest(name, missing, 1) or nearest(name, properties, 1)
            explained.update(close)
            allowed: list[JsonValue] = list(properties)
            entry: dict[str, JsonValue] = {
                "pointer": pointer(name),
                "message": _SENTENCES["extra_forbidden"],
                "got": name[:100],
                "allowed": allowed,
            }
            if close:
                entry["nearest"] = list[JsonValue](close)
            faults.append(entry)
    for fault in errors:
        if fault["type"] == "extra_forbidden" or (fault["type"] == "missing" and str(fault["loc"][0]) in explained):
            continue
        faults.append(_fault(fault, properties))
    return faults


def _fault(fault: Any, properties: dict[str, Any]) -> dict[str, JsonValue]:
    path: list[int | str] = [part for part in fault["loc"] if part != "[key]"]
    name = str(path[0]) if path else ""
    described: dict[str, Any] = properties.get(name, {})
    message = _SENTENCES.get(fault["type"], f"{fault['msg'][:1].upper()}{fault['msg'][1:]}.")
    if fault["type"] in _OURS:
        message = sentence(fault["type"], fault.get("ctx", {}))
    if described.get("description"):
        message += f" {name}: {described['description']}."
    entry: dict[str, JsonValue] = {"pointer": pointer(*path), "message": message}
    given = fault.get("input")
    if fault["type"] != "missing" and isinstance(given, str | int | float | bool):
        entry["got"] = given[:100] if isinstance(given, str) else str(given)
    if fault["type"] in _NUMERIC and isinstance(given, str):
        number = number_meant(given, whole=fault["type"] != "float_parsing")
        if number is not None:
            entry["nearest"] = [number]
    options: list[str] = described.get("enum", [])
    if options and isinstance(given, str):
        entry["allowed"] = list[JsonValue](options)
        close = meant(given, options)
        if close:
            entry["nearest"] = list[JsonValue](close)
    return entry


def meant(given: str, options: list[str]) -> list[str]:
    """The option that a synonym stands for, or those that look like what came."""
    word = given.strip().lower().replace("_", "-").replace(" ", "-")
    for option in options:
        if word in SYNONYMS.get(option, ()):
            return [option]
    return nearest(given, options)
