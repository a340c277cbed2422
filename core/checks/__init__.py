"""The checks: each finds one fault in an experiment and says how to mend it."""
