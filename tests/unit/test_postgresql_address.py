"""Which database a URL names, and that its password stays out of all that is said of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from crossfade.adapters.store.postgresql.address import address_of
from crossfade.core.errors import StoreUnavailable
from crossfade.server.settings import Settings
from crossfade.server.wiring import terminal_command


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ana:hush@db.example.com:5433/shop", "shop on db.example.com"),
        ("postgres://ana:hush@db.example.com/", "ana on db.example.com"),
        ("postgresql+psycopg://ana:h%40sh@db.example.com/shop", "shop on db.example.com"),
        ("postgresql:///shop?host=/run/postgresql&password=hush", "shop on /run/postgresql"),
        ("postgresql://", "that the environment names"),
    ],
)
def test_a_database_is_told_without_its_password(url: str, name: str) -> None:
    address = address_of(url)
    assert address.name == name
    assert "sh@" not in address.shown + repr(address)
    assert "hush" not in address.shown + repr(address)
    assert address_of(address.shown).name == name


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ana:hush@db/shop",
        "shop",
        "postgresql://ana:hu sh@db/shop",
        "postgresql://ana:hu@sh@db/shop",
        "postgresql://ana:hu/sh@db/shop",
        "postgresql://ana:12/sh@db/shop",
        "postgresql://ana:hush@db/shop?colour=red",
    ],
)
def test_a_wrong_url_is_told_without_a_word_of_it(url: str) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        address_of(url)
    assert "CROSSFADE_DATABASE_URL" in refused.value.message
    assert "%40" in refused.value.next
    assert not any(part in str(refused.value.as_dict()) for part in ("sh@", "hu", "ana"))


def test_a_missing_driver_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailable, match="psycopg") as refused:
        address_of("postgresql://db/shop")
    assert 'pip install "crossfade[postgresql]"' in refused.value.next


def test_the_command_for_a_terminal_leads_to_the_same_database(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr("postgresql://ana:hush@db:5433/shop"))
    command = terminal_command(settings)
    assert f"CROSSFADE_HOME={tmp_path} " in command
    assert "CROSSFADE_DATABASE_URL='postgresql://?user=ana&dbname=shop&host=db&port=5433' " in command
    assert "hush" not in command + repr(settings)


@pytest.fixture
def no_store_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSFADE_DATABASE_URL", raising=False)


@pytest.mark.usefixtures("no_store_named")
@pytest.mark.parametrize("broken", ["", 'lease_seconds = "soon"\n'])
def test_a_kill_switch_finds_the_database_though_other_settings_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    (tmp_path / "crossfade.toml").write_text(f'{broken}database_url = "postgresql://db/of_the_file"\n')
    assert Settings.of_home_alone().database == "postgresql://db/of_the_file"
    monkeypatch.setenv("CROSSFADE_DATABASE_URL", "postgresql://db/of_the_environment")
    assert Settings.of_home_alone().database == "postgresql://db/of_the_environment"


@pytest.mark.usefixtures("no_store_named")
def test_without_a_url_the_store_is_a_file_in_the_home(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).database == tmp_path / "crossfade.db"
