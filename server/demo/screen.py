"""What the demo prints: calls, replies and results, wrapped to the terminal."""

from __future__ import annotations

import json
import shutil
import textwrap

from pydantic import JsonValue

from ...core.documents import JsonObject

MARGIN = "    "


def width() -> int:
    return max(60, min(shutil.get_terminal_size((118, 24)).columns, 118))


def show(text: str = "", indent: str = "", bar: str = "") -> None:
    """Print lines, each wrapped with its continuation set in a little deeper; `bar` marks them as somebody's words."""
    for line in text.splitlines() or [""]:
        own = line[: len(line) - len(line.lstrip())]
        wrapped = textwrap.wrap(
            line.strip(),
            width(),
            initial_indent=indent + bar + own,
            subsequent_indent=indent + bar + own + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        print("\n".join(wrapped).rstrip() or (indent + bar).rstrip())


def heading(text: str) -> None:
    print()
    print(f"== {text} ".ljust(width(), "="))


def call(number: int, tool: str, arguments: JsonObject) -> None:
    """A call as a model would write it."""
    print()
    given = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()]
    lead = f"{number:>2}  "
    line = f"{lead}{tool}({', '.join(given)})"
    if len(line) <= width():
        print(line)
        return
    print(f"{lead}{tool}(")
    for each in given:
        show(f"{each},", MARGIN + "  ")
    print(f"{MARGIN})")


def reply(text: str, size: int, seconds: float, *, whole: bool) -> None:
    """A reply, or its first line, with its bytes and its time."""
    lines = text if whole else text.partition("\n")[0]
    show(lines, MARGIN, "| ")
    print(f"{MARGIN}{size:,} bytes, {seconds * 1000:,.0f} ms")


def question(text: str) -> None:
    print(f"{MARGIN}The server asks the person:")
    show(text, MARGIN, "? ")


def result(kept: bool, what: str, found: str) -> None:
    """A promise and what was found, in two columns."""
    lead = f"  {'ok ' if kept else 'BAD'}  {what:<28} "
    for line in textwrap.wrap(found, width(), initial_indent=lead, subsequent_indent=" " * len(lead)):
        print(line)


def shown(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
