"""How many units a design gets, and what it can find with them."""

from __future__ import annotations

from pydantic import Field

from .catalogue import Role
from .strict import StrictModel


class MetricSize(StrictModel):
    metric: str
    role: Role
    effect: float = Field(description="relative effect or margin that the design must resolve")
    needed: float = Field(description="units in the control that resolve it")
    detects: float | None = Field(default=None, description="smallest relative effect found, for a success metric")


class Size(StrictModel):
    days: int
    entering: float = Field(description="units that enter in all variants together")
    control: float = Field(description="units in the control")
    smallest: float = Field(description="units in the smallest variant")
    alpha: float = Field(description="two-sided, after correction")
    power: float = Field(description="of each test, after correction")
    metrics: list[MetricSize]

    @property
    def sufficient(self) -> bool:
        return all(metric.needed <= self.control for metric in self.metrics)

    @property
    def shortest(self) -> MetricSize | None:
        """The metric that lacks most units, or None when none does."""
        lacking = [metric for metric in self.metrics if metric.needed > self.control]
        return max(lacking, key=lambda metric: metric.needed, default=None)
