"""Each proof holds in its bounded form, and each control fails as it must. `make faults` runs the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..servers.starting import give_up
from .proofs import PROOFS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def told() -> str:
    """What the command prints: in a process of its own, since the workers are forked from one without pytest in it."""
    command = [sys.executable, "-m", "tests.faults"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_600)
    print(done.stderr)
    return done.stdout


@pytest.mark.parametrize("proof", PROOFS)
def test_the_proof_holds(told: str, proof: str) -> None:
    if f"{proof}: no proof\n" in told:
        give_up("this machine lacks what the proof needs")
    assert f"{proof}: passed\n" in told, told
