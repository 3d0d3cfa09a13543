"""The model behind its guards: breaker, bulkhead, time limit, and a check of what comes back."""

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from scorer.breaker import CircuitBreaker
from scorer.bulkhead import Bulkhead, Callee, Full, LimitKind, Limits
from scorer.time_limit import Failed, Late, Overdue, Result
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

FallbackCause = Literal["open", "busy", "overdue", "failed", "not-finite"]
FALLBACK_CAUSES: tuple[FallbackCause, ...] = ("open", "busy", "overdue", "failed", "not-finite")

TIME_LIMIT_S = 2.0


class Scored(Protocol):
    """What a model gives for n events."""

    @property
    def margin(self) -> NDArray[np.float32]:
        """Raw log-odds, float32[n]."""
        ...

    @property
    def reconstruction_error(self) -> NDArray[np.float32]:
        """The autoencoder's error, float32[n]."""
        ...


Model = Callee[NDArray[np.float32], Scored]
LateCall = Late[NDArray[np.float32], Scored]


class Fallback(msgspec.Struct, frozen=True):
    """The model gave nothing for this micro-batch, so that rules must decide. `detail` says why, with the figures."""

    cause: FallbackCause
    detail: str


class Guarded(msgspec.Struct, frozen=True):
    """The model's output for a micro-batch, or why there is none: exactly one of the two is given."""

    output: Scored | None
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """How the model is guarded, beside the breaker. Raises `BadInputError` for a value out of bounds.

    `overdue_calls_max`: this many overdue calls in a row open the breaker at once, whatever its window says, so that a
    model that hangs costs that many time limits and not one a micro-batch (0: leave it to the window).
    `max_concurrent_calls` and `max_wait_s` are the bulkhead's; the wait for a place is part of the time limit, so that
    no event waits longer. `limit_kind`: at a soft limit the call, made where the decisions are, is told to stop, and
    onnxruntime obeys before its next node; a hard one is kept whatever hangs, for a wake-up of another thread each way.
    There an overdue call goes on for `late_wait_s`, so that its score can be kept for the audit; then it is told to
    stop.
    """

    time_limit_s: float = TIME_LIMIT_S
    overdue_calls_max: int = 1
    max_concurrent_calls: int = 1
    max_wait_s: float = 0.0
    late_wait_s: float = 30.0
    limit_kind: LimitKind = "soft"

    def __post_init__(self) -> None:
        limit = self.time_limit_s
        if not math.isfinite(limit) or not 0 < limit <= 3_600:
            raise BadInputError(f"guard time_limit_s: {limit} must be above 0 and at most 3600")
        if self.overdue_calls_max < 0:
            raise BadInputError(f"guard overdue_calls_max: {self.overdue_calls_max} is below its bound 0")
        if not 1 <= self.max_concurrent_calls <= 64:
            raise BadInputError(f"guard max_concurrent_calls: {self.max_concurrent_calls} must be from 1 to 64")
        if not 0 <= self.max_wait_s < limit:
            found = f"{self.max_wait_s:g} must be at least 0 and below time_limit_s {limit:g}, of which it is part"
            raise BadInputError(f"guard max_wait_s: {found}")
        if not 0 <= self.late_wait_s <= 3_600:
            raise BadInputError(f"guard late_wait_s: {self.late_wait_s} must be from 0 to 3600")


class GuardedModel:
    """Scores micro-batches, or says in bounded time that rules must decide. One micro-batch is one call.

    `make` makes a caller of the model for each place of the bulkhead: float32[n, F] to an output with float32[n]
    margins. A call that raises, gives another number of margins or one that is not finite, or passes its time limit
    has failed, for the whole micro-batch. `busy` (the bulkhead is full) is not counted by the breaker: it says nothing
    new of the model. What overdue calls come to is counted and logged, and given to `on_late` on the call's thread.
    `close` ends the calling threads.
    """

    def __init__(
        self,
        make: Callable[[], Model],
        breaker: CircuitBreaker,
        clock: Callable[[], int],
        guards: Guards | None = None,
        *,
        on_late: Callable[[LateCall], None] | None = None,
    ) -> None:
        self.breaker = breaker
        self.guards = guards = guards or Guards()
        limits = Limits(
            guards.time_limit_s, guards.max_concurrent_calls, guards.max_wait_s, guards.late_wait_s, guards.limit_kind
        )
        self._bulkhead = Bulkhead(make, limits, clock, self._keep_late)
        self._on_late = on_late
        self._late = {"scored": 0, "failed": 0}
        self._counting = threading.Lock()
        self._overdue_in_a_row = 0
        self._fallbacks: Counter[str] = Counter()

    @property
    def fallbacks(self) -> Mapping[str, int]:
        """Micro-batches that fell back so far, by cause."""
        return dict(self._fallbacks)

    def summary(self) -> dict[str, Any]:
        """JSON values: micro-batches that fell back by cause, what overdue calls came to after all (a stopped one
        fails), and how the bulkhead stands."""
        return {
            "fallback_batches": {cause: self._fallbacks[cause] for cause in FALLBACK_CAUSES},
            "late_results": dict(self._late),
            "bulkhead": {
                "max_concurrent_calls": self.guards.max_concurrent_calls,
                "max_wait_ms": self.guards.max_wait_s * 1e3,
                "available": self._bulkhead.available,
                "overdue_calls": self._bulkhead.overdue,
                "rejected": self._bulkhead.rejected,
            },
        }

    def score(self, values: NDArray[np.float32]) -> Guarded:
        """Score one micro-batch of n ≥ 1 events. Never raises for what the model does."""
        answer = self._attempt(values)
        if isinstance(answer, Fallback):
            self._fallbacks[answer.cause] += 1
            first = self._fallbacks[answer.cause] == 1
            words = "the model gave no score for %d events (%s): %s; more of the kind are counted"
            log.log(logging.WARNING if first else logging.DEBUG, words, len(values), answer.cause, answer.detail)
            return Guarded(None, answer)
        return Guarded(answer)

    def close(self) -> bool:
        """End the calling threads; False when a call still hangs."""
        return self._bulkhead.close()

    def _attempt(self, values: NDArray[np.float32]) -> Scored | Fallback:
        permit = self.breaker.acquire()
        if permit is None:
            return Fallback("open", f"the breaker is {self.breaker.state}")
        try:
            answer = self._bulkhead.call(values)
        except BaseException:
            self.breaker.release(permit)
            raise
        if isinstance(answer, Full):
            self.breaker.release(permit)
            return Fallback("busy", f"the bulkhead is full: {answer.overdue} of {answer.places} calls are overdue")
        judged = self._judged(answer, len(values))
        failed = isinstance(judged, Fallback)
        self.breaker.record(permit, failed=failed, duration_ns=answer.elapsed_ns)
        if isinstance(answer, Overdue):
            self._overdue_in_a_row += 1
            self._trip_when_overdue()
        else:
            self._overdue_in_a_row = 0
        return judged

    def _judged(self, answer: Result[Scored] | Failed | Overdue, count: int) -> Scored | Fallback:
        if isinstance(answer, Overdue):
            return Fallback("overdue", f"no score within {self.guards.time_limit_s:g} s")
        if isinstance(answer, Failed):
            return Fallback("failed", f"{type(answer.error).__name__}: {answer.error}")
        margin = answer.value.margin
        if margin.shape != (count,):
            return Fallback("failed", f"{list(margin.shape)} margins for {count} events")
        if not math.isfinite(np.vdot(margin, margin)) and not np.isfinite(margin).all():
            bad = int(np.count_nonzero(~np.isfinite(margin)))
            return Fallback("not-finite", f"{bad} of {count} margins are not finite")
        return answer.value

    def _keep_late(self, late: LateCall) -> None:
        """On the thread of the call: what an overdue call came to. Its events have been decided without it."""
        failure = late.outcome.error if isinstance(late.outcome, Failed) else None
        with self._counting:
            self._late["scored" if failure is None else "failed"] += 1
        how = "a score that comes too late" if failure is None else f"{type(failure).__name__}: {failure}"
        log.warning(
            "an overdue model call for %d events ended after %.3f s: %s",
            len(late.argument), late.outcome.elapsed_ns / 1e9, how,
        )  # fmt: skip
        if self._on_late is not None:
            self._on_late(late)

    def _trip_when_overdue(self) -> None:
        limit = self.guards.overdue_calls_max
        if limit and self._overdue_in_a_row >= limit:
            cause = f"{self._overdue_in_a_row} calls in a row past the time limit of {self.guards.time_limit_s:g} s"
            self.breaker.trip(cause, "overdue")
