"""Threads that work beside the one that decides leave the processor to it where there are too few."""

import contextlib
import os
import sys
import threading

BEHIND = 5
"""Nice value of a thread that nobody waits for: a quarter of a processor is left to it, so that explanations
and checkpoints still come."""


def give_way() -> None:
    """Set the calling thread behind the others. Linux alone gives threads a nice value of their own; elsewhere, and
    where it has a higher one, nothing is changed."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(BEHIND, os.getpriority(os.PRIO_PROCESS, thread)))
