"""Each proof holds in its bounded form, and each control fails as it must. `make faults` runs the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .proofs import PROOFS

ROOT = Path(__file__).parents[2]


@pytest.mark.faults
@pytest.mark.parametrize("proof", PROOFS)
def test_the_proof_holds(proof: str) -> None:
    # A process of its own: the workers are forked from one that has nothing of pytest in it.
    command = [sys.executable, "-m", "tests.faults", proof]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
