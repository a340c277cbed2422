"""The text of the tools' answers."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from crossfade.tools import text
from crossfade.tools.all_tools import TOOLS
from crossfade.tools.spec import ToolSpec


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.run.__name__)
def test_every_tool_answers_with_a_model_that_can_be_written_as_text(tool: ToolSpec) -> None:
    assert get_type_hints(tool.run)["return"] in text._WRITERS  # pyright: ignore[reportPrivateUsage]
