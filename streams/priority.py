"""Who is served first on a busy machine: broker and instrument before what is measured, its bookkeeping after."""

import os
from pathlib import Path

FIRST, LAST = -10, 5
"""Nice values of the processes that stamp times (load, receiver), and of those whose work nobody waits for: the
collector only counts, the nightly job has until midnight."""
BROKER = -15
"""Of a broker on this machine. When it stands still for the moment, as Java's does to collect its garbage, an
idempotent librdkafka (2.16) that has five messages on their way looks for a way to send the next one without a pause:
clients that are served before the broker keep it from going on."""
AUTOGROUP = Path("/proc/self/autogroup")


def give_way(pid: int) -> bool:
    """Set another process, just started in a session of its own, behind the others, as `claim_priority` does."""
    return _set(pid, LAST)


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
