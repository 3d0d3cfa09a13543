"""Room for arrays that grow: zeros, as long as address space allows, memory only where something was written."""

import mmap
import sys

import numpy as np
import psutil
import pytest

from models.features import room
from models.features.room import longer, roomy


def test_room_is_zero_and_can_be_written() -> None:
    array = roomy(10, 4, np.int64)
    assert len(array) >= 10
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert not array[:10].any()
    array[len(array) - 1] = 7
    assert array[-1].tolist() == [7] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere address space may need memory behind it")
def test_room_takes_no_memory_before_it_is_used() -> None:
    before = psutil.Process().memory_info().rss
    held = [roomy(10, 4, np.int64) for _ in range(20)]
    assert sum(array.nbytes for array in held) > 100 << 30
    assert psutil.Process().memory_info().rss - before < 64 << 20


def test_more_than_there_is_room_for_is_held_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROOM_BYTES", 1 << 12)
    assert len(roomy(1_000, 4, np.int64)) == 1_000
    array = roomy(100, 4, np.int64)
    assert len(array) == 128
    array[:] = 3
    grown = longer(array, 129)
    assert len(grown) == 256
    assert (grown[:128] == 3).all()
    assert not grown[128:].any()


def test_without_address_space_arrays_are_as_long_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no address space")

    monkeypatch.setattr(mmap, "mmap", refuse)
    array = roomy(10, 4, np.uint32)
    assert array.shape == (10, 4)
    assert not array.any()
