"""A call whose arguments cannot be read is told all of them at once, with the call that was meant."""

from __future__ import annotations

import pytest

from crossfade.core.errors import Invalid
from crossfade.core.model.brief import Brief
from crossfade.server.tool_errors import number_meant


@pytest.mark.parametrize(
    ("text", "whole", "number"),
    [
        ("20%", False, "0.2"),
        ("12.5 percent", False, "0.125"),
        ("-1,5 %", False, "-0.015"),
        ("2 weeks", True, "14"),
        ("14 days", True, "14"),
        ("14.0", True, "14"),
        ("1.5 days", True, None),
        ("50%", True, None),
        ("a fifth", False, None),
        ("20 % of all", False, None),
        ("", False, None),
    ],
)
def test_a_text_with_a_unit_is_read_as_the_number_that_it_stands_for(
    text: str, number: str | None, *, whole: bool
) -> None:
    assert number_meant(text, whole=whole) == number


def test_a_brief_names_every_argument_that_it_cannot_hold() -> None:
    with pytest.raises(Invalid) as refused:
        Brief.read({"surface": "gallery", "change": "", "because": "x", "variants": {}, "key": "B", "iterates": "C"})
    assert refused.value.pointer == "/change"
    assert len(refused.value.more) == 3
