from __future__ import annotations

from itertools import permutations

import pytest

from crossfade.core.model.plan import Place, Step
from crossfade.core.planning.order import in_order


def step(entry: str, *, there: bool, opens: bool = False, closes: bool = False) -> Step:
    place = Place(backend=entry, kind="any", settings={}, document="home")
    return Step(
        place=place,
        action="put" if there else "remove",
        entry=entry,
        before=None,
        after={} if there else None,
        opens_traffic=opens,
        closes_traffic=closes,
    )


CLOSING, GOING = step("closing", there=False, closes=True), step("going", there=False)
COMING, OPENING = step("coming", there=True), step("opening", there=True, opens=True)


@pytest.mark.parametrize("given", [*permutations([CLOSING, GOING, COMING, OPENING])])
def test_traffic_closes_first_and_opens_last_and_content_comes_between(given: tuple[Step, ...]) -> None:
    assert in_order(given) == [CLOSING, GOING, COMING, OPENING]


def test_steps_of_one_kind_stay_in_their_order() -> None:
    others = [step(name, there=True) for name in ("texts", "images")]
    assert in_order([OPENING, *others]) == [*others, OPENING]
