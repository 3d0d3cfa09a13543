"""A hard time limit on a call, by one worker thread: who is late is left behind, and nobody else waits for him."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from streams.errors import BadInputError

_logger = logging.getLogger("riskbench.scorer")

Argument = TypeVar("Argument")
Value = TypeVar("Value")

LIMIT_S_MAX = 3_600.0


@dataclass(frozen=True, slots=True)
class Result(Generic[Value]):
    """The call came back in time."""

    value: Value
    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The call raised in time."""

    error: BaseException
    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """The call did not come back in time; it has been told to stop, and what it still yields goes to `on_late`."""

    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class Busy:
    """The worker has a call under way, so this one was not made. `overdue`: that call is past its limit."""

    overdue: bool


@dataclass(frozen=True, slots=True)
class Late(Generic[Argument, Value]):
    """What an overdue call came to in the end, for the audit trail."""

    argument: Argument
    outcome: Result[Value] | Failed


def check_limit(limit_s: float) -> None:
    """Raise `BadInputError` for a limit out of (0, 3600] s."""
    if not 0 < limit_s <= LIMIT_S_MAX:
        raise BadInputError(f"time limit: {limit_s} s must be above 0 and at most {LIMIT_S_MAX:g}")


class Call(Generic[Argument, Value]):
    """One call under way. `outcome` and `abandoned` change under the owner's lock only."""

    __slots__ = ("abandoned", "argument", "outcome", "started_ns")

    def __init__(self, argument: Argument, started_ns: int) -> None:
        self.argument = argument
        self.started_ns = started_ns
        self.outcome: Result[Value] | Failed | None = None
        self.abandoned = False


class TimeLimited(Generic[Argument, Value]):
    """Calls `function` on a worker thread of its own, and waits no longer than `limit_s`.

    One call at a time: while one is under way, above all an overdue one, others are answered `Busy` at once.

    `clock` reads monotonic nanoseconds; it measures only, the waiting itself is the operating system's. `abort` is
    called once when a call becomes overdue, to stop it (for onnxruntime: set `RunOptions.terminate`); it must return at
    once, is never called after that call has ended, and `function` clears it when it starts the next. `on_late` gets
    what an overdue call comes to, on the worker's thread. What `abort` or `on_late` raise is logged.

    Raises `BadInputError` for a limit out of (0, 3600] s.
    """

    def __init__(
        self,
        function: Callable[[Argument], Value],
        limit_s: float,
        clock: Callable[[], int],
        *,
        abort: Callable[[], None] | None = None,
        on_late: Callable[[Late[Argument, Value]], None] | None = None,
    ) -> None:
        check_limit(limit_s)
        self.limit_s = limit_s
        self._function = function
        self._clock = clock
        self._abort = abort
        self._on_late = on_late
        self._lock = threading.Lock()
        self._slot = threading.Lock()
        # Raw locks as signals: a Condition or an Event takes several of them for every hop.
        self._asked = threading.Lock()
        self._answered = threading.Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._current: Call[Argument, Value] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="riskbench-time-limited", daemon=True)
        self._thread.start()

    def call(self, argument: Argument) -> Result[Value] | Failed | Overdue | Busy:
        """Make one call. Never raises what the function raises: that is `Failed`.

        Raises `RuntimeError` after `close`.
        """
        if self._closed:
            raise RuntimeError("called after close")
        if not self._slot.acquire(blocking=False):
            current = self._current
            return Busy(overdue=current is not None and current.abandoned)
        call: Call[Argument, Value] = Call(argument, self._clock())
        self._current = call
        self._asked.release()
        try:
            answered = self._answered.acquire(timeout=self.limit_s)
        except BaseException:
            if not self._abandon(call):
                self._slot.release()
            raise
        if not answered and self._abandon(call):
            return Overdue(self._clock() - call.started_ns)
        self._slot.release()
        return _outcome(call)

    def close(self, wait_s: float = 1.0) -> bool:
        """End the worker. False, with a warning, when a call still hangs after `wait_s` (its thread is a daemon)."""
        if not self._closed:
            self._closed = True
            # Not locked: a call is just being asked for, and the worker looks whether it is closed after that.
            if self._asked.locked():
                self._asked.release()
        self._thread.join(wait_s)
        if self._thread.is_alive():
            _logger.warning("a call past its time limit still hangs; its thread is left to end with the process")
        return not self._thread.is_alive()

    def _abandon(self, call: Call[Argument, Value]) -> bool:
        """Give a call up, unless it has just ended: under the lock, so that no result is lost or given twice."""
        with self._lock:
            if call.outcome is not None:
                # It has ended after all: take its signal, unless an interrupt came after that was taken.
                self._answered.acquire(blocking=False)
                return False
            call.abandoned = True
            if self._abort is not None:
                try:
                    self._abort()
                except Exception:
                    _logger.exception("the overdue call could not be told to stop")
            return True

    def _work(self) -> None:
        while True:
            self._asked.acquire()
            call = self._current
            if call is not None and call.outcome is None:
                self._run(call)
            if self._closed:
                return

    def _run(self, call: Call[Argument, Value]) -> None:
        outcome: Result[Value] | Failed
        try:
            value = self._function(call.argument)
            outcome = Result(value, self._clock() - call.started_ns)
        except BaseException as error:
            outcome = Failed(error, self._clock() - call.started_ns)
        with self._lock:
            call.outcome = outcome
            if not call.abandoned:
                self._answered.release()
                return
        self._hand_over(Late(call.argument, outcome))
        self._slot.release()

    def _hand_over(self, late: Late[Argument, Value]) -> None:
        if self._on_late is not None:
            try:
                self._on_late(late)
            except Exception:
                _logger.exception("a late result could not be kept for the audit trail")


def _outcome(call: Call[Argument, Value]) -> Result[Value] | Failed:
    if call.outcome is None:
        raise RuntimeError("the worker answered without an outcome")
    return call.outcome
