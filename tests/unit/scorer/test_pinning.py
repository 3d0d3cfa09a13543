"""A worker is held to a processor it may use, and told of one it may not."""

import os
import threading

import pytest

from scorer.pinning import pin
from streams.errors import BadInputError

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")


def in_a_thread(work: object) -> list[object]:
    """What `work` came to on a thread of its own: affinity is a thread's, and this one must keep its own."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())  # type: ignore[operator]
        except BadInputError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found


def test_a_process_is_held_to_one_of_its_processors() -> None:
    before = os.sched_getaffinity(0)
    last = max(before)

    def work() -> set[int]:
        pin(last)
        return os.sched_getaffinity(0)

    assert in_a_thread(work) == [{last}]
    assert os.sched_getaffinity(0) == before


def test_a_processor_that_is_not_there_is_refused_with_those_that_are() -> None:
    (error,) = in_a_thread(lambda: pin(4_095))
    assert isinstance(error, BadInputError)
    assert "--cpu 4095 cannot be used here" in str(error)
    assert str(min(os.sched_getaffinity(0))) in str(error)
