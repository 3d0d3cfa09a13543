"""Who is served first on a busy machine: the instrument before what it measures, its bookkeeping after."""

import os
from pathlib import Path

FIRST, LAST = -10, 5
"""Nice values of the processes that stamp times (load, receiver), and of the one that only counts (collector)."""
AUTOGROUP = Path("/proc/self/autogroup")


def claim_priority(nice: int, autogroup: Path = AUTOGROUP) -> bool:
    """Set this process's nice value, and its session's where Linux schedules by session (`sched_autogroup`).

    Returns whether both were granted: a value below zero takes privilege; an ordinary user's instrument shares the
    machine like everybody else, and a run that suffers from it says that its load was late.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        if autogroup.exists():
            autogroup.write_text(str(nice), encoding="ascii")
    except OSError:
        return False
    return True
