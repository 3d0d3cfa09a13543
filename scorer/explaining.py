"""Explains scores beside the hot path: one thread, a bounded queue, exact contributions in batches.

A decision never waits for its contributions, which cost many times the score. xgboost computes them without holding
Python's lock, and between two rows put into words the lock is offered too, so that the deciding thread is held up for
one row at most. The thread keeps its normal priority: with a lower one it could be kept from running by other
processes just when it holds the lock, and hold up the hot path.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.giving_way import give_way
from streams.decision import Explanation, Reason

log = logging.getLogger("riskbench.scorer")

ROWS_PER_CALL = 256
"""Rows explained together at most: beyond that a call gets no cheaper a row, only longer."""
QUEUE_ROWS = 4_096
"""The queue is full from here on: some seconds of work. A micro-batch in hand still goes in."""
DRAIN_LIMIT_S = 30.0
WAIT_STEP_S = 0.002


class Contributions(Protocol):
    """Explains scores by features."""

    def told(
        self, values: NDArray[np.float32], reconstruction_error: NDArray[np.float32], top: int
    ) -> Iterator[list[Reason]]:
        """Row by row the `top` features that raise the score most, as reasons."""


class Outlet(Protocol):
    """Where explanations go, and what must not be committed before they have gone."""

    def expect(self, count: int) -> Sequence[Any]:
        """On the deciding thread: so many explanations of the micro-batch in hand will follow. A receipt for each."""

    def publish(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        """On the explaining thread: explanations, each with its receipt."""

    def give_up(self, receipts: Sequence[Any]) -> None:
        """On the explaining thread: the explanations of these receipts will not come."""


@dataclass(frozen=True, slots=True)
class ExplainedBy:
    """Who explains the scores of a model."""

    contributions: Contributions
    model_version: str


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows to explain: `values` float32 [n, F], `error` float32 [n] (reconstruction), ids, when each was decided; `by`
    whom, where that is not the model the worker was started with."""

    values: NDArray[np.float32]
    error: NDArray[np.float32]
    event_ids: Sequence[str]
    decided_ns: Sequence[int]
    by: ExplainedBy | None = None

    def __len__(self) -> int:
        return len(self.event_ids)

    def part(self, low: int, high: int) -> "Scored":
        """These rows of them."""
        rows = slice(low, high)
        return Scored(self.values[rows], self.error[rows], self.event_ids[rows], self.decided_ns[rows], self.by)


@dataclass(frozen=True, slots=True)
class _Task:
    rows: Scored
    receipts: Sequence[Any]


class Explaining:
    """The explaining thread of a worker. `submit` and the waits are called by the one thread that decides."""

    def __init__(
        self,
        contributions: Contributions,
        outlet: Outlet,
        counters: Counters,
        clock_ns: ClockNs,
        *,
        worker: str,
        model_version: str,
        top: int = 3,
        queue_rows: int = QUEUE_ROWS,
    ) -> None:
        self._own = ExplainedBy(contributions, model_version)
        self._outlet = outlet
        self._counters = counters
        self._clock_ns = clock_ns
        self._worker = worker
        self._top = top
        self._queue_rows = queue_rows
        self._changed = threading.Condition()
        self._waiting: deque[_Task] = deque()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="explaining", daemon=True)

    def start(self) -> None:
        """Begin to explain."""
        self._thread.start()

    def submit(self, rows: Scored) -> None:
        """Hand over rows of the micro-batch in hand; returns at once, also when the queue is full."""
        receipts = self._outlet.expect(len(rows))
        with self._changed:
            self._counters.explain_waiting += len(rows)
            for low in range(0, len(rows), ROWS_PER_CALL):
                high = low + ROWS_PER_CALL
                self._waiting.append(_Task(rows.part(low, high), receipts[low:high]))
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Before a micro-batch is decided: wait until the queue is not full. Counted."""
        if self._has_room():
            return
        begin_ns = self._clock_ns()
        with self._changed:
            self._changed.wait_for(self._has_room)
        self._count_wait(begin_ns)

    async def wait_for_room_async(self) -> None:
        """As `wait_for_room`, without holding up the event loop."""
        if self._has_room():
            return
        begin_ns = self._clock_ns()
        while not self._has_room():
            await asyncio.sleep(WAIT_STEP_S)
        self._count_wait(begin_ns)

    @property
    def idle(self) -> bool:
        """Whether everything submitted has been published or given up."""
        return self._counters.explain_waiting == 0

    def drain(self, limit_s: float = DRAIN_LIMIT_S) -> bool:
        """Wait until idle; False, with an error in the log, when that takes longer than `limit_s`."""
        with self._changed:
            done = self._changed.wait_for(lambda: self.idle, limit_s)
        if not done:
            left = self._counters.explain_waiting
            log.error("%d explanations were not made within %g s: their events are read again", left, limit_s)
        return done

    def close(self) -> None:
        """End the thread; what still waits is not explained (`drain` first)."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _has_room(self) -> bool:
        return self._counters.explain_waiting < self._queue_rows or not self._thread.is_alive()

    def _count_wait(self, begin_ns: int) -> None:
        self._counters.explain_waits += 1
        self._counters.explain_wait_ns += self._clock_ns() - begin_ns

    def _run(self) -> None:
        give_way()
        while tasks := self._take():
            receipts = [receipt for task in tasks for receipt in task.receipts]
            try:
                explanations = self._explain(_joined([task.rows for task in tasks]))
            except Exception:
                self._fail(receipts)
            else:
                self._publish(explanations, receipts)
            with self._changed:
                self._counters.explain_waiting -= len(receipts)
                self._changed.notify_all()

    def _take(self) -> list[_Task]:
        """What waits of one model's, up to `ROWS_PER_CALL` rows; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            if self._ending:
                return []
            taken = [self._waiting.popleft()]
            count = len(taken[0].rows)
            while self._waiting and _goes_with(self._waiting[0].rows, taken[0].rows, count):
                taken.append(self._waiting.popleft())
                count += len(taken[-1].rows)
            return taken

    def _explain(self, rows: Scored) -> list[Explanation]:
        begin_ns, by = self._clock_ns(), rows.by or self._own
        found: list[list[Reason]] = []
        for reasons in by.contributions.told(rows.values, rows.error, self._top):
            found.append(reasons)
            time.sleep(0)  # whoever decides goes first
        explain_ns = self._clock_ns() - begin_ns
        self._counters.observe_stage("explain", explain_ns)
        return [
            Explanation(
                event_id=event_id,
                reasons=reasons,
                model_version=by.model_version,
                worker=self._worker,
                decided_ns=decided_ns,
                emitted_ns=self._clock_ns(),
                explain_ns=explain_ns,
            )
            for event_id, decided_ns, reasons in zip(rows.event_ids, rows.decided_ns, found, strict=True)
        ]

    def _publish(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        try:
            self._outlet.publish(explanations, receipts)
            self._counters.explained += len(explanations)
        except Exception:  # what it was could not be delivered; its events are not committed
            self._counters.explain_failed += len(explanations)
            log.exception("%d explanations could not be handed over: their events are read again", len(explanations))

    def _fail(self, receipts: Sequence[Any]) -> None:
        first = self._counters.explain_failed == 0
        self._counters.explain_failed += len(receipts)
        words = "%d decisions stay without contributions; more of the kind are counted in explain_failed"
        log.log(logging.ERROR if first else logging.DEBUG, words, len(receipts), exc_info=True)
        try:
            self._outlet.give_up(receipts)
        except Exception:
            log.exception("explanations could not be given up: their events are read again after a restart")


def _goes_with(rows: Scored, first: Scored, count: int) -> bool:
    return rows.by is first.by and count + len(rows) <= ROWS_PER_CALL


def _joined(parts: Sequence[Scored]) -> Scored:
    if len(parts) == 1:
        return parts[0]
    return Scored(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.error for part in parts]),
        [event_id for part in parts for event_id in part.event_ids],
        [instant for part in parts for instant in part.decided_ns],
        parts[0].by,
    )
