"""Injects and lifts a run's faults at their instants, watches for what breaks them off, and notes what it did when."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from harness.faults.plan import Planned
from harness.faults.targets import Targets
from streams.errors import RunInvalidError

logger = logging.getLogger("riskbench.harness.faults")
STEP_S = 0.01
JOIN_S = 120.0
"""The last lift may have to start a broker."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """The stream at one moment, as abort conditions see it: events past their time-out, the P99 of the last second's
    responses, and events sent and not answered."""

    overdue: int
    response_p99_ms: float
    lag: int


@dataclass(slots=True)
class Injection:
    """A fault as it happened. Instants in ns of the monotonic clock: `injected_ns` when its injection began,
    `lifted_ns` when it had been lifted; `aborted` says which condition broke it off."""

    planned: Planned
    injected_ns: int
    lifted_ns: int | None = None
    aborted: str | None = None


class Driver:
    """Faults come one after the other. `step` does what is due and may be called at any time; `run` calls it until the
    stream is over. `clock` reads monotonic ns."""

    def __init__(
        self,
        planned: Sequence[Planned],
        targets: Targets,
        start_ns: int,
        clock: Callable[[], int],
        vitals: Callable[[], Vitals],
    ) -> None:
        self._waiting = list(planned)
        self._targets, self._start_ns, self._clock, self._vitals = targets, start_ns, clock, vitals
        self._active: Injection | None = None
        self._failure: BaseException | None = None
        self._over = threading.Event()
        self.injections: list[Injection] = []

    @property
    def busy(self) -> bool:
        """Whether a fault is active or still to come."""
        return bool(self._waiting) or self._active is not None

    def step(self) -> None:
        """Lift what is over, break off what must not go on, inject what is due."""
        now_ns = self._clock()
        active = self._active
        if active is not None:
            broken = _broken(active.planned, self._vitals())
            if broken is not None:
                active.aborted = broken
                logger.warning("fault %s broken off: %s", active.planned.fault.kind, broken)
            if broken is not None or now_ns - self._start_ns >= active.planned.until_ns:
                self._lift(active)
        if self._active is None and self._waiting and now_ns - self._start_ns >= self._waiting[0].at_ns:
            self._inject(self._waiting.pop(0))

    def end(self) -> None:
        """Lift what is active: nothing outlives the stream."""
        if self._active is not None:
            self._lift(self._active)

    def check(self) -> None:
        """Raise RunInvalidError when a fault could not be injected or lifted."""
        if self._failure is not None:
            raise RunInvalidError(f"a fault could not be carried out: {self._failure}") from self._failure

    def run(self) -> None:
        """Step until the stream is over; for a thread of its own."""
        try:
            while self.busy and not self._over.wait(STEP_S):
                self.step()
            self.end()
        except BaseException as error:  # told by check(), in the thread that can end the run
            logger.exception("a fault could not be carried out")
            self._failure = error

    def stop(self) -> None:
        """The stream is over."""
        self._over.set()

    def _inject(self, planned: Planned) -> None:
        injection = Injection(planned, self._clock())
        self.injections.append(injection)
        self._active = injection
        logger.warning("fault %s: injecting", planned.fault.kind)
        planned.fault.inject(self._targets, planned.seed)

    def _lift(self, injection: Injection) -> None:
        self._active = None
        injection.planned.fault.lift(self._targets)
        injection.lifted_ns = self._clock()
        logger.warning("fault %s: lifted", injection.planned.fault.kind)


def _broken(planned: Planned, vitals: Vitals) -> str | None:
    """Which abort condition holds, in words."""
    limits = planned.fault.abort
    found = (
        ("events overdue", vitals.overdue, limits.overdue_max, ""),
        ("response P99 of the last second", vitals.response_p99_ms, limits.response_p99_ms, " ms"),
        ("events waiting", vitals.lag, limits.lag_max, ""),
    )
    for what, value, limit, unit in found:
        if limit is not None and value > limit:
            return f"{what} {value:,.6g}{unit} exceeds {limit:,g}{unit}"
    return None


@contextmanager
def driving(driver: Driver) -> Iterator[Driver]:
    """The driver at work on a thread; at the end every fault is lifted."""
    thread = threading.Thread(target=driver.run, name="faults", daemon=True)
    thread.start()
    try:
        yield driver
    finally:
        driver.stop()
        thread.join(JOIN_S)
        if thread.is_alive():
            logger.error("the last fault was not lifted within %g s", JOIN_S)
