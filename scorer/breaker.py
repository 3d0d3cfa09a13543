"""The circuit breaker in front of the model, in resilience4j's words, with pybreaker as its state machine.

pybreaker by itself opens on consecutive failures only and holds a lock during the call; so its `call()` is not used:
only its states and the notice it gives of each change. When to change is decided here, from sliding windows of failures
and slow calls (resilience4j's CircuitBreaker: resilience4j.readme.io/docs/circuitbreaker).

Two differences, on purpose. In half-open the verdict falls as soon as it is certain, not only when every permitted call
has come back. And a result that comes back after the state has changed is not counted in the new state.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pybreaker

from scorer.breaker_config import BreakerConfig
from scorer.sliding_window import NS_PER_S, CountWindow, SlidingWindow, TimeWindow, WindowCounts

_logger = logging.getLogger("riskbench.scorer")

BreakerState = Literal["closed", "open", "half-open", "forced-open", "disabled"]
Overruled = Literal["forced-open", "disabled"]
BREAKER_STATES: tuple[BreakerState, ...] = ("closed", "open", "half-open", "forced-open", "disabled")
CauseKind = Literal[
    "failure-rate", "slow-call-rate", "overdue", "wait-over", "trials-passed", "trials-not-back", "by-hand", "settings"
]
"""What can change the state, as a word for metrics; the cause in words has the figures."""
TRANSITIONS_KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state. `at_ns` is on the breaker's monotonic clock; `cause` says why, with value and threshold, and
    `kind` in one word."""

    at_ns: int
    from_state: BreakerState
    to_state: BreakerState
    cause: str
    kind: CauseKind


class Recorded(msgspec.Struct):
    """Calls whose results were counted since the start, each in one of the four (resilience4j's kinds of calls)."""

    successful: int = 0
    failed: int = 0
    slow_successful: int = 0
    slow_failed: int = 0

    def count(self, *, failed: bool, slow: bool) -> None:
        """Count one call."""
        if slow:
            self.slow_failed += failed
            self.slow_successful += not failed
        else:
            self.failed += failed
            self.successful += not failed


class Permit(msgspec.Struct, frozen=True):
    """Leave to make one call; given back with its result (`record`) or without one (`release`), exactly once."""

    generation: int
    at_ns: int


class _Notice(pybreaker.CircuitBreakerListener):  # type: ignore[misc]
    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        self._changed(new_state.name)


class CircuitBreaker:
    """Decides whether a call may be made, from how the last ones went. Safe to use from several threads.

    `clock` reads monotonic nanoseconds. `listeners` are told of every transition, outside of any call and after the
    state has changed; they must be quick, and what they raise is logged.
    """

    def __init__(
        self,
        config: BreakerConfig,
        clock: Callable[[], int],
        listeners: Sequence[Callable[[Transition], None]] = (),
    ) -> None:
        self.config = config
        self._clock = clock
        self._listeners = tuple(listeners)
        self._lock = threading.RLock()
        self._machine = pybreaker.CircuitBreaker(listeners=[_Notice(self._on_machine_change)])
        self._state: BreakerState = "closed"
        self._override: Overruled | None = None
        self._generation = 0
        self._slow_ns = config.slow_call_duration_s * NS_PER_S
        self._since_ns = clock()
        self._open_ns = 0
        self._attempts = 0
        self._trials_left = 0
        self._window = self._new_window()
        self._transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT_MAX)
        self.refused = 0
        self.recorded = Recorded()
        self.transition_count = 0
        self.transitions_by_kind: Counter[tuple[BreakerState, BreakerState, CauseKind]] = Counter()
        if config.forced is not None:
            overruled: Overruled = "forced-open" if config.forced == "open" else "disabled"
            self._overrule(overruled, f"forced {config.forced} by the settings", "settings")

    # Calls

    def acquire(self) -> Permit | None:
        """Ask for leave to call; `None`: do not, fall back. Moves from open to half-open when the wait is over."""
        generation, now_ns = self._generation, self._clock()
        if self._state in ("closed", "disabled"):  # without the lock: at worst the permit is of an earlier state
            return Permit(generation, now_ns)
        with self._lock:
            state = self._state
            if state in ("closed", "disabled"):
                return Permit(self._generation, now_ns)
            if state == "open" and now_ns - self._since_ns >= self.wait_open_ns:
                self._move("half-open", now_ns, f"the wait of {self.wait_open_ns / NS_PER_S:g} s is over", "wait-over")
            elif state == "half-open":
                self._give_up_on_trials(now_ns)
            if self._state == "half-open" and self._trials_left:
                self._trials_left -= 1
                return Permit(self._generation, now_ns)
            self.refused += 1
            return None

    def record(self, permit: Permit, *, failed: bool, duration_ns: int | None = None) -> None:
        """Give a permit back with the call's result. Without `duration_ns` the time since `acquire` is taken.

        A result of an earlier state is not counted.
        """
        with self._lock:
            now_ns = self._clock()
            if permit.generation != self._generation or self._state in ("disabled", "forced-open"):
                return
            duration_ns = now_ns - permit.at_ns if duration_ns is None else duration_ns
            slow = duration_ns > self._slow_ns
            counts = self._window.record(now_ns, failed=failed, slow=slow)
            if failed or slow:
                self.recorded.count(failed=failed, slow=slow)
            else:
                self.recorded.successful += 1
            if self._state == "closed":
                if counts.calls >= self.config.minimum_calls and (found := self._exceeded(counts, counts.calls)):
                    self._move("open", now_ns, *found)
            elif self._state == "half-open":
                self._judge_trials(counts, now_ns)

    def release(self, permit: Permit) -> None:
        """Give a permit back unused: the call was not made, or says nothing about the model."""
        with self._lock:
            if permit.generation == self._generation and self._state == "half-open":
                self._trials_left += 1

    # By hand

    def trip(self, cause: str, kind: CauseKind = "by-hand") -> None:
        """Open now, whatever the window says; closes again by way of half-open. Nothing if open, forced or disabled."""
        with self._lock:
            if self._state in ("closed", "half-open"):
                self._move("open", self._clock(), cause, kind)

    def force_open(self, cause: str = "by hand") -> None:
        """Refuse every call until `reset`."""
        self._overrule("forced-open", cause, "by-hand")

    def disable(self, cause: str = "by hand") -> None:
        """Permit every call and count none, until `reset`: forced closed."""
        self._overrule("disabled", cause, "by-hand")

    def reset(self, cause: str = "by hand") -> None:
        """Back to closed with an empty window, from any state."""
        with self._lock:
            if self._state != "closed":
                self._move("closed", self._clock(), cause, "by-hand")
            else:
                self._window = self._new_window()
                self._generation += 1

    # Readings

    @property
    def state(self) -> BreakerState:
        """The state now. An open breaker whose wait is over stays open until somebody asks to call."""
        return self._state

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The transitions so far, oldest first: at most the last 10,000 (`transition_count` counts all)."""
        with self._lock:
            return tuple(self._transitions)

    @property
    def wait_open_ns(self) -> int:
        """How long the breaker stays open this time: grows with the trials that failed in a row."""
        config = self.config
        # The exponent is bounded only so that a float cannot overflow.
        grown = config.wait_open_s * config.wait_open_factor ** min(max(self._attempts - 1, 0), 150)
        return int(min(grown, config.wait_open_s_max) * NS_PER_S)

    @property
    def open_ns(self) -> int:
        """Time spent open or forced open so far."""
        with self._lock:
            running = self._clock() - self._since_ns if self._state in ("open", "forced-open") else 0
            return self._open_ns + running

    def summary(self) -> dict[str, Any]:
        """The readings as JSON values: state, transitions (at_ns, from, to, cause), open_ms, refused."""
        with self._lock:
            told = [
                {"at_ns": each.at_ns, "from": each.from_state, "to": each.to_state, "cause": each.cause}
                for each in self._transitions
            ]
            return {"state": self._state, "transitions": told, "open_ms": self.open_ns / 1e6, "refused": self.refused}

    def counts(self) -> WindowCounts:
        """What the window of the present state holds."""
        with self._lock:
            return self._window.counts(self._clock())

    # Inside

    def _new_window(self) -> SlidingWindow:
        config = self.config
        return CountWindow(config.window_size) if config.window_kind == "count" else TimeWindow(config.window_size)

    def _exceeded(self, counts: WindowCounts, of: int) -> tuple[str, CauseKind] | None:
        """Which threshold is reached when the counted failures or slow calls are held against `of` calls, in words."""
        config = self.config
        if counts.failed / of >= config.failure_rate_threshold:
            return f"failure rate {counts.failed}/{of} reached {config.failure_rate_threshold:g}", "failure-rate"
        if counts.slow / of >= config.slow_call_rate_threshold:
            words = f"slow calls (above {config.slow_call_duration_s:g} s)"
            return f"{words} {counts.slow}/{of} reached {config.slow_call_rate_threshold:g}", "slow-call-rate"
        return None

    def _judge_trials(self, counts: WindowCounts, now_ns: int) -> None:
        permitted = self.config.permitted_calls_half_open
        if found := self._exceeded(counts, permitted):
            cause, kind = found
            self._move("open", now_ns, f"trial calls: {cause}", kind)
        elif counts.calls >= permitted:
            self._move("closed", now_ns, f"{permitted} trial calls went well", "trials-passed")

    def _give_up_on_trials(self, now_ns: int) -> None:
        limit_s = self.config.wait_half_open_s_max
        if limit_s and now_ns - self._since_ns >= limit_s * NS_PER_S:
            self._move("open", now_ns, f"trial calls did not all come back within {limit_s:g} s", "trials-not-back")

    def _overrule(self, to_state: Overruled, cause: str, kind: CauseKind) -> None:
        with self._lock:
            if self._state != to_state:
                self._move(to_state, self._clock(), cause, kind)

    def _move(self, to_state: BreakerState, now_ns: int, cause: str, kind: CauseKind) -> None:
        """Change state by way of the state machine, which calls back to `_on_machine_change`."""
        from_state = self._state
        if from_state in ("open", "forced-open"):
            self._open_ns += now_ns - self._since_ns
        self._attempts = self._attempts + 1 if to_state == "open" else self._attempts
        if to_state in ("closed", "forced-open", "disabled"):
            self._attempts = 0
        self._override = to_state if to_state in ("forced-open", "disabled") else None
        if to_state in ("open", "forced-open"):
            self._machine.open()
        elif to_state == "half-open":
            self._machine.half_open()
        else:
            self._machine.close()
        self._generation += 1
        self._since_ns = now_ns
        half_open = to_state == "half-open"
        self._trials_left = self.config.permitted_calls_half_open if half_open else 0
        self._window = CountWindow(self.config.permitted_calls_half_open) if half_open else self._new_window()
        self._tell(Transition(now_ns, from_state, to_state, cause, kind))

    def _on_machine_change(self, machine_state: str) -> None:
        self._state = self._override or _STATE_OF[machine_state]

    def _tell(self, transition: Transition) -> None:
        self._transitions.append(transition)
        self.transition_count += 1
        self.transitions_by_kind[transition.from_state, transition.to_state, transition.kind] += 1
        _logger.info("breaker %s -> %s: %s", transition.from_state, transition.to_state, transition.cause)
        for listener in self._listeners:
            try:
                listener(transition)
            except Exception:
                _logger.exception("a listener of the breaker failed")


_STATE_OF: dict[str, BreakerState] = {
    pybreaker.STATE_CLOSED: "closed",
    pybreaker.STATE_OPEN: "open",
    pybreaker.STATE_HALF_OPEN: "half-open",
}
