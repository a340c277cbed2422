"""SDKs in JavaScript, installed outside the repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ..servers.npm import installed, node


def install() -> Path:
    """A folder in which Node.js finds GrowthBook's SDK."""
    return installed("@growthbook/growthbook", "1.8.0")


def run(folder: Path, script: str, asked: object) -> Any:
    """What a script prints as JSON for a question on its standard input."""
    answer = subprocess.run(
        [node(), "-e", script],
        input=json.dumps(asked).encode(),
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(answer.stdout)
