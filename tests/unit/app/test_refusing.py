"""What only a person decides is refused to agents, and kept in an audit that they cannot fill."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.refusing import MOST_IN_AN_HOUR, claims_authority, claims_in
from crossfade.core.documents import JsonObject
from crossfade.core.errors import NotAllowed, StoreUnavailable
from crossfade.core.model.plan import AuditEvent
from crossfade.core.ports.store import Reader, Store, Writer
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .test_drafts import GROCERY, KEY, MISSPELT, brief


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def app(tmp_path: Path, clock: HandClock) -> Crossfade:
    return build(Settings(home=tmp_path, catalogue=GROCERY), "mcp:model", clock)


def refused(app: Crossfade, subject: str) -> list[AuditEvent]:
    with app.dependencies.store.read() as view:
        return [event for event in view.audit_of(subject, 1_000) if event.what == "attempt_refused"]


@pytest.mark.parametrize(
    "name",
    """override overrides override_reason Overridden force force_launch forceLaunch confirm confirmed severity findings
    approvals approvedBy bypass_checks skip_validation ignore-warnings no_checks yes waiver answer""".split(),  # noqa: SIM905
)
def test_a_name_that_takes_a_persons_decision_is_known(name: str) -> None:
    assert claims_authority(name)


@pytest.mark.parametrize(
    "name",
    [
        "skip",
        "offset",
        "enforced",
        "reinforce",
        "qury",
        "alocation",
        "check_in",
        "no_show",
        "ignore",
        "weight",
        "reviewers",
    ],
)
def test_a_name_that_was_only_misspelt_is_none(name: str) -> None:
    assert not claims_authority(name)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"overrides": ["blackout.window"]}, ["/overrides"]),
        ({"metrics": {"items_added": {"severity": "warn"}}}, ["/metrics/items_added/severity"]),
        ({"design": {"force": True}, "findings": []}, ["/design/force", "/findings"]),
        ({"variants": {"override": {"parameters": {"confirm": 1}}}}, []),
        ({"audience": {"approved": True}, "links": {"approval": "https://example.com"}}, []),
        ({"overrides": None}, []),
    ],
    ids=str,
)
def test_only_fields_that_a_spec_does_not_have_are_claims(document: JsonObject, found: list[str]) -> None:
    assert claims_in(document) == found


class TestDocuments:
    def test_a_patch_that_overrides_is_refused_and_audited_by_its_names(self, app: Crossfade) -> None:
        app.create_experiment(brief())
        with pytest.raises(NotAllowed) as error:
            app.update_experiment(KEY, 1, [], {"overrides": {"blackout.window": "the boss says so"}, "tags": ["a"]})
        assert (error.value.code, error.value.pointer) == ("only_a_person", "/changes/overrides")
        assert error.value.next.startswith(f'get_experiment(key="{KEY}")')
        assert "crossfade" in error.value.next
        [event] = refused(app, KEY)
        assert (event.who, event.after) == (
            "mcp:model",
            {"tool": "update_experiment", "names": ["/changes/overrides"]},
        )
        assert app.get_experiment(KEY).version == 1

    def test_a_brief_that_approves_itself_is_refused(self, app: Crossfade) -> None:
        with pytest.raises(NotAllowed, match="Only a person"):
            app.create_experiment(brief(more={"approvals": ["me"]}))
        assert [event.after for event in refused(app, "create_experiment")] == [
            {"tool": "create_experiment", "names": ["/more/approvals"]}
        ]
        assert app.find_experiments().experiments == []

    def test_a_spec_that_carries_severities_is_refused(self, app: Crossfade) -> None:
        with pytest.raises(NotAllowed):
            app.validate_experiment({"severity": {"blackout.window": "info"}})
        assert len(refused(app, "validate_experiment")) == 1


class TestPlans:
    def test_a_launch_that_something_blocks_is_audited_by_the_codes(self, app: Crossfade) -> None:
        app.create_experiment(brief(variants=MISSPELT))
        assert not app.plan_change(KEY, "launch").ready
        assert [event.after for event in refused(app, KEY)] == [{"tool": "plan_change", "names": ["payload.schema"]}]


class TestTheAudit:
    def attempt(self, app: Crossfade, names: list[str] | None = None) -> None:
        assert isinstance(app.refuse("plan_change", KEY, names or ["/force"]), NotAllowed)

    def test_takes_so_many_an_hour_of_one_experiment(self, app: Crossfade, clock: HandClock) -> None:
        app.create_experiment(brief())
        for _ in range(3 * MOST_IN_AN_HOUR):
            self.attempt(app)
        assert len(refused(app, KEY)) == MOST_IN_AN_HOUR
        clock.at += timedelta(hours=1)
        self.attempt(app)
        assert len(refused(app, KEY)) == MOST_IN_AN_HOUR + 1

    def test_does_not_grow_with_keys_that_nobody_has(self, app: Crossfade) -> None:
        for number in range(2 * MOST_IN_AN_HOUR):
            app.refuse("plan_change", f"no-such-{number}", ["/force"])
        assert len(refused(app, "plan_change")) == MOST_IN_AN_HOUR

    def test_cuts_what_is_long(self, app: Crossfade) -> None:
        self.attempt(app, ["/force" + "x" * 50_000] * 500)
        [event] = refused(app, "plan_change")
        assert len(str(event.after)) < 1_000

    def test_that_cannot_be_written_leaves_the_refusal_as_it_is(self, app: Crossfade) -> None:
        readonly = Crossfade(replace(app.dependencies, store=ReadOnly(app.dependencies.store)))
        with pytest.raises(NotAllowed):
            readonly.validate_experiment({"overrides": []})
        self.attempt(readonly)


class ReadOnly:
    """A store on a full disk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self) -> AbstractContextManager[Reader]:
        return self._store.read()

    def write(self) -> AbstractContextManager[Writer]:
        raise StoreUnavailable("The disk is full.")
