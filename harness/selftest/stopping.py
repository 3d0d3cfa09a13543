"""Stops the load process for a while in the middle of a run, as a busy or paused machine would."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

POLL_S = 0.02
LOAD_MODULE = "harness.load"


@contextmanager
def load_stopped(start_file: Path, after_s: float, for_s: float) -> Iterator[None]:
    """While the context lasts: once `start_file` is there, wait `after_s`, then stop the load process `for_s`."""
    over = threading.Event()
    thread = threading.Thread(target=_stop, args=(start_file, after_s, for_s, over), name="stopping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _stop(start_file: Path, after_s: float, for_s: float, over: threading.Event) -> None:
    while not start_file.exists():
        if over.wait(POLL_S):
            return
    if over.wait(after_s):
        return
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if LOAD_MODULE in process.cmdline():
                process.send_signal(signal.SIGSTOP)
                time.sleep(for_s)
                process.send_signal(signal.SIGCONT)
                return
