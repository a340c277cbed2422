"""A catalogue in which two backends write to one place does not load, however the place is spelt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossfade.adapters.all_backends import all_backends
from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.core.documents import JsonObject
from crossfade.core.model.catalogue import Backend, Catalogue, Environment
from crossfade.server.backend_rules import backend_problems

CATALOGUE = Path(__file__).parents[2] / "e2e" / "museum_catalogue"


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


def with_backends(*backends: tuple[str, JsonObject]) -> Catalogue:
    catalogue = YamlCatalogue(CATALOGUE).current()
    named = {f"b{number}": Backend(kind=kind, settings=settings) for number, (kind, settings) in enumerate(backends)}
    environment: Environment = catalogue.environments["open"]
    return catalogue.model_copy(update={"environments": {"open": environment.model_copy(update={"backends": named})}})


def shared(*backends: tuple[str, JsonObject]) -> bool:
    found = backend_problems(with_backends(*backends), all_backends(StoppedClock()), Path("/home"))
    return any("writes to the same place" in each.message for each in found)


def etcd(endpoints: list[str], key: str = "a/b/home") -> tuple[str, JsonObject]:
    where: JsonObject = {"prefix": key} if key.endswith("/") else {"key": key}
    kind = "parameters_etcd" if key.endswith("/") else "growthbook_etcd"
    return kind, {"endpoints": [*endpoints], **where}


def s3(key: str, endpoint: str | None = None) -> tuple[str, JsonObject]:
    where: JsonObject = {"prefix": key} if key.endswith("/") else {"key": key}
    there: JsonObject = {"endpoint": endpoint} if endpoint else {}
    return ("parameters_s3" if key.endswith("/") else "growthbook_s3"), {"bucket": "bucket", **where, **there}


def unleash(url: str) -> tuple[str, JsonObject]:
    return "unleash", {"url": url, "token_env": "TOKEN", "environment": "production"}


A, B, C = "http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (etcd([A, B]), etcd([B, C]), True),
        (etcd([A]), etcd([B]), False),
        (etcd(["http://h:80"]), etcd(["HTTP://H./"]), True),
        (etcd(["https://[::1]:443"]), etcd(["https://[0:0::1]"]), True),
        (etcd([A], "a/b/"), etcd([A], "a/b/home"), True),
        (etcd([A], "a/b/home"), etcd([A], "a/b/"), True),
        (etcd([A], "a/b/"), etcd([A], "a/b/c/home"), False),
        (etcd([A], "a/b/"), etcd([A], "a/b/Home"), False),
        (etcd([A], "a/"), etcd([A], "a/b/"), False),
        (s3("a/home.json"), s3("a/"), True),
        (s3("a/home"), s3("a/"), False),
        (s3("a/"), s3("a/", "https://s3.eu-north-1.amazonaws.com"), True),
        (s3("a/"), s3("a/", "https://s3.example.com"), False),
        (("growthbook_file", {"path": "out/home.json"}), ("parameters_folder", {"path": "out"}), True),
        (("growthbook_file", {"path": "out/flags/home.json"}), ("parameters_folder", {"path": "out"}), False),
        (unleash("https://unleash.example.com/x"), unleash("HTTPS://Unleash.Example.com:443/x/"), True),
        (unleash("https://unleash.example.com/x"), unleash("https://unleash.example.com/y"), False),
    ],
)
def test_backends_that_can_write_to_one_place_are_told_of(
    one: tuple[str, JsonObject], other: tuple[str, JsonObject], meet: bool
) -> None:
    assert shared(one, other) == meet


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://h:99999",
            "http://h:port",
            "http://h:0",
            "http://h\n",
            "http://h\0",
            "http://h/a b",
            "http://h/a/../b",
        ),
        *(
            "http://h/?",
            "http://h/#x",
            "http://user:password@h",
            "ftp://h",
            "h",
            "http://",
            "http://[::1",
            "http://h//a",
        ),
        *("http://h/api", "http://h/api/admin/", "http://" + "h" * 1_000),
    ],
)
def test_what_is_no_address_is_named_before_anything_is_sent_there(url: str) -> None:
    found = all_backends(StoppedClock())["unleash"].problems(unleash(url)[1])
    assert [pointer for pointer, _ in found] == ["/url"]
    assert "password@" not in found[0][1]
