"""Statistics of a design, pure and cited: sizes, detectable effects, multiplicity, sequential tests, accrual."""
