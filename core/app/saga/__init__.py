"""Carry a plan out, one step at a time, so that every crash leaves a state that the next process can finish.

The journal says what is intended before it is done. A step's write is a compare-and-swap of our own entry, so doing it
twice is doing it once. Before traffic opens a failure undoes what was done, the failed step included, since its effect
is unknown; pause and stop only ever go forward.
"""

from .advancing import NOBODY, Caller, advance, run, tell_accepted
from .taking import begin, claim, has_lapsed, is_free

__all__ = ["NOBODY", "Caller", "advance", "begin", "claim", "has_lapsed", "is_free", "run", "tell_accepted"]
