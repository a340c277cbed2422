"""An entry put into Unleash or taken out, call by call, in an order that every half of it can be left in.

What lets units in comes last: the flag is turned on when all that narrows it is there, and off before any of that goes.
A repeat looks at what is there and makes what is missing.
"""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from ...core.errors import BackendChanged, BackendFailed
from .api import Api
from .entry import PREVIEW, TEST, test_title
from .marks import Mark, mark_of
from .strategies import seen, wanted

_AFTER_TESTS = 1_000
"""The first place behind the strategies for test units, who are let in before anybody else."""


def put(api: Api, experiment: str, flag: JsonObject | None, entry: JsonObject, mark: Mark) -> None:
    """Make Unleash hold an entry.

    Args:
        flag: the experiment's, as it was found; None where there is none, or it is archived.
        mark: what its description is to say until all is done.

    Raises:
        BackendChanged: the flag's name is somebody else's.
        BackendFailed: Unleash cannot be reached or refuses.
    """
    switched, layer = entry["flag"], entry["layer"]
    if not isinstance(switched, dict) or not isinstance(layer, dict):
        raise BackendFailed("The entry to write is not one for Unleash.")
    flag = _claimed(api, experiment, flag, mark)
    on = switched["on"] is True
    if not on:
        api.switch(experiment, False)
    if flag.get("impressionData") != switched["impressions"]:
        api.change(experiment, impressionData=switched["impressions"])
    _put_layer(api, experiment, layer)
    _depend(api, experiment, flag, layer)
    _put_strategies(api, experiment, api.strategies(flag), objects(entry["strategies"]))
    if on and not api.here(flag).get("enabled"):
        _open(api, experiment, entry)
    if "test" not in layer:
        _drop_test(api, experiment, str(layer["flag"]))
    api.change(experiment, description=mark.ended.text)


def take_out(api: Api, experiment: str, flag: JsonObject | None, layer: str | None, mark: Mark) -> None:
    """Let nobody in any more, and archive the flag. Its strategies go, since Unleash brings an archived flag back
    without what it depended on: it would be open to everybody.

    Raises:
        As `put`.
    """
    if flag is not None and api.here(flag).get("enabled"):
        api.switch(experiment, False)
    flag = _claimed(api, experiment, flag, mark)
    for each in api.strategies(flag):
        api.drop_strategy(experiment, str(each["id"]))
    if layer is not None:
        _drop_test(api, experiment, layer)
    api.archive(experiment)
    api.change(experiment, description=mark.ended.text)


def clear_archived(api: Api, experiment: str) -> None:
    """Take the strategies out of a flag that somebody archived by hand, for the same reason. Unleash changes nothing of
    an archived flag, so it is brought back for that long; it comes back turned off."""
    left = api.strategies_of_archived(experiment)
    if left:
        api.revive(experiment)
        for each in left:
            api.drop_strategy(experiment, str(each["id"]))
        api.archive(experiment)


def _claimed(api: Api, experiment: str, flag: JsonObject | None, mark: Mark) -> JsonObject:
    """The experiment's flag, not archived, with the mark of this write in its description."""
    if flag is not None:
        api.change(experiment, description=mark.text)
        return flag
    if not api.create(experiment, "experiment", mark.text):
        if api.flag(experiment) is not None or not _was_ours(api.archived(experiment)):
            raise name_taken(experiment)
        api.change(experiment, description=mark.text)
        api.revive(experiment)
    return _there(api, experiment)


def name_taken(experiment: str) -> BackendChanged:
    return BackendChanged(
        "Unleash has a flag of this name that is somebody else's; nothing was written.",
        next="Give the experiment another key, or take that flag out of Unleash, then make a new plan.",
        got=experiment,
    )


def _was_ours(archived: JsonObject | None) -> bool:
    return archived is not None and mark_of(archived.get("description")) is not None


def _open(api: Api, experiment: str, entry: JsonObject) -> None:
    """Turn a flag on, after a last look: one whose strategies are all gone or disabled would be on for everybody, and
    one that depends on nothing for every slot. What Unleash has made of the strategies has to be what they are in the
    entry, while nobody is let in."""
    flag = _there(api, experiment)
    found = api.strategies(flag)
    if all(each.get("disabled") for each in found) or not flag.get("dependencies"):
        raise BackendFailed(
            "Somebody takes the experiment's flag in Unleash apart while it is written; it stays off.",
            next="Repeat the call.",
            got=experiment,
            retryable=True,
        )
    if not same([seen(each) for each in found], entry["strategies"]):
        raise BackendFailed(
            "Unleash keeps the experiment's strategies otherwise than they were written, so its flag stays off.",
            next="See whether somebody changes them, then repeat the call.",
            got=experiment,
        )
    api.switch(experiment, True)


def _put_layer(api: Api, experiment: str, layer: JsonObject) -> None:
    """The layer's flag. It lets nobody in by itself, and others of our writers may be making it now."""
    name = str(layer["flag"])
    flag = _made(api, name)
    known = [each for each in api.strategies(flag) if not _is_others_test(each, experiment)]
    _put_strategies(api, name, known, [*objects([layer.get("test")]), *objects(layer["strategies"])])
    if layer["on"] is True and not api.here(flag).get("enabled"):
        api.switch(name, True)


def _made(api: Api, name: str) -> JsonObject:
    """A flag of ours that is no experiment's."""
    flag = api.flag(name)
    if flag is not None:
        return flag
    made = api.create(name, "operational", "Crossfade keeps this flag: the slots of a layer.")
    if not made and api.flag(name) is None:
        api.revive(name)
    return _there(api, name)


def _there(api: Api, name: str) -> JsonObject:
    flag = api.flag(name)
    if flag is None:
        raise BackendFailed("A flag went while it was written.", next="Repeat the call.", got=name, retryable=True)
    return flag


def _is_others_test(raw: JsonObject, experiment: str) -> bool:
    title = str(raw.get("title"))
    return title.startswith(TEST) and title != test_title(experiment)


def _depend(api: Api, experiment: str, flag: JsonObject, layer: JsonObject) -> None:
    parent, let_in = str(layer["flag"]), layer["let_in"]
    variants = [str(each) for each in let_in] if isinstance(let_in, list) else []
    due: list[JsonValue] = [{"feature": parent, "enabled": True, "variants": list[JsonValue](variants)}]
    if not same(flag.get("dependencies"), due):
        api.depend(experiment, parent, variants)


def _put_strategies(api: Api, name: str, known: list[JsonObject], entries: list[JsonObject]) -> None:
    """Put these strategies in the place of the known ones. Unleash takes one of the same title twice, so each is
    looked for first, and what another writer made meanwhile is found by a second look."""
    added, tests = False, sum(map(_is_for_tests, entries))
    for number, entry in enumerate(entries):
        order = 0 if _is_for_tests(entry) else _AFTER_TESTS + number - tests
        there = next((each for each in known if each.get("title") == entry["id"]), None)
        if there is None:
            api.add_strategy(name, wanted(entry, order))
            added = True
            continue
        known.remove(there)
        if there.get("sortOrder") != order or not same(seen(there), entry):
            api.put_strategy(name, str(there["id"]), wanted(entry, order))
    for each in known:
        api.drop_strategy(name, str(each["id"]))
    if added:
        _drop_twins(api, name)


def _is_for_tests(entry: JsonObject) -> bool:
    title = str(entry["id"])
    return title.startswith(TEST) or PREVIEW in title


def _drop_twins(api: Api, name: str) -> None:
    """Of strategies of one title all writers keep the same one."""
    titles: set[JsonValue] = set()
    for each in sorted(api.strategies(_there(api, name)), key=lambda each: str(each["id"])):
        title = str(each.get("title"))
        if title in titles:
            api.drop_strategy(name, str(each["id"]))
        titles.add(title)


def _drop_test(api: Api, experiment: str, layer: str) -> None:
    flag = api.flag(layer)
    for each in api.strategies(flag) if flag is not None else []:
        if each.get("title") == test_title(experiment):
            api.drop_strategy(layer, str(each["id"]))
