"""What a GrowthBook server can express and promise."""

from __future__ import annotations

from ...core.ports.capabilities import Capabilities, Promises
from .settings import CALLS_A_MINUTE

PROMISES = Promises(
    compare_and_swap=False, atomic=False, versions=True, calls_a_minute=CALLS_A_MINUTE, proof="contract"
)
"""GrowthBook compares when a revision of a feature is published: of writers that looked at the same state one gets our
mark, and others' rules are merged, not overwritten. An experiment has no such comparison (every update is taken, and
its tracking key can come twice in a race), and an entry takes several calls: a writer that sleeps after its mark is
kept from harm by a look before it opens, and by the saga's leases."""

CAPABILITIES = Capabilities()
"""Everything. GrowthBook's namespaces could not: their seed is the server's, so that nobody could say who is in, and an
update takes one range. The gate (`gate.py`) says buckets and holdouts in rollout rules, whose seed is ours to give."""
