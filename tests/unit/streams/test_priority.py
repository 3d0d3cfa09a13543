"""Priority is asked for, and its refusal is no error."""

import os
from pathlib import Path

import pytest

from streams.brokers.child import ChildProcess
from streams.priority import BROKER, FIRST, LAST, claim_priority, give_way


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the system was asked for; it grants everything."""
    found: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, _who, nice: found.append(nice))
    return found


@pytest.mark.parametrize("nice", [FIRST, LAST])
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
    assert found == [(2**22 - 1, LAST)]


def test_a_broker_is_set_before_all_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, who, nice: found.append((who, nice)))
    child = ChildProcess(["sleep", "60"], tmp_path / "log")
    pid = child.start()
    child.stop(1.0)
    assert found == [(pid, BROKER)]
    assert BROKER < FIRST < 0 < LAST


def test_an_ordinary_user_is_refused_without_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    assert not claim_priority(FIRST, tmp_path / "autogroup")
