"""The `load` section of a scenario: what is sent when, over how many partitions, by how many, and collected by whom."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from streams.section import Section

PARTITIONS_MAX = 512
LINGER_MS = 5.0
"""How long a Kafka producer gathers messages where nobody says otherwise, since Kafka 4.0 (KIP-1030)."""
GATHERED_MIN = 4.0
"""Fewer messages in that time, of all partitions together, are not worth a wait: the broker is far from busy."""
OTHERS_PARTITIONS = 4
"""Where somebody else's scorer is measured, of which nobody knows how many instances it has."""


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
    partitions: Annotated[int, Field(ge=1, le=PARTITIONS_MAX)] = 1
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
        more is to be expected within that and `GATHERED_MIN` of all partitions, and not at all where waiting would
        gather next to nothing."""
        if self.linger_ms is not None:
            return self.linger_ms
        gathered = self.rate_per_s / self.senders * LINGER_MS / 1e3
        return LINGER_MS if gathered >= max(GATHERED_MIN, self.partitions) else 0.0

    @model_validator(mode="after")
    def _collectors_fit(self) -> "Load":
        if self.collectors > self.partitions:
            what = f"collectors = {self.collectors} is above partitions = {self.partitions}"
            raise ValueError(f"{what}: each takes partitions of its own")
        return self


def with_partitions(raw: Any) -> Any:
    """A scenario as it was read, with `load.partitions` where it is left out: a partition for each worker, or each
    collector if these are more. What is of a wrong type is left to who validates."""
    if not isinstance(raw, dict):
        return raw
    load, scorer = raw.get("load", {}), raw.get("scorer", {})
    if not (isinstance(load, dict) and isinstance(scorer, dict)) or "partitions" in load:
        return raw
    theirs = scorer.get("command") is not None or scorer.get("kind") == "external"
    takers = [OTHERS_PARTITIONS if theirs else 1, scorer.get("workers"), load.get("collectors")]
    whole = [count for count in takers if isinstance(count, int) and 1 <= count <= PARTITIONS_MAX]
    return raw | {"load": load | {"partitions": max(whole)}}
