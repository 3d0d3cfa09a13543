"""Workers that are killed, stopped and started again on purpose are no failure of the run."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.processes import Family
from harness.scorers import Scorers, Worker
from harness.supervision import Supervision

SLEEPER = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('{}'); time.sleep(60)"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Scorers, Family]]:
    with Family() as family:
        workers = []
        for name in ("worker-1", "worker-2"):
            ready = tmp_path / f"{name}.ready"
            command = [sys.executable, "-c", SLEEPER, str(ready)]
            child = family.start(f"scorer {name}", command, tmp_path / f"{name}.log")
            workers.append(Worker(name, "worker", child, ready, tmp_path / f"{name}.summary", command=command))
        for worker in workers:
            wait_for(worker)
        yield Scorers(workers), family


def wait_for(worker: Worker) -> None:
    until = time.monotonic() + 20
    while not worker.ready.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.ready.exists()


def test_a_killed_worker_is_started_again_as_it_was(running: tuple[Scorers, Family]) -> None:
    scorers, family = running
    first, second = scorers.workers
    before = first.child.process.pid
    with Supervision(scorers, family) as supervision:
        supervision.kill(1)
        assert first.child.process.returncode == -signal.SIGKILL
        family.check()
        assert second.child.running
        # by a thread that ends at once, as a fault's may
        restarting = threading.Thread(target=supervision.restart, args=(1,))
        restarting.start()
        restarting.join()
        wait_for(first)
        time.sleep(0.2)
        assert first.child.running
        assert first.child.process.pid != before
        assert psutil.Process(first.child.process.pid).cmdline()[-1] == str(first.ready)
        again = first.child.process.pid
        supervision.restart(1)  # it runs
        assert first.child.process.pid == again
        family.check()
        family.kill(first.child)


def test_a_stopped_worker_goes_on(running: tuple[Scorers, Family]) -> None:
    scorers, family = running
    process = psutil.Process(scorers.workers[1].child.process.pid)
    supervision = Supervision(scorers, family)
    supervision.pause(2)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert process.status() == psutil.STATUS_STOPPED
    supervision.go_on(2)
    os.waitid(os.P_PID, process.pid, os.WCONTINUED | os.WNOWAIT)
    assert process.status() != psutil.STATUS_STOPPED


def test_who_was_killed_for_good_is_not_ended_again(running: tuple[Scorers, Family]) -> None:
    scorers, family = running
    Supervision(scorers, family).kill(1)
    assert scorers.stop(family) == []
    assert not scorers.workers[1].child.running
