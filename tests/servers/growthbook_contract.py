"""GrowthBook's published OpenAPI description, cut to the operations that the adapter calls.

To cut it anew from the document that GrowthBook publishes (`docs/openapi.yaml` of its repository):
`python -m tests.servers.growthbook_contract openapi.yaml`, from the top of this repository.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import jsonschema_rs

CUT = Path(__file__).with_name("growthbook_openapi.json")
_REVISION = "/v2/features/{id}/revisions/{version}"
OPERATIONS = (
    ("get", "/v2/features"),
    ("post", "/v2/features"),
    ("get", "/v2/features/{id}"),
    ("put", f"{_REVISION}/archive"),
    ("put", f"{_REVISION}/metadata"),
    ("put", f"{_REVISION}/default-value"),
    ("post", f"{_REVISION}/toggle"),
    ("post", f"{_REVISION}/rules"),
    ("delete", f"{_REVISION}/rules/{{ruleId}}"),
    ("post", f"{_REVISION}/rules/reorder"),
    ("post", f"{_REVISION}/publish"),
    ("post", f"{_REVISION}/discard"),
    ("get", "/v1/experiments"),
    ("post", "/v1/experiments"),
    ("post", "/v1/experiments/{id}"),
    ("post", "/v1/experiments/{id}/start"),
    ("get", "/v1/environments"),
)
_WORDS = ("description", "example", "examples", "title", "summary")


class Operation:
    """One of them, with what may be sent and what is answered."""

    def __init__(self, method: str, path: str, told: Any) -> None:
        self.method, self.path = method, path
        self._pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path)))
        self._names = re.findall(r"\{(\w+)\}", path)
        self._params: dict[str, Any] = {each["name"]: each for each in told["parameters"]}
        self._checks = {part: _validator(told[part]) for part in ("request", "answer") if told[part] is not None}
        self._values = {name: _validator(each["schema"]) for name, each in self._params.items()}

    def matches(self, method: str, path: str) -> dict[str, str] | None:
        """The parts of a path that is this operation's."""
        found = self._pattern.fullmatch(path) if method.lower() == self.method else None
        return dict(zip(self._names, map(unquote, found.groups()), strict=True)) if found else None

    def faults(self, parts: dict[str, str], query: str, body: Any) -> list[str]:
        """Where a request departs from the description."""
        given = {**parts, **dict(parse_qsl(query, keep_blank_values=True))}
        found = [f"Querystring: [{name}] is not known" for name in given if name not in self._params]
        for name, value in given.items():
            check = self._values.get(name)
            numeric = int(value) if value.isdigit() else value
            if check is not None and not (check.is_valid(value) or check.is_valid(numeric)):
                found.append(f"Request params: [{name}] {value} is none")
        if "request" in self._checks:
            found += _told("Request body", self._checks["request"], body)
        elif body is not None:
            found.append("Request body: there is none")
        return found

    def wrong(self, answer: Any) -> list[str]:
        """Where an answer of ours departs from it."""
        return _told("Answer", self._checks["answer"], answer)


def _told(where: str, check: Any, value: Any) -> list[str]:
    return [f"{where}: [{'.'.join(map(str, each.instance_path))}] {each.message}" for each in check.iter_errors(value)]


def _validator(schema: Any) -> Any:
    return jsonschema_rs.Draft202012Validator({**schema, "components": _cut()["components"]})


@cache
def _cut() -> Any:
    return json.loads(CUT.read_text(encoding="utf-8"))


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(Operation(each["method"], each["path"], each) for each in _cut()["operations"])


def cut(whole: Any) -> Any:
    """The part of the whole description that the tests need, without its words."""
    made = [_operation(whole, method, path) for method, path in OPERATIONS]
    schemas: dict[str, Any] = {}
    missing = _references(made)
    while missing:
        for name in missing:
            schemas[name] = _lean(whole["components"]["schemas"][name], answer=True)
        missing = _references(schemas) - schemas.keys()
    source = "docs/openapi.yaml of github.com/growthbook/growthbook (MIT licence), cut by growthbook_contract.py"
    return {
        "source": source,
        "version": whole["info"]["version"],
        "operations": made,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(whole: Any, method: str, path: str) -> Any:
    told = whole["paths"][path][method]
    parameters = [_resolved(whole, each) for each in told.get("parameters", [])]
    named = [{"name": each["name"], "in": each["in"], "schema": _lean(each["schema"])} for each in parameters]
    request = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answer = told["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "method": method,
        "path": path,
        "parameters": named,
        "request": _lean(request) if request is not None else None,
        "answer": _lean(answer, answer=True),
    }


def _resolved(whole: Any, told: Any) -> Any:
    if "$ref" not in told:
        return told
    for name in told["$ref"].removeprefix("#/").split("/"):
        whole = whole[name]
    return whole


def _lean(schema: Any, answer: bool = False, named: bool = False) -> Any:
    """A schema without its words. In answers, parts of an `allOf` forbid each other's fields, which nothing can meet:
    there the ban on other fields goes."""
    whole: Any = schema
    if isinstance(schema, list):
        return [_lean(each, answer) for each in whole]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for name, value in whole.items():
        ban = answer and name == "additionalProperties" and value is False
        if named or not (name in _WORDS or name.startswith("x-") or ban):
            kept[name] = _lean(value, answer, named=name == "properties" and not named)
    return kept


def _references(value: Any) -> set[str]:
    return {*re.findall(r"#/components/schemas/(\w+)", json.dumps(value))}


if __name__ == "__main__":
    import yaml

    document = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    CUT.write_text(json.dumps(cut(document), separators=(",", ":")) + "\n", encoding="utf-8")
