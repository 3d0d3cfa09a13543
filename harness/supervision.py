"""Workers of the scorer ended, stopped and started again on purpose, as a supervisor of processes would."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from harness.processes import Family
from harness.scorers import Scorers, Worker


class Supervision:
    """Acts on the workers of a running scorer; their ends are no failures of the run. Workers are counted from 1.

    The system ends a child when the thread that started it ends. So workers are started again on a thread that is kept:
    leave the context only when they have ended.
    """

    def __init__(self, scorers: Scorers, family: Family) -> None:
        self._scorers, self._family = scorers, family
        self._starting = ThreadPoolExecutor(1, "supervision")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._starting.shutdown()

    def kill(self, worker: int) -> None:
        """SIGKILL. What the worker last said of itself is kept: it can write no summary."""
        found = self._worker(worker)
        last = found.health()
        self._family.kill(found.child)
        found.address = None
        if last is not None:
            self._scorers.ended.append({"worker": found.name, "role": found.role, **last, "status": "killed"})

    def restart(self, worker: int) -> None:
        """Start it again with the same options, its log goes on; its address is known once it is ready."""
        found = self._worker(worker)
        if found.child.running:
            return
        found.ready.unlink(missing_ok=True)
        name, log = found.child.name, found.child.log
        found.child = self._starting.submit(self._family.start, name, found.command, log).result()

    def pause(self, worker: int) -> None:
        """SIGSTOP, to its whole session."""
        os.killpg(self._worker(worker).child.process.pid, signal.SIGSTOP)

    def go_on(self, worker: int) -> None:
        """SIGCONT."""
        os.killpg(self._worker(worker).child.process.pid, signal.SIGCONT)

    def _worker(self, number: int) -> Worker:
        deciding = [worker for worker in self._scorers.workers if worker.role in ("worker", "own")]
        return deciding[number - 1]
