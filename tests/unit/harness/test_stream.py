"""A run's topics are gone after it, and cleaning up never costs a run its results."""

from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from harness import stream
from harness.scorers import Reach
from streams.brokers.connection import KafkaConnection
from streams.errors import BrokerError
from streams.topics import Topics

CONNECTION = KafkaConnection("127.0.0.1:9")
REACH = Reach("127.0.0.1:9", None, "p", Path("work"), Path("logs"))


class Control:
    """Remembers what it is asked; refuses what the test says."""

    refused: frozenset[str] = frozenset()
    asked: list[str]

    def __init__(self, _connection: KafkaConnection) -> None:
        pass

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        pass

    def _take(self, what: str) -> None:
        type(self).asked.append(what)
        if what in type(self).refused:
            raise BrokerError(f"{what}: not allowed")

    def create_topics(self, specs: list[Any]) -> None:
        self._take("create")

    def delete_topics(self, names: list[str]) -> None:
        assert names == list(Topics("p").all())
        self._take("delete")

    def delete_group(self, group: str) -> None:
        assert group == "p.scorer"
        self._take("group")


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> type[Control]:
    Control.refused, Control.asked = frozenset(), []
    monkeypatch.setattr(stream, "ControlPlane", Control)
    return Control


@pytest.mark.parametrize(("keep", "asked"), [(False, ["create", "delete", "group"]), (True, ["create"])])
def test_topics_and_group_go_unless_they_are_kept(control: type[Control], keep: bool, asked: list[str]) -> None:
    with stream.topics_of(CONNECTION, REACH, 4, keep=keep):
        pass
    assert control.asked == asked


def test_what_cannot_be_removed_is_said_and_costs_nothing(
    control: type[Control], caplog: pytest.LogCaptureFixture
) -> None:
    control.refused = frozenset({"delete"})
    with stream.topics_of(CONNECTION, REACH, 4, keep=False):
        pass
    assert control.asked == ["create", "delete", "group"]
    assert "topics p.*: left on the broker: delete: not allowed" in caplog.text


def test_what_ended_the_run_is_not_hidden_by_the_cleaning(control: type[Control]) -> None:
    control.refused = frozenset({"delete", "group"})
    with pytest.raises(KeyError, match="the reason"), stream.topics_of(CONNECTION, REACH, 4, keep=False):
        raise KeyError("the reason")


def test_half_made_topics_are_removed(control: type[Control]) -> None:
    control.refused = frozenset({"create"})
    with pytest.raises(BrokerError, match="create"), stream.topics_of(CONNECTION, REACH, 4, keep=True):
        pass
    assert control.asked == ["create", "delete", "group"]


def test_what_several_load_processes_did_adds_up() -> None:
    first = {"sent": 5, "side_sent": 2, "undelivered": 0, "queue_full": 1, "first_error": None}
    second = {"sent": 7, "side_sent": 0, "undelivered": 3, "queue_full": 0, "first_error": "timed out"}
    found = stream.added_up([first, second])
    assert (found["sent"], found["side_sent"], found["undelivered"], found["queue_full"]) == (12, 2, 3, 1)
    assert found["first_error"] == "timed out"
