"""When the circuit breaker opens and closes: its settings, in resilience4j's words, and their bounds."""

import math
from dataclasses import dataclass
from typing import Literal

from streams.errors import BadInputError

WindowKind = Literal["count", "time"]
WINDOW_KINDS: tuple[WindowKind, ...] = ("count", "time")
Forced = Literal["open", "closed"]
FORCED: tuple[Forced, ...] = ("open", "closed")


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """When the breaker opens and closes. Rates are shares (0 to 1]. Raises `BadInputError` for a value out of bounds.

    A call is a whole micro-batch, so the window is far shorter than resilience4j's 100 calls, with which a model that
    takes 1.5 s a call would be borne for 150 s. `window_size` is in calls (`count`) or whole seconds (`time`);
    `wait_open_s` grows by `wait_open_factor` each time a trial fails, up to `wait_open_s_max`; a half-open breaker
    whose trials do not come back opens again after `wait_half_open_s_max` (0: waits for ever). `forced` overrules all
    of it from the beginning: `open` refuses every call, `closed` permits every call and counts none.
    """

    failure_rate_threshold: float = 0.5
    slow_call_rate_threshold: float = 0.5
    slow_call_duration_s: float = 1.0
    window_kind: WindowKind = "count"
    window_size: int = 10
    minimum_calls: int = 5
    permitted_calls_half_open: int = 5
    wait_open_s: float = 5.0
    wait_open_factor: float = 2.0
    wait_open_s_max: float = 60.0
    wait_half_open_s_max: float = 0.0
    forced: Forced | None = None

    def __post_init__(self) -> None:
        for name, (low, low_open, high) in _BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise BadInputError(f"breaker {name}: {value!r} is no finite number")
            if isinstance(high, int) and not isinstance(value, int):
                raise BadInputError(f"breaker {name}: {value!r} is no whole number")
            if value < low or (low_open and value == low):
                raise BadInputError(f"breaker {name}: {value} must be {'above' if low_open else 'at least'} {low}")
            if value > high:
                raise BadInputError(f"breaker {name}: {value} is above its bound {high}")
        if self.forced is not None and self.forced not in FORCED:
            raise BadInputError(f"breaker forced: {self.forced!r} is neither 'open' nor 'closed'")
        if self.window_kind not in WINDOW_KINDS:
            raise BadInputError(f"breaker window_kind: {self.window_kind!r} is neither 'count' nor 'time'")
        if self.window_kind == "count" and self.minimum_calls > self.window_size:
            found = f"{self.minimum_calls} is above window_size {self.window_size}: the breaker would never open"
            raise BadInputError(f"breaker minimum_calls: {found}")
        if self.wait_open_s > self.wait_open_s_max:
            raise BadInputError(f"breaker wait_open_s: {self.wait_open_s} is above its bound {self.wait_open_s_max}")


_BOUNDS: dict[str, tuple[float, bool, float]] = {
    # name: low, whether low itself is out, high (an int where only whole numbers will do)
    "failure_rate_threshold": (0, True, 1.0),
    "slow_call_rate_threshold": (0, True, 1.0),
    "slow_call_duration_s": (0, True, 3_600.0),
    "window_size": (1, False, 100_000),
    "minimum_calls": (1, False, 100_000),
    "permitted_calls_half_open": (1, False, 10_000),
    "wait_open_s": (0, True, 86_400.0),
    "wait_open_factor": (1, False, 100.0),
    "wait_open_s_max": (0, True, 86_400.0),
    "wait_half_open_s_max": (0, False, 86_400.0),
}
