"""What lists and searches need of an experiment's document, which may be any JSON while it is a draft."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject


def listing(key: str, document: JsonObject) -> dict[str, JsonValue]:
    """The columns of the experiment table that come out of the document; what has the wrong type counts as absent."""
    return {
        "name": _text(document, "name"),
        "surface": _text(document, "surface"),
        "layer": _text(document, "layer"),
        "environment": _text(document, "environment"),
        "owner": _text(document, "owner"),
        "touched": _touched(document),
        "audience": _object(document, "audience"),
        "words": _words(key, document),
    }


def folded(words: str) -> str:
    """Text as it is searched: `casefold` also finds what `lower` misses (STRASSE and straße)."""
    return words.casefold()


def _touched(document: JsonObject) -> list[JsonValue]:
    """Parameters that any variant sets, sorted, as `Spec.touched` has them."""
    variants = _object(document, "variants").values()
    touched = {name for each in variants if isinstance(each, dict) for name in _object(each, "parameters")}
    return list[JsonValue](sorted(touched))


def _words(key: str, document: JsonObject) -> str:
    hypothesis = _object(document, "hypothesis")
    tags = document.get("tags")
    texts = [key, *(_text(document, field) for field in ("name", "surface", "owner"))]
    texts += [tag for tag in (tags if isinstance(tags, list) else []) if isinstance(tag, str)]
    texts += [_text(hypothesis, field) for field in ("change", "because", "metric")]
    return folded("\n".join(text for text in texts if text))


def _text(document: JsonObject, field: str) -> str:
    value = document.get(field)
    return value if isinstance(value, str) else ""


def _object(document: JsonObject, field: str) -> JsonObject:
    value = document.get(field)
    return value if isinstance(value, dict) else {}
