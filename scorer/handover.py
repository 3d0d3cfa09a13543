"""Hands a call to a waiting thread and its end back, without a turn at Python's lock on the way.

A lock of Python's own wakes the other thread while the waker still holds the interpreter, so that each direction costs
two wake-ups: one for the lock and one for the interpreter. Here both sides signal and wait in one compiled call that
has let go of the interpreter before, which leaves one wake-up a direction. The waiting is that of POSIX, on the
monotonic clock (pthread_cond_timedwait): no spinning, as a worker has one core and shares it.
"""

import ctypes
import time
from typing import Any, Final

import numpy as np
from numba.core import types

from streams.kernels.compiled import compiled

ASKED, ANSWERED, ABANDONED, ENDING = range(4)
CLOCK_MONOTONIC = 1  # of Linux; the clock of time.monotonic_ns
_NS_PER_S = 1_000_000_000
_CELL_BYTES = 64  # holds a pthread_mutex_t or pthread_cond_t of any Linux, on a cache line of its own

_int, _address = types.int32, types.intp
_lock = types.ExternalFunction("pthread_mutex_lock", _int(_address))
_unlock = types.ExternalFunction("pthread_mutex_unlock", _int(_address))
_signal = types.ExternalFunction("pthread_cond_signal", _int(_address))
_wait = types.ExternalFunction("pthread_cond_wait", _int(_address, _address))
_timed_wait = types.ExternalFunction("pthread_cond_timedwait", _int(_address, _address, _address))

# The board, int64 [9]: four flags, which change under the mutex only; the addresses of the mutex and of the conditions
# "asked" and "answered"; a timespec. The calls in between keep the compiler from reading a flag from a register.
_MUTEX, _IS_ASKED, _IS_ANSWERED, _TIMESPEC = 4, 5, 6, 7
_FIELD_BYTES = 8


@compiled
def _ask(board: Any, deadline_ns: Any) -> Any:
    mutex, timespec = board[_MUTEX], board.ctypes.data + _TIMESPEC * _FIELD_BYTES
    board[_TIMESPEC] = deadline_ns // _NS_PER_S
    board[_TIMESPEC + 1] = deadline_ns % _NS_PER_S
    _lock(mutex)
    board[ASKED] = 1
    _unlock(mutex)
    _signal(board[_IS_ASKED])
    _lock(mutex)
    refused = 0
    while board[ANSWERED] == 0 and refused == 0:
        refused = _timed_wait(board[_IS_ANSWERED], mutex, timespec)
    answered = board[ANSWERED] == 1
    board[ANSWERED] = 0
    if not answered:
        board[ABANDONED] = 1
    _unlock(mutex)
    return answered


@compiled
def _await(board: Any) -> Any:
    _lock(board[_MUTEX])
    while board[ASKED] == 0 and board[ENDING] == 0:
        _wait(board[_IS_ASKED], board[_MUTEX])
    asked = board[ASKED] == 1
    board[ASKED] = 0
    _unlock(board[_MUTEX])
    return asked


@compiled
def _answer(board: Any) -> Any:
    _lock(board[_MUTEX])
    abandoned = board[ABANDONED] == 1
    board[ABANDONED] = 0
    if not abandoned:
        board[ANSWERED] = 1
    _unlock(board[_MUTEX])
    if abandoned:
        return ABANDONED
    _signal(board[_IS_ANSWERED])
    return ASKED if _await(board) else ENDING


@compiled
def _end(board: Any) -> None:
    _lock(board[_MUTEX])
    board[ENDING] = 1
    _unlock(board[_MUTEX])
    _signal(board[_IS_ASKED])


class Handover:
    """One asking and one answering thread. What is asked and answered lies elsewhere, written before each call here.

    Signals are not seen during a wait: Python's handlers run when it is over.
    """

    def __init__(self) -> None:
        self._cells = np.zeros((4, _CELL_BYTES), np.uint8)
        first = -(-self._cells.ctypes.data // _CELL_BYTES) * _CELL_BYTES
        self._board: Final = np.zeros(9, np.int64)
        self._board[_MUTEX : _IS_ANSWERED + 1] = [first + cell * _CELL_BYTES for cell in range(3)]
        mutex, asked, answered = (ctypes.c_void_p(first + cell * _CELL_BYTES) for cell in range(3))
        libc, attributes = ctypes.CDLL(None), ctypes.create_string_buffer(_CELL_BYTES)
        libc.pthread_mutex_init(mutex, None)
        libc.pthread_condattr_init(attributes)
        libc.pthread_condattr_setclock(attributes, CLOCK_MONOTONIC)
        for condition in (asked, answered):
            libc.pthread_cond_init(condition, attributes)
        self._rehearse()

    def _rehearse(self) -> None:
        """Go through every kernel once, so that none is compiled during a call."""
        board = self._board
        _ask(board, 0)
        _answer(board)  # too late
        _await(board)
        _end(board)
        board[: ENDING + 1] = 0

    def ask(self, limit_ns: int) -> bool:
        """Wake the other thread and wait until it has answered; False when that took longer than `limit_ns`: its
        answer is given up, and it will be told so. Not to be called again before it was."""
        return bool(_ask(self._board, time.monotonic_ns() + limit_ns))

    def wait(self) -> bool:
        """On the other thread: wait to be asked; False at the end."""
        return bool(_await(self._board))

    def answer(self) -> int:
        """On the other thread: the answer is there; wait to be asked again. `ASKED`, `ENDING`, or at once `ABANDONED`:
        it came too late, and nobody waits for it."""
        return int(_answer(self._board))

    def end(self) -> None:
        """Let the other thread see the end once it waits."""
        _end(self._board)
