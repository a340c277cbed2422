"""What a model does with the tools. It knows the hypothesis; everything else it takes from earlier replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from ...core.documents import JsonObject, canonical
from ...core.model.answers import Experiment, ParameterView, Surfaces, SurfaceView
from . import screen
from .caller import Caller, Reply

MOST_CALLS = 5
MOST_BYTES = 10_240

# The surface that these words find has no blackout, so that the demo works on every day of the year.
HYPOTHESIS = (
    "People open Your Library to go on listening. Sorted by what each of them is likely to play next, it should lead "
    "more of them to play something from it."
)
WORDS = "sort the library by what is played next"
CHANGE = "Sort by likely next play"
BECAUSE = "people open the library to go on listening"
WANTED = "predicted"
SECOND_WORDS = "pin more items in the library"
SECOND_CHANGE = "Twice the pins"
SECOND_BECAUSE = "what is pinned is found at once"

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class Launch:
    """A way to a launch, up to the last reply on it."""

    parameter: ParameterView
    last: Reply

    @property
    def applied(self) -> bool:
        return self.last.tool == "apply_plan" and self.last.body.get("status") == "applied"


@dataclass(frozen=True)
class Running:
    """A running experiment as its own record has it, and the value that production has of what it varies."""

    experiment: Experiment
    parameter: str
    production: JsonValue


def read(model: type[Answer], reply: Reply) -> Answer:
    return model.model_validate_json(canonical(reply.body))


async def find(caller: Caller, words: str = WORDS, *, whole: bool = True) -> SurfaceView:
    best = read(Surfaces, await caller.call("find_surfaces", {"query": words}, whole=whole)).best
    assert best is not None, "words find a surface"
    return best


async def launch_first(caller: Caller, surface: SurfaceView) -> Launch:
    """The rest of the journey that is counted: a draft with a slip, its repair, the plan, the yes."""
    parameter = surface.parameters[0]
    value = next(value for value in parameter.values.split(", ") if WANTED in value)
    slip = value.replace("_", "-")
    told = f'A slip on purpose: "{slip}" where the surface says "{value}". Every later call is the `next` of a reply.'
    print()
    screen.show(told)
    brief = _brief(surface, CHANGE, BECAUSE, parameter, slip, next(iter(surface.success_metrics)))
    return await _launch(caller, brief, parameter, whole=True)


async def launch_second(caller: Caller, beside: ParameterView) -> Launch:
    """Another experiment in the layer of the first: it doubles a whole number."""
    surface = await find(caller, SECOND_WORDS, whole=False)
    numbers = [each for each in surface.parameters if each.values.startswith("integer") and each.layer == beside.layer]
    parameter = numbers[0]
    assert isinstance(parameter.production, int)
    metric = list(surface.success_metrics)[1]
    brief = _brief(surface, SECOND_CHANGE, SECOND_BECAUSE, parameter, parameter.production * 2, metric)
    return await _launch(caller, brief, parameter, whole=False)


def _brief(
    surface: SurfaceView, change: str, because: str, parameter: ParameterView, value: JsonValue, metric: str
) -> JsonObject:
    return {
        "surface": surface.key,
        "change": change,
        "because": because,
        "variants": {"treatment": {parameter.name: value}},
        "success_metrics": {metric: None},
    }


async def _launch(caller: Caller, brief: JsonObject, parameter: ParameterView, *, whole: bool) -> Launch:
    """Draft, then follow `next` until a plan was applied or declined, or nothing follows."""
    reply = await caller.call("create_experiment", brief, whole=whole)
    for _ in range(MOST_CALLS):
        if reply.failed or reply.tool == "apply_plan" or reply.following is None:
            break
        reply = await caller.call(*reply.following, whole=whole)
    return Launch(parameter, reply)


async def look(caller: Caller, launch: Launch) -> Running:
    """The record of what was launched."""
    assert launch.last.following is not None, "the reply to an apply names the call that shows the experiment"
    reply = await caller.call(*launch.last.following, whole=False)
    return Running(read(Experiment, reply), launch.parameter.name, launch.parameter.production)
