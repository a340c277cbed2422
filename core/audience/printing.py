"""Print an audience in normal form, as a text that reads back as the same audience."""

from __future__ import annotations

import json
import re

from ..model.delivery import Alternative, Audience, Condition, Scalar
from .text import EVERYBODY, NOBODY, WORDS

_BARE = re.compile(r"[^\s\"()\[\],=<>!]+")


def described(audience: Audience, most: int | None = None) -> str:
    """The audience as text: "colour = red and size < 9 or is_new = true".

    Args:
        most: most alternatives written out; the rest is counted.
    """
    if not audience:
        return NOBODY
    if [] in audience:
        return EVERYBODY
    shown = audience[:most]
    more = [f"{len(audience) - len(shown)} more"] if len(audience) > len(shown) else []
    return " or ".join([*map(_alternative, shown), *more])


def _alternative(alternative: Alternative) -> str:
    return " and ".join(map(_condition, alternative))


def _condition(condition: Condition) -> str:
    name = condition.attribute
    if condition.missing:
        return f"{name} missing"
    parts: list[str] = []
    if condition.values is not None:
        parts.append(_set(name, condition.values, "=", "in"))
    bounds = ((">=", condition.gte), (">", condition.gt), ("<=", condition.lte), ("<", condition.lt))
    parts += [f"{name} {sign} {_said(bound)}" for sign, bound in bounds if bound is not None]
    if condition.excluded:
        parts.append(_set(name, condition.excluded, "!=", "not in"))
    return " and ".join(parts) or f"{name} exists"


def _set(name: str, values: list[Scalar], one: str, several: str) -> str:
    if len(values) == 1:
        return f"{name} {one} {_said(values[0])}"
    return f"{name} {several} ({', '.join(map(_said, values))})"


def _said(value: Scalar) -> str:
    """The value, quoted where it would read as something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    bare = _BARE.fullmatch(value) and value.lower() not in WORDS
    return value if bare else json.dumps(value, ensure_ascii=False)
