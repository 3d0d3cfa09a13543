"""The shares of a run wait for each other, and notice who does not belong."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from harness.shares.meeting import Meeting
from harness.shares.share import Share
from streams.errors import BadInputError, RunInvalidError


class Wall:
    """What all shares have written; a board reads on from where it was."""

    def __init__(self) -> None:
        self.written: list[bytes] = []


class FakeBoard:
    def __init__(self, wall: Wall) -> None:
        self._wall, self._read = wall, 0

    def write(self, message: bytes) -> None:
        self._wall.written.append(message)

    def read(self) -> list[bytes]:
        found = self._wall.written[self._read :]
        self._read += len(found)
        return found

    def close(self) -> None:
        pass


def ticks(step_s: float) -> Iterator[float]:
    return (step_s * n for n in count())


def meeting(wall: Wall, number: int, of: int = 2, same: str = "a", step_s: float = 1e-6) -> Meeting:
    clock = ticks(step_s)
    return Meeting(Share(number, of), FakeBoard(wall), same, 10.0, clock=lambda: next(clock))


def test_none_goes_on_before_all_are_there() -> None:
    wall, passed = Wall(), list[int]()

    def take_part(number: int) -> None:
        found = meeting(wall, number, of=3).meet("ready", run=f"run-{number}")
        assert found[1]["run"] == "run-1"
        passed.append(len(wall.written))

    threads = [threading.Thread(target=take_part, args=(number,)) for number in (2, 3, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert passed == [3, 3, 3]


def test_a_share_that_does_not_come_is_named() -> None:
    with pytest.raises(RunInvalidError, match=r"share 1/3: 2/3, 3/3 had not come to 'ready' within 10 s"):
        meeting(Wall(), 1, of=3, step_s=1.0).meet("ready")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"same": "b"}, "is no share of this run"),
        ({"of": 3}, "is no share of this run"),
        ({"number": 1}, "two runs are the same share"),
    ],
)
def test_one_that_does_not_belong_is_refused(other: dict[str, object], words: str) -> None:
    wall = Wall()
    meeting(wall, **{"number": 2, **other}).say("ready")  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=words):
        meeting(wall, 1).meet("ready")


def test_what_was_said_at_another_point_counts_there_only() -> None:
    wall = Wall()
    first, second = meeting(wall, 1), meeting(wall, 2)
    second.say("ready", run="")
    first.meet("ready", run="")
    second.say("streamed", run="")
    assert set(first.meet("streamed", run="")) == {1, 2}
