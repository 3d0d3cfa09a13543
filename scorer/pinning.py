"""Holding a worker to one processor, where it is asked for."""

import os

from streams.errors import BadInputError


def pin(cpu: int) -> None:
    """Let all threads that this process will have run on processor `cpu` only. Raises `BadInputError` for one that it
    may not use, and on systems that cannot do it."""
    if not hasattr(os, "sched_setaffinity"):
        raise BadInputError("--cpu: this system cannot hold a process to a processor; leave it out")
    allowed = sorted(os.sched_getaffinity(0))
    if cpu not in allowed:
        raise BadInputError(f"--cpu {cpu} cannot be used here; this process may run on {', '.join(map(str, allowed))}")
    os.sched_setaffinity(0, {cpu})
