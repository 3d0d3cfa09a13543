"""A child process that cannot be left behind: it ends with us, whichever way we end."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from streams.errors import BrokerError
from streams.priority import give_way, serve_broker_first

_log = logging.getLogger("riskbench.streams")
_LEASH = Path(__file__).with_name("leash.py")


class ChildProcess:
    """One process in a group of its own, tied to this one.

    Its own group, so that Ctrl-C in the terminal reaches us first and we end it in order. Tied, so that the kernel
    kills it if we are killed. The kernel ties a child to the *thread* that started it: a thread is therefore kept
    for as long as the child may live, and callers may come and go on threads of their own.

    It is served before all others; one that `gives_way`, behind them.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_path: Path,
        *,
        environment: Mapping[str, str] | None = None,
        gives_way: bool = False,
    ) -> None:
        self.log_path = log_path
        self._command = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command]
        self._environment = None if environment is None else dict(environment)
        self._serve = give_way if gives_way else serve_broker_first
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._started = threading.Event()
        self._done = threading.Event()

    def start(self) -> int:
        """Start it and return its process id. `BrokerError` when the system refuses."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._forget()
        threading.Thread(target=self._keep, name="child-process", daemon=True).start()
        self._started.wait()
        if self._process is None:
            raise BrokerError(f"cannot start {self._command[5]}: {self._failure}")
        return self._process.pid

    def _forget(self) -> None:
        """Of the process before, where there was one."""
        self._process, self._started, self._done = None, threading.Event(), threading.Event()

    def _keep(self) -> None:
        try:
            with self.log_path.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=self._environment,
                )
        except OSError as error:
            self._failure = error
        if self._process is not None:
            self._serve(self._process.pid)
        done = self._done
        self._started.set()
        if self._process is not None:
            done.wait()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs or before it started. Negative: the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def stop(self, grace_s: float) -> None:
        """Ask it to end, wait at most `grace_s`, then kill its whole group. Returns when nothing is left of it."""
        if self._process is None:
            return
        if self._process.poll() is None and grace_s > 0:
            self._process.terminate()
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                _log.debug("%s did not end within %.1f s and is killed", self._command[5], grace_s)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._done.set()

    def kill(self) -> None:
        """End its whole group by SIGKILL. Returns when nothing is left of it; it may be started again."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._done.set()

    def pause(self) -> None:
        """Stop its whole group where it is (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let its group go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is None:
            raise BrokerError(f"{self._command[5]} does not run: it cannot get {number.name}")
        os.killpg(self.pid, number)

    def memory_bytes(self) -> int | None:
        """Resident memory, or None when it does not run."""
        pid = self.pid
        if pid is None:
            return None
        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return None

    def last_words(self, lines: int = 12) -> str:
        """The end of what it wrote, for an error message."""
        try:
            text = self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def wait_until(
    ready: Callable[[], bool],
    *,
    timeout_s: float,
    pause_s: float = 0.02,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Ask `ready` every `pause_s` until it says yes; False when `timeout_s` passed without one."""
    until = clock() + timeout_s
    while not ready():
        if clock() >= until:
            return False
        sleep(pause_s)
    return True
