"""What all kinds of faults have in common: when, how long, when to break off, and what is expected of the system."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from harness.faults.targets import Targets
from streams.section import Section

Family = Literal["model", "scorer", "broker", "load", "input"]
Need = Literal["model", "processes", "broker", "proxy", "schedule", "feed"]
Signal = Literal[
    "breaker",
    "fallback",
    "overdue",
    "latency",
    "lag",
    "health",
    "rate",
    "score",
    "refused",
    "repeated",
    "ignored",
    "disorder",
]
SIGNALS: dict[Signal, str] = {
    "breaker": "the breaker left closed",
    "fallback": "rules decided in the model's stead",
    "overdue": "a response passed its limit",
    "latency": "the P99 at least doubled, and by 10 ms or more",
    "lag": "events waited: five times as many as before, and at least 50",
    "health": "a worker's health endpoint did not answer",
    "rate": "events were sent at twice the rate of before, or more",
    "score": "half of the model's scores, or more, were one and the same",
    "refused": "a message was refused with a reason (dead-lettered)",
    "repeated": "an event was decided twice",
    "ignored": "an event that came again was left alone, as the scorer says",
    "disorder": "an event was sent after one that happened later",
}
"""By what a fault is felt, and so detected."""


class Abort(Section):
    """When the fault is lifted before its time; a condition that is null is not watched.

    `overdue_max`: events whose time-out has passed. `response_p99_ms`: of the responses of the last second. `lag_max`:
    events sent and not answered.
    """

    overdue_max: Annotated[int, Field(ge=0)] | None = None
    response_p99_ms: Annotated[float, Field(gt=0)] | None = None
    lag_max: Annotated[int, Field(ge=1)] | None = None


class Expect(Section):
    """What the system is to do about it, beside what always holds (nothing lost, nothing decided twice).

    `breaker_opens`: must open and close again (true), must stay closed (false), or as the kind says (null).
    `response_p99_ms_max`: while it was felt. `model_waits_max`: so many calls of the model that took a time limit may
    any event have waited for, its own or one before it.
    """

    detected_s_max: Annotated[float, Field(gt=0)] | None = None
    recovered_s_max: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    response_p99_ms_max: Annotated[float, Field(gt=0)] | None = None
    model_waits_max: Annotated[int, Field(ge=0)] | None = None
    breaker_opens: bool | None = None


class Fault(Section):
    """One fault. `at_s` is in seconds since the first intended instant, warm-up included, as `second` of the timeline
    is; `at_event_time` (ISO 8601) is the intended instant of the first event of that time or later.

    A kind says what it needs, by which signals it must be felt, and whether the breaker is to open.
    """

    family: ClassVar[Family]
    need: ClassVar[Need]
    felt_by: ClassVar[tuple[Signal, ...]]
    opens_breaker: ClassVar[bool] = False
    workers_min: ClassVar[int] = 1
    durable_log: ClassVar[bool] = False
    """Whether it can be survived only by a broker that keeps its log."""

    kind: str
    at_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    at_event_time: str | None = None
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 10.0
    abort: Abort = Abort()
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _has_one_instant(self) -> "Fault":
        if (self.at_s is None) == (self.at_event_time is None):
            raise ValueError("give at_s (seconds since the start) or at_event_time (an ISO time): exactly one of them")
        if self.at_event_time is not None:
            if self.need in ("schedule", "feed"):
                raise ValueError(f"{self.kind} shapes the stream before event times are known: give at_s")
            _ = self.event_time_ns
        return self

    @property
    def event_time_ns(self) -> int | None:
        """`at_event_time` in ns UTC; ValueError when it is no time."""
        if self.at_event_time is None:
            return None
        try:
            moment = datetime.fromisoformat(self.at_event_time)
        except ValueError:
            raise ValueError(
                f"at_event_time is {self.at_event_time!r}, it must be a time such as 2026-03-07T10:00:00Z"
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1e9)

    @property
    def breaker_opens(self) -> bool | None:
        """Whether the breaker must open (true) or must not (false); None where either will do."""
        if self.expect.breaker_opens is not None:
            return self.expect.breaker_opens
        return True if self.opens_breaker else None

    def inject(self, targets: Targets, seed: int) -> None:
        """Begin it. Nothing to do for what is in the stream already."""

    def lift(self, targets: Targets) -> None:
        """End it."""
