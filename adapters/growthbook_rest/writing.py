"""An entry put into GrowthBook or taken out, call by call, in an order that every half of it can be left in.

First comes our mark in the gate, which of several writers one gets. The experiment stays a draft, which no SDK sees,
until its gate and all of its rules are there; its start lets units in, and its end comes before anything else goes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from ...core.documents import JsonObject, objects, same
from ...core.errors import BackendChanged, BackendFailed
from ..descriptions import section_text
from .api import Api
from .drafts import Edit, published
from .experiments import body_of, experiment_rule, is_open, lets_in, rules_in, seen
from .gate import filters_of, gate_name, gate_rules, holds_here, is_on
from .marks import GateMark
from .parameters import new_parameter, parameter_edit, wanted_rules
from .reading import Held
from .settings import GrowthbookSettings

TRIES = 10
"""Looks at a feature of which others publish changes all the time."""
LONGEST_PAUSE = 0.5
"""Seconds between two of them, of random length, so that those who met once do not meet again."""


class Writing:
    """One write of one entry."""

    def __init__(self, api: Api, where: GrowthbookSettings, held: Held, mark: GateMark, now: datetime) -> None:
        """
        Args:
            held: what was found.
            mark: what the gate is to say until all is done.
        """
        self._api, self._where, self._held, self._mark = api, where, held, mark
        self._now = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._name, self._environment = held.name, where.environment
        self._comment = f"Crossfade: {held.name}"

    def put(self, entry: JsonObject) -> None:
        """Make GrowthBook hold an entry.

        Raises:
            BackendChanged: another writer was first, or the experiment's key is somebody else's.
            BackendFailed: GrowthBook cannot be reached or refuses.
        """
        rule, opens = experiment_rule(entry), is_open(entry)
        if self._held.taken:
            raise BackendChanged(
                "GrowthBook has an experiment of this tracking key that is somebody else's; nothing was written.",
                next="Give the experiment another key, or rename that one, then make a new plan.",
                got=self._name,
            )
        if lets_in(self._held.experiment) and not opens:
            self._close(archived=False)
        self._claim(on=True, rules=gate_rules(rule["filters"], self._environment))
        experiment = self._experiment(entry, opens)
        for name in sorted(rules_in(entry).keys() | self._held.features.keys()):
            self._feature(name, entry, experiment.get("id"))
        gate = self._still_ours()
        if opens and experiment.get("status") != "running":
            self._api.start(str(experiment.get("id")))
        self._settle(gate, on=True, features=rules_in(entry))

    def take_out(self) -> None:
        """Let nobody in any more, and leave nothing that an SDK gets.

        Raises:
            As `put`.
        """
        experiment = self._held.experiment
        if experiment is not None and (lets_in(experiment) or experiment.get("archived") is not True):
            self._close(archived=True)
        self._claim(on=None, rules=None)
        for name in sorted(self._held.features):
            self._feature(name, None, self._held.known)
        self._settle(self._still_ours(), on=False, features=())

    def settle(self, features: Iterable[str], on: bool) -> None:
        """Keep the fence of a write that finds its work done."""
        gate, due = self._held.gate, GateMark(fence=self._mark.fence, features=sorted(features)).text
        if gate is None:
            self._made(gate_name(self._environment, self._name), due, on=on)
        else:
            self._edit_gate(gate, Edit(description=due), on, None)

    def _close(self, archived: bool) -> None:
        ended: JsonObject = {
            "status": "stopped",
            "excludeFromPayload": True,
            **({"archived": True} if archived else {}),
        }
        self._api.update_experiment(str(self._held.known), ended)

    def _claim(self, on: bool | None, rules: list[JsonObject] | None) -> None:
        """Leave the mark, with the gate as it is to be."""
        gate, edit = self._held.gate, Edit(description=self._mark.text)
        if gate is None:
            gate = self._made(gate_name(self._environment, self._name), self._mark.text, on=on is True)
            edit = Edit()
        self._edit_gate(gate, edit, on, rules)

    def _made(self, name: str, description: str, on: bool) -> JsonObject:
        """A new gate, which lets nobody through."""
        gate = self._api.create_feature(self._feature_body(name, "boolean", "false", description, on))
        if gate is None:
            raise _beaten()
        return gate

    def _edit_gate(self, gate: JsonObject, edit: Edit, on: bool | None, rules: list[JsonObject] | None) -> None:
        there = [each for each in objects(gate.get("rules")) if holds_here(each, self._environment)]
        differs = rules is not None and not same(
            filters_of(gate, self._environment), _filters(rules, self._environment)
        )
        whole = Edit(
            description=edit.description if edit.description != gate.get("description") else None,
            enabled=on if on is not None and is_on(gate, self._environment) != on else None,
            unarchived=gate.get("archived") is True and on is True,
            drop=[str(each.get("id")) for each in there] if differs else (),
            add=rules or () if differs else (),
        )
        if not published(self._api, gate, self._environment, whole, self._comment):
            raise _beaten()

    def _still_ours(self) -> JsonObject:
        """The gate, as it is with our mark: whoever slept while others went on ends here."""
        gate = self._api.feature(gate_name(self._environment, self._name))
        if gate is None or gate.get("description") != self._mark.text:
            raise _beaten()
        return gate

    def _settle(self, gate: JsonObject, on: bool, features: Iterable[str]) -> None:
        """Say in the gate that all is done."""
        text = GateMark(fence=self._mark.fence, features=sorted(features)).text
        self._edit_gate(gate, Edit(description=text), on, None)

    def _experiment(self, entry: JsonObject, opens: bool) -> JsonObject:
        """The experiment as it is to be, still a draft unless it runs already."""
        there, where = self._held.experiment, self._where
        body = body_of(entry, self._name, where, there, self._now)
        if there is None:
            return self._api.create_experiment({**body, **self._named()})
        runs = there.get("status") == "running" and there.get("archived") is not True
        if runs and opens:
            due = {name: value for name, value in experiment_rule(entry).items() if name != "variations"}
            found = seen(there, self._held.gate, self._name, self._environment)
            if same({**found, "filters": due["filters"]}, due):
                return there
            return self._api.update_experiment(str(there["id"]), body)
        return self._api.update_experiment(str(there["id"]), {**body, "status": "draft", "archived": False})

    def _named(self) -> JsonObject:
        where = self._where
        named: JsonObject = {
            "trackingKey": self._name,
            "name": self._name,
            "description": section_text({"environment": where.environment}),
            "owner": where.owner,
            "assignmentQueryId": where.assignment_query or "",
            "status": "draft",
        }
        named |= {"datasourceId": where.datasource} if where.datasource else {}
        return named | ({"project": where.project} if where.project else {})

    def _feature(self, name: str, entry: JsonObject | None, known: JsonValue) -> None:
        """Our rules in a feature, and a default that is ours to set."""
        feature = self._held.features.get(name)
        for _ in range(TRIES):
            if feature is None and entry is not None and name in rules_in(entry):
                feature = self._new_feature(name, entry, known)
            if feature is None:
                return
            edit = parameter_edit(feature, entry, self._name, known, self._environment)
            if published(self._api, feature, self._environment, edit, self._comment):
                return
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - no secret
            feature = self._api.feature(name)
        raise BackendFailed(
            "Others publish changes of this feature in GrowthBook all the time.",
            next="Repeat the call.",
            got=name,
            retryable=True,
        )

    def _new_feature(self, name: str, entry: JsonObject, known: JsonValue) -> JsonObject | None:
        """A feature that we make with our rules in it, or one that somebody else has just made."""
        kind, default, description = new_parameter(name, entry)
        body = self._feature_body(name, kind, default, description, on=True)
        wanted = wanted_rules(body, entry, known, self._environment)
        return self._api.create_feature({**body, "rules": list[JsonValue](wanted)}) or self._api.feature(name)

    def _feature_body(self, name: str, kind: str, default: str, description: str, on: bool) -> JsonObject:
        where = self._where
        return {
            "id": name,
            "valueType": kind,
            "defaultValue": default,
            "description": description,
            "owner": where.owner,
            **({"project": where.project} if where.project else {}),
            "environments": {where.environment: {"enabled": on}},
        }


def _filters(rules: list[JsonObject], environment: str) -> JsonValue:
    return filters_of({"rules": list[JsonValue](rules)}, environment)


def _beaten() -> BackendChanged:
    return BackendChanged(
        "Another writer changes this experiment in GrowthBook at the same time; it came first.",
        next="Look at the experiment, and make a new plan for what it still needs.",
    )
