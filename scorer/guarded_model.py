"""The model behind its guards: breaker, time limit, and a check of what comes back."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from scorer.breaker import CircuitBreaker
from scorer.time_limit import Busy, Failed, Late, Overdue, Result, TimeLimited
from scorer.watchdog import Watched
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


@dataclass(frozen=True, slots=True)
class Fallback:
    """The model gave nothing for this micro-batch, so that rules must decide. `detail` says why, with the figures."""

    cause: FallbackCause
    detail: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """The model's output for a micro-batch, or why there is none: exactly one of the two is given."""

    output: Scored | None
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """How the model is guarded, beside the breaker.

    `overdue_calls_max`: this many overdue calls in a row open the breaker at once, whatever its window says, so that a
    model that hangs costs that many time limits and not one a micro-batch (0: leave it to the window).
    """

    time_limit_s: float = TIME_LIMIT_S
    overdue_calls_max: int = 1

    def __post_init__(self) -> None:
        limit = self.time_limit_s
        if not math.isfinite(limit) or not 0 < limit <= 3_600:
            raise BadInputError(f"guard time_limit_s: {limit} must be above 0 and at most 3600")
        if self.overdue_calls_max < 0:
            raise BadInputError(f"guard overdue_calls_max: {self.overdue_calls_max} is below its bound 0")


class GuardedModel:
    """Scores micro-batches, or says in bounded time that rules must decide. One micro-batch is one call.

    `score` is the model: float32[n, F] to an output with float32[n] margins. A call that raises, gives another number
    of margins or one that is not finite, or passes its time limit has failed, for the whole micro-batch. `busy` (an
    overdue call still runs) is not counted by the breaker: it says nothing new of the model. `abort` and `on_late` as
    in `TimeLimited`; what overdue calls come to is counted and logged in any case. `close` ends the guarding thread.

    `obeys_abort`: the model ends within a moment after `abort`, as onnxruntime does. It is then called in the caller's
    thread under a watchdog (`Watched`), which costs a fraction of the hop to a worker thread and back. A model that
    may hang for good (anything but an onnxruntime session) gets the worker thread, and nobody waits for it.
    """

    def __init__(
        self,
        score: Callable[[NDArray[np.float32]], Scored],
        breaker: CircuitBreaker,
        clock: Callable[[], int],
        guards: Guards | None = None,
        *,
        abort: Callable[[], None] | None = None,
        obeys_abort: bool = False,
        on_late: Callable[[Late[NDArray[np.float32], Scored]], None] | None = None,
    ) -> None:
        self.breaker = breaker
        self.guards = guards or Guards()
        self._limited: TimeLimited[NDArray[np.float32], Scored] | Watched[NDArray[np.float32], Scored]
        limit_s = self.guards.time_limit_s
        if abort is not None and obeys_abort:
            self._limited = Watched(score, limit_s, clock, abort=abort, on_late=self._keep_late)
        else:
            self._limited = TimeLimited(score, limit_s, clock, abort=abort, on_late=self._keep_late)
        self._on_late = on_late
        self._late = {"scored": 0, "failed": 0}
        self._overdue_in_a_row = 0
        self._fallbacks: Counter[str] = Counter()

    @property
    def fallbacks(self) -> Mapping[str, int]:
        """Micro-batches that fell back so far, by cause."""
        return dict(self._fallbacks)

    def summary(self) -> dict[str, Any]:
        """JSON values: micro-batches that fell back by cause, and what overdue calls came to after all (a stopped one
        fails)."""
        return {
            "fallback_batches": {cause: self._fallbacks[cause] for cause in FALLBACK_CAUSES},
            "late_results": dict(self._late),
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
        """End the guarding thread; False when a call still hangs."""
        return self._limited.close()

    def _attempt(self, values: NDArray[np.float32]) -> Scored | Fallback:
        permit = self.breaker.acquire()
        if permit is None:
            return Fallback("open", f"the breaker is {self.breaker.state}")
        try:
            answer = self._limited.call(values)
        except BaseException:
            self.breaker.release(permit)
            raise
        if isinstance(answer, Busy):
            self.breaker.release(permit)
            return Fallback("busy", "an overdue call still runs" if answer.overdue else "another call is under way")
        judged = self._judged(answer, len(values))
        failed = isinstance(judged, Fallback)
        self.breaker.record(permit, failed=failed, duration_ns=answer.elapsed_ns)
        self._watch_overdue(answer)
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

    def _keep_late(self, late: Late[NDArray[np.float32], Scored]) -> None:
        """On the thread of the call: what an overdue call came to. Its events have been decided without it."""
        failure = late.outcome.error if isinstance(late.outcome, Failed) else None
        self._late["scored" if failure is None else "failed"] += 1
        how = "a score that comes too late" if failure is None else f"{type(failure).__name__}: {failure}"
        log.warning(
            "an overdue model call for %d events ended after %.3f s: %s",
            len(late.argument), late.outcome.elapsed_ns / 1e9, how,
        )  # fmt: skip
        if self._on_late is not None:
            self._on_late(late)

    def _watch_overdue(self, answer: Result[Scored] | Failed | Overdue) -> None:
        self._overdue_in_a_row = self._overdue_in_a_row + 1 if isinstance(answer, Overdue) else 0
        limit = self.guards.overdue_calls_max
        if limit and self._overdue_in_a_row >= limit:
            self.breaker.trip(
                f"{self._overdue_in_a_row} calls in a row past the time limit of {self.guards.time_limit_s:g} s"
            )
