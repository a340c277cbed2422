"""What cannot be seen is refused at the boundary, and escaped where a person reads."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from crossfade.core.documents import require_storable
from crossfade.core.errors import Invalid
from crossfade.core.plain_text import hidden_character, visible

PLAIN = [
    "",
    "plain",
    "two\nlines\tand a tab",
    "Für dich, per te",
    "می\u200cخو",
    "क्\u200dष",
    "👩\u200d💻 ❤\ufe0f",
]
FORGED = {
    "a\x1b[2K": "a\\u001b[2K",
    "a\rb\x08": "a\\u000db\\u0008",
    "no \u202esey": "no \\u202esey",
    "a\u2066b\u2069": "a\\u2066b\\u2069",
    "zero\u200bwidth": "zero\\u200bwidth",
    "\ufeffa": "\\ufeffa",
    "\u200da": "\\u200da",
    "a \u200c b": "a \\u200c b",
    "\x9b31m": "\\u009b31m",
    "\udcff": "\\udcff",
    "\U000e0041": "\\U000e0041",
}


@pytest.mark.parametrize("text", PLAIN)
def test_plain_texts_of_any_language_are_stored(text: str) -> None:
    assert hidden_character(text) is None
    require_storable({text: [text]}, "the brief")


@pytest.mark.parametrize("text", FORGED)
def test_what_cannot_be_seen_is_refused_in_values_and_in_keys_and_escaped_for_a_person(text: str) -> None:
    values: list[JsonValue] = [{"change": text}, {"variants": {text: 1}}, [text]]
    for value in values:
        with pytest.raises(Invalid) as refused:
            require_storable(value, "the brief")
        assert refused.value.code == "bad_text"
        assert refused.value.message.isprintable()
    assert visible(text) == FORGED[text]
    assert visible(text).isprintable()
