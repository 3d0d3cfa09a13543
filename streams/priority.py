"""Who is served first on a busy machine: broker and instrument before what is measured, its bookkeeping after."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FIRST, BEHIND, LAST = -10, 5, 19
"""Nice values of the processes that stamp times (load, receiver), of those that have time but not for ever (the nightly
job has until midnight), and of those that nobody waits for before the end: the collector only counts."""
BROKER = -15
"""Of a broker on this machine. When it stands still for the moment, as Java's does to collect its garbage, an
idempotent librdkafka (2.16) that has five messages on their way looks for a way to send the next one without a pause:
clients that are served before the broker keep it from going on."""
AUTOGROUP = Path("/proc/self/autogroup")


def give_way(pid: int) -> bool:
    """Set another process, just started in a session of its own, behind the others, as `claim_priority` does."""
    return _set(pid, BEHIND)


def serve_broker_first(pid: int) -> bool:
    """Set a broker, just started in a session of its own, before all others, as `claim_priority` does."""
    return _set(pid, BROKER)


def _set(pid: int, nice: int) -> bool:
    return claim_priority(nice, Path(f"/proc/{pid}/autogroup"), pid)


def claim_priority(nice: int, autogroup: Path = AUTOGROUP, pid: int = 0) -> bool:
    """Set this process's nice value, and its session's where Linux schedules by session (`sched_autogroup`). `pid`: of
    another one, whose `autogroup` is given.

    Returns whether both were granted: a value below zero takes privilege; an ordinary user's instrument shares the
    machine like everybody else, and a run that suffers from it says that its load was late.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        if autogroup.exists():
            autogroup.write_text(str(nice), encoding="ascii")
    except OSError:
        return False
    return True


@contextlib.contextmanager
def patient_threads() -> Iterator[None]:
    """Threads that are begun here, and those that they begin, do not take the processor from the one that wakes them:
    they run as soon as one is free (Linux: SCHED_BATCH, sched(7); elsewhere, and where it is not granted, nothing
    changes). The calling thread is as before afterwards."""
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
