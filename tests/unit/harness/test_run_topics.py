"""A run's topics are gone after it, cleaning up never costs a run its results, and what was there stays."""

from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from harness import run_topics
from harness.scorers import Reach
from streams.brokers.connection import KafkaConnection
from streams.errors import BadInputError, BrokerError
from streams.topics import Topics

CONNECTION = KafkaConnection("127.0.0.1:9")
REACH = Reach("127.0.0.1:9", None, "p", Path("work"), Path("logs"))


class Control:
    """Remembers what it is asked; refuses what the test says."""

    refused: frozenset[str] = frozenset()
    there: dict[str, dict[int, int]]
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

    def topics(self) -> list[str]:
        return list(self.there)

    def end_offsets(self, topic: str) -> dict[int, int]:
        return self.there[topic]

    def create_topics(self, specs: list[Any]) -> None:
        assert [spec.name for spec in specs] == self._new()
        self._take("create")

    def delete_topics(self, names: list[str]) -> None:
        assert names == self._new()
        self._take("delete")

    def _new(self) -> list[str]:
        return [name for name in Topics("p").all() if name not in self.there]

    def delete_group(self, group: str) -> None:
        assert group == "p.scorer"
        self._take("group")


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> type[Control]:
    Control.refused, Control.there, Control.asked = frozenset(), {}, []
    monkeypatch.setattr(run_topics, "ControlPlane", Control)
    return Control


@pytest.mark.parametrize(("keep", "asked"), [(False, ["create", "delete", "group"]), (True, ["create"])])
def test_topics_and_group_go_unless_they_are_kept(control: type[Control], keep: bool, asked: list[str]) -> None:
    with run_topics.topics_of(CONNECTION, REACH, 4, keep=keep):
        pass
    assert control.asked == asked


def test_what_cannot_be_removed_is_said_and_costs_nothing(
    control: type[Control], caplog: pytest.LogCaptureFixture
) -> None:
    control.refused = frozenset({"delete"})
    with run_topics.topics_of(CONNECTION, REACH, 4, keep=False):
        pass
    assert control.asked == ["create", "delete", "group"]
    assert "topics p.*: left on the broker: delete: not allowed" in caplog.text


def test_what_ended_the_run_is_not_hidden_by_the_cleaning(control: type[Control]) -> None:
    control.refused = frozenset({"delete", "group"})
    with pytest.raises(KeyError, match="the reason"), run_topics.topics_of(CONNECTION, REACH, 4, keep=False):
        raise KeyError("the reason")


def test_half_made_topics_are_removed(control: type[Control]) -> None:
    control.refused = frozenset({"create"})
    with pytest.raises(BrokerError, match="create"), run_topics.topics_of(CONNECTION, REACH, 4, keep=True):
        pass
    assert control.asked == ["create", "delete", "group"]


def test_topics_that_are_there_and_unused_are_used_and_left(control: type[Control]) -> None:
    control.there = {"p.events": {0: 0, 1: 0, 2: 0, 3: 0}, "p.dead-letter": {0: 0}}
    with run_topics.topics_of(CONNECTION, REACH, 4, keep=False):
        pass
    assert control.asked == ["create", "delete", "group"]  # of the others: Control looks


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({0: 0, 1: 7, 2: 0, 3: 3}, "topic p.decisions exists, and 10 records were written to it"),
        ({0: 0}, "topic p.decisions exists with 1 partition(s), this run needs 4"),
    ],
)
def test_topics_of_another_run_are_refused_and_left(control: type[Control], ends: dict[int, int], words: str) -> None:
    control.there = {"p.decisions": ends}
    with pytest.raises(BadInputError) as caught, run_topics.topics_of(CONNECTION, REACH, 4, keep=False):
        pass
    assert words in str(caught.value)
    assert control.asked == []
