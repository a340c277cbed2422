"""An audience written as text: `colour in (red, blue) and (size < 9 or is_new) and not shape = round`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ..documents import MAX_DEPTH, JsonObject, require_storable
from ..errors import Invalid
from ..model.catalogue import Attribute

SIGNS = {"=": "in", "==": "in", "!=": "not", ">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}
EVERYBODY = "everybody"
NOBODY = "nobody"
RESERVED = frozenset({"any", "all", "not", "and", "or", "in", "exists", "missing", EVERYBODY, NOBODY})
"""Words that no attribute may have for a name."""
WORDS = frozenset({"and", "or", "not", "in", "exists", "missing", EVERYBODY, NOBODY})
MOST_DEPTH = 40
"""Deepest nesting of parentheses and `not`."""
EXAMPLES = [
    "colour in (red, blue)",
    "colour != red",
    "size >= 3 and size < 9",
    "shape = round or size < 3",
    "not (shape = round and size < 3)",
    "size exists",
    "size missing",
]
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>>=|<=|!=|==|[=<>()\[\],])|(?P<word>[^\s"()\[\],=<>!]+))"""
)


class TextFault(Exception):
    """Why a text is no audience, and where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.allowed = EXAMPLES


@dataclass(frozen=True)
class _Token:
    text: str
    at: int
    quoted: bool = False

    def word(self) -> str:
        """The keyword that it may be."""
        return "" if self.quoted else self.text.lower()


def from_text(text: str, attributes: Mapping[str, Attribute]) -> JsonObject:
    """The audience in JSON. A text that is JSON itself is read as such.

    Raises:
        TextFault
    """
    found = _read(text, attributes)
    try:
        require_storable(found, "the audience")  # what was escaped in the text is told only now
    except Invalid as error:
        raise TextFault(error.message[:1].upper() + error.message[1:]) from error
    return found


def _read(text: str, attributes: Mapping[str, Attribute]) -> JsonObject:
    if text.lstrip().startswith("{"):
        try:
            given: JsonValue = json.loads(text)
        except RecursionError as error:
            raise TextFault(f"It is nested more than {MAX_DEPTH} deep.") from error
        except ValueError as error:
            raise TextFault(f"This is no JSON: {error}.") from error
        if isinstance(given, dict):
            return given
    if not text.strip():
        return {}
    return _Parser(_tokens(text), text, attributes).whole()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    end = len(text.rstrip())
    at = 0
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise TextFault(f"Character {at + 1} begins nothing that can be read: {text[at : at + 20].strip()}")
        start, quoted = found.start(found.lastgroup or 0), found["quoted"]
        tokens.append(_Token(_unquoted(quoted, start) if quoted else found[0].strip(), start, bool(quoted)))
        at = found.end()
    return tokens


def _unquoted(quoted: str, at: int) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError as error:
        raise TextFault(f"The quoted text at character {at + 1} has an escape that JSON does not know.") from error


class _Parser:
    """Recursive descent: or, and, not, condition."""

    def __init__(self, tokens: list[_Token], text: str, attributes: Mapping[str, Attribute]) -> None:
        self.tokens, self.text, self.attributes = tokens, text, attributes
        self.place = 0
        self.depth = 0

    def whole(self) -> JsonObject:
        found = self._or()
        if self.place < len(self.tokens):
            raise self._fault("and, or, or the end")
        return found

    def _or(self) -> JsonObject:
        parts: list[JsonValue] = [self._and()]
        while self._took("or"):
            parts.append(self._and())
        return {"any": parts} if len(parts) > 1 else _object(parts[0])

    def _and(self) -> JsonObject:
        parts = [self._not()]
        while self._took("and"):
            parts.append(self._not())
        names = [name for part in parts for name in part]
        if len(names) == len(set(names)):
            return {name: value for part in parts for name, value in part.items()}
        return {"all": list[JsonValue](parts)}

    def _not(self) -> JsonObject:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise TextFault(f"It is nested more than {MOST_DEPTH} deep.")
        try:
            if self._took("not"):
                return {"not": self._not()}
            if self._took("("):
                inner = self._or()
                self._require(")")
                return inner
            if self._took(EVERYBODY):
                return {}
            if self._took(NOBODY):
                return {"not": {}}
            return self._condition()
        finally:
            self.depth -= 1

    def _condition(self) -> JsonObject:
        token = self._next("an attribute")
        if token.quoted or token.word() in WORDS or token.text in SIGNS or token.text in "()[],":
            self.place -= 1
            raise self._fault("an attribute")
        return {token.text: self._comparison(token.text)}

    def _comparison(self, name: str) -> JsonValue:
        sign = self.tokens[self.place].text if self.place < len(self.tokens) else ""
        if sign in SIGNS and not self.tokens[self.place].quoted:
            self.place += 1
            value = self._value(name)
            return value if SIGNS[sign] == "in" else {SIGNS[sign]: value}
        if self._took("exists"):
            return {"exists": True}
        if self._took("missing"):
            return {"exists": False}
        if self._took("not"):
            self._require("in")
            return {"not": self._values(name)}
        if self._took("in"):
            return self._values(name)
        attribute = self.attributes.get(name)
        if attribute is not None and attribute.type == "boolean":
            return True
        raise self._fault("=, !=, <, <=, >, >=, in, not in, exists or missing")

    def _values(self, name: str) -> list[JsonValue]:
        if not self._took("("):
            self._require("[")
        values = [self._value(name)]
        while self._took(","):
            values.append(self._value(name))
        if not self._took(")"):
            self._require("]")
        return values

    def _value(self, name: str) -> JsonValue:
        token = self._next("a value")
        if not token.quoted and (token.text in SIGNS or token.text in "()[],"):
            self.place -= 1
            raise self._fault("a value")
        return token.text if token.quoted else self._typed(name, token.text)

    def _typed(self, name: str, text: str) -> JsonValue:
        """A bare word as the attribute's type has it; as it is, to be found fault with, when it has none such."""
        attribute = self.attributes.get(name)
        kind = attribute.type if attribute is not None else ""
        if kind in ("string", "semver", "date"):
            return text
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        for convert in (int, float):
            try:
                return convert(text)
            except ValueError:
                continue
        return text

    def _took(self, text: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place].word() == text:
            self.place += 1
            return True
        return False

    def _require(self, text: str) -> None:
        if not self._took(text):
            raise self._fault(text)

    def _next(self, wanted: str) -> _Token:
        if self.place >= len(self.tokens):
            raise self._fault(wanted)
        self.place += 1
        return self.tokens[self.place - 1]

    def _fault(self, wanted: str) -> TextFault:
        if self.place >= len(self.tokens):
            return TextFault(f"The text ends where it needs {wanted}.")
        token = self.tokens[self.place]
        return TextFault(f"At character {token.at + 1}, {token.text[:40]} stands where it needs {wanted}.")


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value
