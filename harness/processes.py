"""Child processes that end with the run, whatever happens to it: asked, then told, then killed."""

import contextlib
import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.cache import ROOT
from streams.errors import BadInputError, RiskbenchError, RunInvalidError

logger = logging.getLogger("riskbench.harness.processes")
PR_SET_PDEATHSIG = 1
TERM_S, KILL_S = 10.0, 5.0
TAIL_BYTES = 8_192
POLL_S = 0.02


def _die_with_parent() -> None:
    """In the child before it starts: a session of its own, and death by SIGTERM when the parent dies."""
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


_LIBC = ctypes.CDLL(None)  # looked up before any fork: the child may not load libraries


@dataclass(slots=True)
class Child:
    """A started process, its name in messages, and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    _asked: bool = False

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
            return "\n".join(text.strip().splitlines()[-lines:])
        return ""

    def _refusal(self) -> str:
        """What it said against its input: from its last `error:` on, without the lines of progress (JSON)."""
        lines = [line for line in self.last_words(40).splitlines() if not line.startswith("{")]
        starts = [i for i, line in enumerate(lines) if line.startswith("error: ")]
        return "\n".join(lines[starts[-1] :]).removeprefix("error: ") if starts else "\n".join(lines)

    def failure(self) -> RiskbenchError:
        """What its end means for the run: exit code 2 is bad input (its own words are passed on), else invalid."""
        code = self.process.returncode
        if code == BadInputError.exit_code:
            return BadInputError(self._refusal() or f"{self.name} refused its input; see {self.log}")
        how = f"was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
        return RunInvalidError(f"{self.name} {how}; the end of {self.log}:\n{self.last_words()}")

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        stream = self.process.stdin
        if stream is None:
            raise RunInvalidError(f"{self.name} takes no input")
        try:
            stream.write(line.encode() + b"\n")
            stream.flush()
        except BrokenPipeError:
            self.process.wait(KILL_S)
            raise self.failure() from None

    def await_line(self, wanted: str, timeout_s: float) -> None:
        """Wait for a line on its standard output; raises when it ends or takes too long."""
        stream = self.process.stdout
        deadline = time.monotonic() + timeout_s
        seen = b""
        while stream is not None and time.monotonic() < deadline:
            if select.select([stream], [], [], POLL_S * 5)[0]:
                block = os.read(stream.fileno(), 4096)
                seen += block
                if wanted.encode() in seen.splitlines():
                    return
                if not block:
                    self.process.wait(KILL_S)
                    raise self.failure()
        raise RunInvalidError(f"{self.name} was not ready within {timeout_s:g} s; see {self.log}")

    def ask_to_end(self) -> None:
        """Send SIGTERM, once: a second one would kill a Python process that is already on its way out."""
        if self.running and not self._asked:
            self._asked = True
            self.process.terminate()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None


@dataclass(slots=True)
class Family:
    """The children of a run; leaving the context ends all of them, youngest first."""

    children: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        talk: bool = False,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a process in a session of its own; standard error (and output, unless `talk`) goes to `log`. Folder and
        environment are this process's own where none is given."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talk else sink,
                stderr=sink,
                cwd=cwd,
                env=environ,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, no allocation, no lock
            )
        child = Child(name, process, log)
        self.children.append(child)
        logger.info("started %s (pid %d)", name, process.pid)
        return child

    def stop(self, child: Child, term_s: float = TERM_S) -> int | None:
        """Ask with SIGTERM, then kill its whole session; returns its exit code."""
        if child.running:
            child.ask_to_end()
            if child.wait(term_s) is None:
                logger.warning("%s did not end within %g s after SIGTERM: killing it", child.name, term_s)
        _kill_session(child.process.pid)
        code = child.wait(KILL_S)
        for stream in (child.process.stdin, child.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if child in self.children:
            self.children.remove(child)
        return code

    def kill(self, child: Child) -> None:
        """End a child by SIGKILL, with its whole session, on purpose: its end is no failure of the run."""
        if child in self.children:
            self.children.remove(child)
        _kill_session(child.process.pid)
        child.wait(KILL_S)

    def pids(self) -> dict[str, int]:
        """The children's process ids by name."""
        return {child.name: child.process.pid for child in self.children}

    def check(self) -> None:
        """Raise when a child has ended by itself with an error."""
        for child in list(self.children):
            if child.process.poll() not in (None, 0):
                raise child.failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for child in reversed(self.children):
            if child.running:
                child.process.terminate()
        for child in list(reversed(self.children)):
            self.stop(child, TERM_S if kind is None else KILL_S)


def _kill_session(leader: int) -> None:
    """Kill what is left of a child's session (its own children)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def await_file(path: Path, child: Child, family: Family, timeout_s: float) -> bytes:
    """Wait until `child` has written `path` (atomically); raises when any child fails or it takes too long."""
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        family.check()
        if not child.running:
            raise child.failure()
        if time.monotonic() > deadline:
            raise RunInvalidError(f"{child.name} was not ready within {timeout_s:g} s; see {child.log}")
        time.sleep(POLL_S)
    return path.read_bytes()


def module_command(module: str, *arguments: str) -> list[str]:
    """`python -m module arguments` with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


def command_apart(python: Path, module: str, *arguments: str) -> list[str]:
    """`python -m module arguments` with another Python and this checkout's code. Raises BadInputError where our code is
    installed among other packages, which would come along."""
    if not (ROOT / "pyproject.toml").is_file():
        raise BadInputError(f"{module} runs in an environment of its own, for which it takes a checkout of Riskbench")
    return ["env", f"PYTHONPATH={ROOT}", str(python), "-m", module, *arguments]
