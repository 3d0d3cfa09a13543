"""Priority is asked for, and its refusal is no error."""

import os
import sys
import threading
from pathlib import Path

import pytest

from streams.brokers import Broker
from streams.brokers.child import ChildProcess
from streams.priority import BEHIND, BROKER, FIRST, LAST, claim_priority, give_way, patient_threads


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the system was asked for; it grants everything."""
    found: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, _who, nice: found.append(nice))
    return found


@pytest.mark.parametrize("nice", [FIRST, BEHIND, LAST])
def test_process_and_session_are_set_together(asked: list[int], nice: int, tmp_path: Path) -> None:
    autogroup = tmp_path / "autogroup"
    autogroup.write_text("/autogroup-1 nice 0")
    assert claim_priority(nice, autogroup)
    assert asked == [nice]
    assert autogroup.read_text() == str(nice)


def test_a_machine_that_does_not_schedule_by_session(asked: list[int], tmp_path: Path) -> None:
    assert claim_priority(LAST, tmp_path / "autogroup")
    assert asked == [LAST]


def test_another_process_is_set_behind_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, who, nice: found.append((who, nice)))
    assert give_way(2**22 - 1)  # there is none, nor its session
    assert found == [(2**22 - 1, BEHIND)]


@pytest.mark.parametrize(("gives_way", "nice"), [(False, BROKER), (True, BEHIND)])
def test_a_broker_is_set_before_all_others_or_gives_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gives_way: bool, nice: int
) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, who, nice: found.append((who, nice)))
    child = ChildProcess(["sleep", "60"], tmp_path / "log", gives_way=gives_way)
    pid = child.start()
    child.stop(1.0)
    assert found == [(pid, nice)]
    assert BROKER < FIRST < 0 < BEHIND < LAST


@pytest.mark.broker("embedded")
def test_the_embedded_broker_which_is_asked_without_end_gives_way(broker_embedded: Broker) -> None:
    assert broker_embedded.info.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, broker_embedded.info.pid) >= BEHIND


def test_an_ordinary_user_is_refused_without_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    assert not claim_priority(FIRST, tmp_path / "autogroup")


def _policy_of_a_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such threads")
def test_threads_that_are_begun_patiently_stay_so_and_the_caller_does_not() -> None:
    with patient_threads():
        assert _policy_of_a_thread() == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert _policy_of_a_thread() == os.SCHED_OTHER


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such threads")
def test_a_system_that_grants_no_patience_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with patient_threads():
        assert _policy_of_a_thread() == os.SCHED_OTHER
