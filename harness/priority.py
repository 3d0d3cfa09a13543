"""Who is served first on a busy machine: the instrument before what it measures, its bookkeeping after."""

import os
from pathlib import Path

FIRST, LAST = -10, 5
"""Nice values of the processes that stamp times (load, receiver), and of those whose work nobody waits for: the
collector only counts, the nightly job has until midnight."""
AUTOGROUP = Path("/proc/self/autogroup")


def give_way(pid: int) -> bool:
    """Set another process, just started in a session of its own, behind the others, as `claim_priority` does."""
    return claim_priority(LAST, Path(f"/proc/{pid}/autogroup"), pid)


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
