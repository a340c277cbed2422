"""`python -m tests.faults`: run the proofs, and print what they found as a table. `--long` for the long form."""

from __future__ import annotations

import argparse
import secrets
import sys
import traceback

from .table import Row, table


def main() -> int:
    from .proofs import PROOFS
    from .stage import Run
    from .verifier import Faults

    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("proof", nargs="*", metavar="PROOF", help=f"some of {', '.join(PROOFS)}; else all")
    parser.add_argument("--long", action="store_true", help="the long form, which takes hours")
    parser.add_argument("--seed", type=int, default=None, help="of a run that is to be repeated")
    asked = parser.parse_args()
    unknown = set(asked.proof) - set(PROOFS)
    if unknown:
        parser.error(f"no such proof: {', '.join(sorted(unknown))}")
    run = Run(long=asked.long, seed=secrets.randbelow(1_000_000) if asked.seed is None else asked.seed)
    print(f"seed {run.seed}", flush=True)
    rows: list[Row] = []
    for name in asked.proof or PROOFS:
        try:
            found = PROOFS[name](run)
        except Exception as error:  # one that breaks leaves the others to be seen
            traceback.print_exc()
            found = [Row(name, "-", faults=Faults(lost=[f"it broke: {error}"]))]
        rows += found
        told = "passed" if all(row.passed for row in found) else "FAILED"
        print(f"{name}: {'no proof' if any(row.not_run for row in found) else told}", flush=True)
    print(table(rows))
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
