"""An S3 server for the tests: moto's, in a process of its own."""

from __future__ import annotations

import atexit
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from .starting import await_answer, folder_of, free_port

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_EC2_METADATA_DISABLED": "true",
    # None of whoever runs the tests.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
REGION = "eu-north-1"
# A write on a condition is one step in S3. moto looks and writes in two, so its calls take turns; connections do not.
SERVER = """
import sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

app, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

def one_at_a_time(environ, start_response):
    with turn:
        return list(app(environ, start_response))

run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
"""


class MotoServer:
    """A server on a free port, with one bucket a use."""

    def __init__(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        descriptor, log = tempfile.mkstemp(prefix="crossfade-moto-")
        self._log = Path(log)
        self._numbers = count(1)
        with os.fdopen(descriptor, "wb") as out:
            self._process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=out, stderr=out)
        atexit.register(self.stop)
        await_answer(self._answers, self._log)
        self.s3 = self._client()

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"bucket-{next(self._numbers)}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def get(self, bucket: str, key: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def put(self, bucket: str, key: str, value: bytes) -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=value)

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._process.kill()
        self._process.wait(30)
        self._log.unlink(missing_ok=True)

    def _client(self) -> Any:
        session = importlib.import_module("boto3.session").Session("tester", "made-up")
        return session.client("s3", region_name=REGION, endpoint_url=self.url)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return httpx.get(f"{self.url}/moto-api/", timeout=10, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@cache
def moto_server() -> MotoServer:
    """The server of this run of the tests."""
    for package in ("moto", "flask_cors", "boto3"):
        folder_of(package)
    return MotoServer()


@contextmanager
def aws_environment(**changes: str) -> Generator[None]:
    """The credentials that moto takes, and none of the machine's."""
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patched.delenv(name)
        for name, value in {**CREDENTIALS, **changes}.items():
            patched.setenv(name, value)
        yield
