"""A hard time limit on a call, by a thread of its own: who is late is left behind, and nobody else waits for him."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from scorer.handover import ABANDONED, ASKED, Handover
from streams.errors import BadInputError

_logger = logging.getLogger("riskbench.scorer")

Argument = TypeVar("Argument")
Value = TypeVar("Value")

LIMIT_S_MAX = 3_600.0


def check_limit(limit_s: float) -> None:
    """Raise `BadInputError` for a limit out of (0, 3600] s."""
    if not 0 < limit_s <= LIMIT_S_MAX:
        raise BadInputError(f"time limit: {limit_s} s must be above 0 and at most {LIMIT_S_MAX:g}")


class Result(msgspec.Struct, Generic[Value], frozen=True):
    """The call came back in time."""

    value: Value
    elapsed_ns: int


class Failed(msgspec.Struct, frozen=True):
    """The call raised in time."""

    error: BaseException
    elapsed_ns: int


class Overdue(msgspec.Struct, frozen=True):
    """The call did not come back in time. It goes on; what it still yields goes to `on_late`."""

    elapsed_ns: int


class Late(msgspec.Struct, Generic[Argument, Value], frozen=True):
    """What an overdue call came to in the end, for the audit. `elapsed_ns` of its outcome counts from its start."""

    argument: Argument
    outcome: Result[Value] | Failed


class _Call(Generic[Argument, Value]):
    __slots__ = ("argument", "ended", "outcome", "started_ns")

    def __init__(self, argument: Argument, started_ns: int) -> None:
        self.argument = argument
        self.started_ns = started_ns
        self.outcome: Result[Value] | Failed | None = None
        self.ended = False


class TimeLimited(Generic[Argument, Value]):
    """Calls `function` on a thread of its own, and waits no longer than `limit_s`, whatever hangs there.

    One call at a time, from one thread at a time: after `Overdue` none before `on_free`, which is called once that
    call has ended. `clock` reads monotonic nanoseconds; it measures only, the waiting itself is the operating system's.

    An overdue call goes on, so that what it comes to can be kept: `on_late` gets it. When it has gone on for
    `late_wait_s` more, `abort` is called once, to stop it (for onnxruntime: set `RunOptions.terminate`); it must return
    at once, and `function` clears it when it starts the next. `on_late` and `on_free` run on the call's thread. What
    `abort` or `on_late` raise is logged.

    Raises `BadInputError` for a limit out of (0, 3600] s.
    """

    def __init__(
        self,
        function: Callable[[Argument], Value],
        limit_s: float,
        clock: Callable[[], int],
        *,
        abort: Callable[[], None] | None = None,
        late_wait_s: float = 0.0,
        on_late: Callable[[Late[Argument, Value]], None] | None = None,
        on_free: Callable[[], None] | None = None,
    ) -> None:
        check_limit(limit_s)
        self._limit_ns = int(limit_s * 1e9)
        self._function = function
        self._clock = clock
        self._abort = abort
        self._late_wait_s = late_wait_s
        self._on_late = on_late
        self._on_free = on_free
        self._handover = Handover()
        self._lock = threading.Lock()
        self._current: _Call[Argument, Value] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="riskbench-time-limited", daemon=True)
        self._thread.start()

    def call(self, argument: Argument, spent_ns: int = 0) -> Result[Value] | Failed | Overdue:
        """Make one call. Never raises what the function raises: that is `Failed`. `spent_ns` of the limit is gone.

        Raises `RuntimeError` after `close`.
        """
        if self._closed:
            raise RuntimeError("called after close")
        call: _Call[Argument, Value] = _Call(argument, self._clock())
        self._current = call
        if self._handover.ask(max(self._limit_ns - spent_ns, 0)) and call.outcome is not None:
            return call.outcome
        self._stop_later(call)
        return Overdue(self._clock() - call.started_ns)

    def close(self, wait_s: float = 1.0) -> bool:
        """End the thread. False, with a warning, when a call still hangs after `wait_s` (its thread is a daemon)."""
        self._closed = True
        self._handover.end()
        self._thread.join(wait_s)
        if self._thread.is_alive():
            _logger.warning("a call past its time limit still hangs; its thread is left to end with the process")
        return not self._thread.is_alive()

    def _stop_later(self, call: _Call[Argument, Value]) -> None:
        if self._abort is None:
            return
        if self._late_wait_s <= 0:
            self._stop(call)
            return
        timer = threading.Timer(self._late_wait_s, self._stop, (call,))
        timer.daemon = True
        timer.start()

    def _stop(self, call: _Call[Argument, Value]) -> None:
        """Abort an overdue call, unless it has ended: under the lock, so that the next call is never aborted."""
        with self._lock:
            if call.ended or self._abort is None:
                return
            try:
                self._abort()
            except Exception:
                _logger.exception("the overdue call could not be told to stop")

    def _work(self) -> None:
        go_on = self._handover.wait()
        while go_on:
            call = self._current
            if call is None:
                raise RuntimeError("asked without a call")
            call.outcome = self._outcome(call)
            said = self._handover.answer()
            if said == ABANDONED:
                self._end_late(call)
                go_on = self._handover.wait()
            else:
                go_on = said == ASKED

    def _outcome(self, call: _Call[Argument, Value]) -> Result[Value] | Failed:
        try:
            value = self._function(call.argument)
        except BaseException as error:
            return Failed(error, self._clock() - call.started_ns)
        return Result(value, self._clock() - call.started_ns)

    def _end_late(self, call: _Call[Argument, Value]) -> None:
        with self._lock:
            call.ended = True
        if self._on_late is not None and call.outcome is not None:
            try:
                self._on_late(Late(call.argument, call.outcome))
            except Exception:
                _logger.exception("a late result could not be kept for the audit")
        if self._on_free is not None:
            self._on_free()
