"""GrowthBook's JavaScript SDK, installed outside the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

VERSION = "1.8.0"


def give_up(reason: str) -> None:
    """CI has to run this test; elsewhere one visible line says that it was left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def install() -> Path:
    """A folder outside the repository in which Node.js finds the SDK."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        give_up("The JavaScript SDK was not asked: no npm and Node.js on this machine.")
    assert npm is not None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "crossfade-tests" / f"growthbook-{VERSION}"
    package = folder / "node_modules" / "@growthbook" / "growthbook" / "package.json"
    if not package.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        call = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run([*call, f"@growthbook/growthbook@{VERSION}"], capture_output=True, check=False)
        if done.returncode:
            give_up("The JavaScript SDK was not asked: npm could not install it.")
    assert json.loads(package.read_bytes())["version"] == VERSION
    return folder


def run(folder: Path, script: str, asked: object) -> Any:
    """What a script prints as JSON for a question on its standard input."""
    answer = subprocess.run(
        ["node", "-e", script], input=json.dumps(asked).encode(), cwd=folder, capture_output=True, check=True
    )
    return json.loads(answer.stdout)
