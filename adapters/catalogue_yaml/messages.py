"""What the model says about a document, in our words: pydantic's errors as problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from ...core.catalogue_rules import Problem, Token
from ...core.model.catalogue import Catalogue
from ...core.names import nearest

IN_KEY = "[key]"
"""How pydantic marks that the name itself is at fault, not what stands under it."""
NAME = "a name is a lower-case letter, then letters, digits, _ or -; at most 63 characters"
MISSING_SECTION = "missing: no file of the catalogue has this section"
DATE = "a date is expected, such as 2026-12-31"

Context = Mapping[str, Any]
SENTENCES: dict[str, Callable[[Context], str]] = {
    "bool_type": lambda _: "true or false is expected (yes, no, on and off are texts in YAML 1.2)",
    "date_from_datetime_inexact": lambda _: DATE,
    "date_from_datetime_parsing": lambda _: DATE,
    "date_parsing": lambda _: DATE,
    "date_type": lambda _: DATE,
    "dict_type": lambda _: "a mapping is expected (name: value)",
    "float_parsing": lambda _: "a number is expected",
    "float_type": lambda _: "a number is expected",
    "greater_than": lambda more: f"must be greater than {more['gt']:g}",
    "greater_than_equal": lambda more: f"must be at least {more['ge']:g}",
    "int_from_float": lambda _: "a whole number is expected",
    "int_parsing": lambda _: "a whole number is expected",
    "int_type": lambda _: "a whole number is expected",
    "less_than": lambda more: f"must be less than {more['lt']:g}",
    "less_than_equal": lambda more: f"must be at most {more['le']:g}",
    "list_type": lambda _: "a list is expected",
    "literal_error": lambda _: "no such value",
    "missing": lambda _: "missing",
    "model_attributes_type": lambda _: "a mapping is expected (name: value)",
    "model_type": lambda _: "a mapping is expected (name: value)",
    "string_pattern_mismatch": lambda _: NAME,
    "string_too_long": lambda more: f"at most {more['max_length']:,} characters are allowed",
    "string_too_short": lambda _: "empty",
    "string_type": lambda _: "a text is expected; put it in quotes",
    "too_short": lambda more: f"at least {more['min_length']} is needed",
}


def problems_of(fault: ValidationError) -> list[Problem]:
    """Each error as a problem; a missing field next to an unknown one that resembles it is one mistake, told once."""
    problems = [_problem(error) for error in fault.errors(include_url=False)]
    meant = {(*problem.at[:-1], name) for problem in problems for name in problem.nearest}
    return [problem for problem in problems if not (problem.message == "missing" and problem.at in meant)]


def _problem(error: ErrorDetails) -> Problem:
    at: tuple[Token, ...] = error["loc"]
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        name, allowed = str(at[-1]), fields_at(at[:-1])
        return Problem(at, "no such field", name, allowed, nearest(name, allowed))
    got: JsonValue = None if kind == "missing" else error["input"]
    if at and at[-1] == IN_KEY:
        at = at[:-1]
        got = str(at[-1])
    if kind == "missing" and len(at) == 1:
        return Problem(at, MISSING_SECTION)
    told = SENTENCES.get(kind)
    message = error["msg"] if told is None else told(context)
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return Problem(at, message, got, allowed, nearest(str(got), allowed))
    if isinstance(got, str) and re.fullmatch(r"[-+]?\d+(_\d+)+(\.\d+)?", got) and "number" in message:
        message += ", without underscores"
    if got is None and kind not in ("missing", "too_short"):
        message += "; nothing stands here"
    return Problem(at, message, got)


def fields_at(at: tuple[Token, ...]) -> list[str]:
    """Names of the fields that the object at a path of the catalogue may have, as authors write them."""
    here: Any = Catalogue
    for token in at:
        here = _inside(_unwrapped(here), token)
    here = _unwrapped(here)
    return sorted(_named_fields(here)) if _is_model(here) else []


def _inside(here: Any, token: Token) -> Any:
    """The annotation of what stands under one token."""
    if _is_model(here):
        return _named_fields(here).get(str(token))
    arguments = get_args(here)
    return arguments[-1] if arguments else None


def _named_fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_model(here: Any) -> bool:
    return isinstance(here, type) and issubclass(here, BaseModel)


def _unwrapped(here: Any) -> Any:
    """The annotation without its constraints and its `| None`."""
    while get_origin(here) is Annotated:
        here = get_args(here)[0]
    if type(None) in get_args(here):
        here = next(part for part in get_args(here) if part is not type(None))
    return here
