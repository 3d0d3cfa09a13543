"""What each process of a stream costs: processor time and memory, looked at once a second from outside."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

SETTLED_AFTER = 60
"""Looks, a second apart, after which a process should have come to the memory it keeps."""


@dataclass(slots=True)
class Footprint:
    """One process so far. `cpu_s` is its processor time since the first look (user and system, all threads);
    `memory_*_bytes` is its own memory (mapped files left out) at the first look, at the last one, at most, and at look
    `SETTLED_AFTER` (None before)."""

    name: str
    looks: int
    cpu_s: float
    memory_start_bytes: int
    memory_end_bytes: int
    memory_max_bytes: int
    memory_settled_bytes: int | None = None


def _own_bytes(process: psutil.Process) -> int:
    """Resident memory without mapped files: their pages are the system's cache, and go when they are needed."""
    memory = process.memory_info()
    return int(memory.rss) - int(getattr(memory, "shared", 0))


class Footprints:
    """Looks at processes until they are gone; what was seen last stays."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """Take the processes by name. One that is gone already is left out."""
        self._processes: dict[str, psutil.Process] = {}
        self._pids: dict[str, list[int]] = {}
        self._begun_s: dict[str, float] = {}
        self.found: dict[str, Footprint] = {}
        self.follow(pids)

    def follow(self, pids: Mapping[str, int]) -> None:
        """Take processes that are not known yet; one that was started again under its name is told as `name (2)`."""
        for name, pid in pids.items():
            known = self._pids.setdefault(name, [])
            if pid in known:
                continue
            known.append(pid)
            with contextlib.suppress(psutil.NoSuchProcess):
                self._processes[name if len(known) == 1 else f"{name} ({len(known)})"] = psutil.Process(pid)

    def look(self) -> None:
        """Look at all that still run."""
        for name, process in list(self._processes.items()):
            try:
                times, memory = process.cpu_times(), _own_bytes(process)
            except psutil.Error:
                del self._processes[name]
                continue
            if memory:  # none: it has ended, and nobody has waited for it yet
                self._add(name, times.user + times.system, memory)

    def _add(self, name: str, cpu_s: float, memory: int) -> None:
        if name not in self.found:
            self._begun_s[name] = cpu_s
            self.found[name] = Footprint(name, 0, 0.0, memory, memory, memory)
        known = self.found[name]
        known.looks += 1
        if known.looks == SETTLED_AFTER:
            known.memory_settled_bytes = memory
        known.cpu_s = cpu_s - self._begun_s[name]
        known.memory_end_bytes = memory
        known.memory_max_bytes = max(known.memory_max_bytes, memory)
