"""Children end with the run, and their failures are said in their own words."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from harness.interruption import Interrupted, interruptible
from harness.processes import Family, await_file
from streams.errors import BadInputError, RunInvalidError


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] == "Z"


def _await_gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while not _gone(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return _gone(pid)


def test_leaving_ends_everyone_even_the_deaf_and_their_children(tmp_path: Path) -> None:
    deaf = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(f'pid {child.pid}', flush=True); print('ready', flush=True); time.sleep(60)\n"
    )
    with Family() as family:
        child = family.start("deaf", _python(deaf), tmp_path / "deaf.log", talk=True)
        child.await_line("ready", 20)
        pids = [child.process.pid]
        family.stop(child, term_s=0.2)
        assert child.process.returncode == -signal.SIGKILL
        other = family.start("sleeper", _python("import time; time.sleep(60)"), tmp_path / "s.log")
        pids.append(other.process.pid)
    assert all(_await_gone(pid) for pid in pids)
    assert family.children == []


def test_bad_input_of_a_child_is_ours_in_its_words(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('{}\\nlog\\nerror: bundle x is damaged\\n'); sys.exit(2)"
    with Family() as family:
        child = family.start("scorer", _python(code), tmp_path / "s.log")
        with pytest.raises(BadInputError, match=r"^bundle x is damaged$"):
            await_file(tmp_path / "ready", child, family, 20)


def test_a_crash_makes_the_run_invalid_and_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with Family() as family:
        child = family.start("scorer", _python("raise SystemError('boom')"), tmp_path / "s.log", talk=True)
        with pytest.raises(RunInvalidError, match=r"(?s)scorer ended with 1.*boom"):
            child.await_line("ready", 20)


def test_a_killed_child_is_noticed(tmp_path: Path) -> None:
    with Family() as family:
        child = family.start("scorer", _python("import time; time.sleep(60)"), tmp_path / "s.log")
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait()
        with pytest.raises(RunInvalidError, match="was killed by SIGKILL"):
            family.check()


def test_who_is_never_ready_is_named(tmp_path: Path) -> None:
    with Family() as family:
        child = family.start("slow", _python("import time; time.sleep(60)"), tmp_path / "s.log", talk=True)
        with pytest.raises(RunInvalidError, match=r"slow was not ready within 0\.2 s"):
            child.await_line("ready", 0.2)
        with pytest.raises(RunInvalidError, match=r"slow was not ready within 0\.1 s"):
            await_file(tmp_path / "ready", child, family, 0.1)


@interruptible()
def _interrupted_while_cleaning_up() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    finally:
        os.kill(os.getpid(), signal.SIGINT)  # cleaning up goes on
        time.sleep(0.01)


def test_first_signal_interrupts_later_ones_do_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="interrupted by SIGTERM") as caught:
        _interrupted_while_cleaning_up()
    assert caught.value.exit_code == 143
    assert signal.getsignal(signal.SIGINT) is before
