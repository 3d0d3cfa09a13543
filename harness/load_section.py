"""The `load` section of a scenario: what is sent when, over how many partitions, by how many, and collected by whom."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from streams.section import Section

LINGER_MS = 5.0
"""How long a Kafka producer gathers messages where nobody says otherwise, since Kafka 4.0 (KIP-1030)."""


class Burst(Section):
    """The `burst` arrival process: every `every_s` seconds, `length_s` seconds at `factor` times the rate between."""

    factor: Annotated[float, Field(ge=1, le=1_000)] = 5.0
    every_s: Annotated[float, Field(ge=0.001, le=86_400)] = 10.0
    length_s: Annotated[float, Field(gt=0, le=86_400)] = 1.0

    @model_validator(mode="after")
    def _fits(self) -> "Burst":
        if self.length_s >= self.every_s:
            raise ValueError(f"length_s = {self.length_s:g} must be below every_s = {self.every_s:g}")
        return self


class Load(Section):
    """What is sent, when: an open-loop schedule fixed before the run."""

    process: Literal["constant", "poisson", "burst"] = "poisson"
    rate_per_s: Annotated[float, Field(gt=0, le=1_000_000)] = 500.0
    duration_s: Annotated[float, Field(gt=0, le=86_400)] | None = 30.0
    warmup_s: Annotated[float, Field(ge=0, le=3_600)] = 5.0
    partitions: Annotated[int, Field(ge=1, le=512)] = 4
    senders: Annotated[int, Field(ge=1, le=64)] = 1
    collectors: Annotated[int, Field(ge=1, le=64)] = 1
    burst: Burst = Burst()
    linger_ms: Annotated[float, Field(ge=0, le=1_000)] | None = None

    @property
    def total_s(self) -> float:
        """Seconds of schedule, warm-up included; `duration_s` null (to the end of the data) counts as none."""
        return self.warmup_s + (self.duration_s or 0.0)

    @property
    def lingers_ms(self) -> float:
        """How long a load process lets the messages of a partition gather: as told; else `LINGER_MS` where at least one
        more is to be expected within that, and not at all where waiting would gather nothing."""
        if self.linger_ms is not None:
            return self.linger_ms
        gathered = self.rate_per_s / (self.partitions * self.senders) * LINGER_MS / 1e3
        return LINGER_MS if gathered >= 1.0 else 0.0

    @model_validator(mode="after")
    def _collectors_fit(self) -> "Load":
        if self.collectors > self.partitions:
            what = f"collectors = {self.collectors} is above partitions = {self.partitions}"
            raise ValueError(f"{what}: each takes partitions of its own")
        return self


class TransferLoad(Load):
    """Transfers go out in one order."""

    partitions: Annotated[int, Field(ge=1, le=512)] = 1
