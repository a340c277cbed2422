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
    power: float = Field(description="chance that the design resolves it")
    cuped: float | None = Field(
        default=None, description="share of the variance that the covariate takes off, None without a covariate"
    )
    detects: float | None = Field(default=None, description="smallest relative effect found, for a success metric")


class Size(StrictModel):
    days: int
    control: float = Field(description="units in the control")
    smallest: float = Field(description="units in the smallest variant")
    metrics: list[MetricSize]
    each: float = Field(description="power that each test is to have, for the design's power of the decision")
    power: float = Field(description="least chance that the experiment ships when each effect is there, and no harm")

    @property
    def sufficient(self) -> bool:
        return all(metric.needed <= self.control for metric in self.metrics)
