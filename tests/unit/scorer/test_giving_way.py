"""A thread that gives way is behind the others, and it alone."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scorer.giving_way import BEHIND, give_way


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no nice value of their own here")
def test_the_calling_thread_alone_is_set_back() -> None:
    before = nice()
    with ThreadPoolExecutor(1, initializer=give_way) as pool:
        assert pool.submit(nice).result() == max(BEHIND, before)
    assert nice() == before


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no nice value of their own here")
def test_one_further_back_stays_there() -> None:
    def far_back() -> int:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        give_way()
        return nice()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(far_back).result() == 19
