"""The circuit breaker against a simple model that keeps every call and looks at them anew each time."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scorer.breaker import CircuitBreaker, Permit
from scorer.breaker_config import BreakerConfig, Forced
from tests.unit.scorer.clock import NS_PER_S, FakeClock


@dataclass
class Obvious:
    """A breaker that is slow and obviously right: one list of the calls counted since the last change of state."""

    config: BreakerConfig
    state: str = "closed"
    since_ns: int = 0
    epoch: int = 0
    failed_trials: int = 0
    permits: int = 0
    counted: list[tuple[int, bool, bool]] = field(default_factory=list)

    def change(self, state: str, now_ns: int) -> None:
        self.failed_trials = self.failed_trials + 1 if state == "open" else self.failed_trials
        if state in ("closed", "forced-open", "disabled"):
            self.failed_trials = 0
        self.state, self.since_ns, self.epoch = state, now_ns, self.epoch + 1
        self.permits, self.counted = 0, []

    def may_call(self, now_ns: int) -> bool:
        wait_s = self.config.wait_open_s * self.config.wait_open_factor ** max(self.failed_trials - 1, 0)
        wait_s = min(wait_s, self.config.wait_open_s_max)
        if self.state == "open" and now_ns - self.since_ns >= int(wait_s * NS_PER_S):
            self.change("half-open", now_ns)
        elif self.state == "half-open" and self.out_of_patience(now_ns):
            self.change("open", now_ns)
        if self.state == "half-open":
            allowed = self.permits < self.config.permitted_calls_half_open
            self.permits += allowed
            return allowed
        return self.state in ("closed", "disabled")

    def out_of_patience(self, now_ns: int) -> bool:
        limit_s = self.config.wait_half_open_s_max
        return limit_s > 0 and now_ns - self.since_ns >= limit_s * NS_PER_S

    def open_ns(self, states: list[tuple[int, str]], now_ns: int) -> int:
        """Time in open states, added up from the list of all changes."""
        ends = [at_ns for at_ns, _ in states[1:]] + [now_ns]
        return sum(
            end - begin for (begin, state), end in zip(states, ends, strict=True) if state in ("open", "forced-open")
        )

    def came_back(self, epoch: int, now_ns: int, failed: bool, slow: bool) -> None:
        if epoch != self.epoch or self.state == "disabled":
            return
        self.counted.append((now_ns, failed, slow))
        seen = self.seen(now_ns)
        half_open = self.state == "half-open"
        enough = half_open or len(seen) >= self.config.minimum_calls
        of = self.config.permitted_calls_half_open if half_open else len(seen)
        too_many_failed = sum(failed for _, failed, _ in seen) / of >= self.config.failure_rate_threshold
        too_many_slow = sum(slow for *_, slow in seen) / of >= self.config.slow_call_rate_threshold
        if enough and (too_many_failed or too_many_slow):
            self.change("open", now_ns)
        elif half_open and len(seen) == of:
            self.change("closed", now_ns)

    def seen(self, now_ns: int) -> list[tuple[int, bool, bool]]:
        if self.state == "half-open":
            return self.counted
        if self.config.window_kind == "count":
            return self.counted[-self.config.window_size :]
        oldest = now_ns // NS_PER_S - self.config.window_size
        return [each for each in self.counted if each[0] // NS_PER_S > oldest]


class BreakerComparison(RuleBasedStateMachine):
    """Does the same to both, in any order, with calls that overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.under_way: list[tuple[Permit, int]] = []

    @initialize(
        kind=st.sampled_from(["count", "time"]),
        sizes=st.tuples(st.integers(2, 8), st.integers(1, 2), st.integers(1, 4)),
        rates=st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from([0.4, 1.0])),
        factor=st.sampled_from([1.0, 2.0]),
        patience_s=st.sampled_from([0.0, 3.0]),
        forced=st.sampled_from([None, None, None, "open", "closed"]),
    )
    def begin(
        self,
        kind: str,
        sizes: tuple[int, int, int],
        rates: tuple[float, float],
        factor: float,
        patience_s: float,
        forced: Forced | None,
    ) -> None:
        config = BreakerConfig(
            window_kind="count" if kind == "count" else "time",
            window_size=sizes[0],
            minimum_calls=sizes[1],
            permitted_calls_half_open=sizes[2],
            failure_rate_threshold=rates[0],
            slow_call_rate_threshold=rates[1],
            wait_open_s=2.0,
            wait_open_factor=factor,
            wait_open_s_max=6.0,
            wait_half_open_s_max=patience_s,
            forced=forced,
        )
        self.breaker = CircuitBreaker(config, self.clock)
        self.model = Obvious(config, since_ns=self.clock.now_ns)
        if forced is not None:
            self.model.change("forced-open" if forced == "open" else "disabled", self.clock.now_ns)

    @rule()
    def ask(self) -> None:
        permit = self.breaker.acquire()
        epoch_before = self.model.may_call(self.clock.now_ns)
        assert (permit is not None) == epoch_before
        if permit is not None:
            self.under_way.append((permit, self.model.epoch))

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1_000), failed=st.booleans(), slow=st.booleans())
    def come_back(self, which: int, failed: bool, slow: bool) -> None:
        permit, epoch = self.under_way.pop(which % len(self.under_way))
        self.breaker.record(permit, failed=failed, duration_ns=NS_PER_S + (1 if slow else 0))
        self.model.came_back(epoch, self.clock.now_ns, failed, slow)

    @precondition(lambda self: self.under_way)
    @rule()
    def give_back_unused(self) -> None:
        permit, epoch = self.under_way.pop()
        self.breaker.release(permit)
        if epoch == self.model.epoch and self.model.state == "half-open":
            self.model.permits -= 1

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.0, 2.0, 4.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.clock.pass_s(seconds)

    @rule()
    def trip(self) -> None:
        self.breaker.trip("test")
        if self.model.state in ("closed", "half-open"):
            self.model.change("open", self.clock.now_ns)

    @rule(state=st.sampled_from(["forced-open", "disabled", "closed"]))
    def overrule(self, state: str) -> None:
        {"forced-open": self.breaker.force_open, "disabled": self.breaker.disable, "closed": self.breaker.reset}[
            state
        ]()
        if state == "closed" or self.model.state != state:
            self.model.change(state, self.clock.now_ns)

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "model"):
            assert self.breaker.state == self.model.state
            assert self.breaker.counts().calls == len(self.model.seen(self.clock.now_ns))

    @invariant()
    def time_spent_open_is_the_sum_of_its_spans(self) -> None:
        if hasattr(self, "breaker"):
            changes = [(each.at_ns, str(each.to_state)) for each in self.breaker.transitions]
            assert self.breaker.open_ns == self.model.open_ns([(0, "closed"), *changes], self.clock.now_ns)

    @invariant()
    def every_transition_has_a_cause_and_is_counted_by_it(self) -> None:
        if hasattr(self, "breaker"):
            assert all(each.cause and each.kind for each in self.breaker.transitions)
            assert sum(self.breaker.transitions_by_kind.values()) == len(self.breaker.transitions)

    @invariant()
    def the_wait_grows_with_failed_trials_up_to_its_bound(self) -> None:
        if hasattr(self, "breaker"):
            config = self.breaker.config
            wait_s = config.wait_open_s
            for _ in range(self.model.failed_trials - 1):
                wait_s = min(wait_s * config.wait_open_factor, config.wait_open_s_max)
            assert self.breaker.wait_open_ns == int(wait_s * NS_PER_S)

    @invariant()
    def transitions_are_a_chain(self) -> None:
        if hasattr(self, "breaker"):
            states = ["closed", *(each.to_state for each in self.breaker.transitions)]
            assert [each.from_state for each in self.breaker.transitions] == states[:-1]
            assert states[-1] == self.breaker.state


BreakerComparison.TestCase.settings = settings(max_examples=80, stateful_step_count=40)
TestBreakerComparison = BreakerComparison.TestCase
