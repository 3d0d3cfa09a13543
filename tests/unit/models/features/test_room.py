"""Room for arrays that grow: zeros, as long as address space allows, memory only where something was written."""

import mmap
import sys
from pathlib import Path

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


def _asked_for_huge_pages(array: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[int]:
    """Bytes of the array's mappings that huge pages were asked for."""
    begin, asked, found = array.ctypes.data, array.ctypes.data + array.nbytes, list[int]()
    low = high = 0
    for line in Path("/proc/self/smaps").read_text(encoding="ascii").splitlines():
        head = line.split(" ", 1)[0]
        if "-" in head:
            low, high = (int(bound, 16) for bound in head.split("-"))
        elif line.startswith("VmFlags:") and "hg" in line.split() and begin <= low and high <= asked:
            found.append(high - low)
    return found


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="no huge pages here")
def test_huge_pages_are_asked_for_what_is_loaded_and_not_for_what_comes_later() -> None:
    loaded = np.ones((room.HUGE_BYTES * 5 // 16, 4), np.int64)  # ten huge pages
    assert _asked_for_huge_pages(roomy(10, 4, np.int64)) == []
    array = longer(loaded[: -room.HUGE_BYTES // 64], len(loaded))  # half a page less
    assert _asked_for_huge_pages(array) == [9 * room.HUGE_BYTES]
