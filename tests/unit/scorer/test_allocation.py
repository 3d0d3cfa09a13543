"""What is freed goes back to the system, however it lies between what is kept."""

import subprocess
import sys

import pytest

from scorer.allocation import give_back_memory

BLOCK_BYTES, BLOCKS = 1 << 19, 200
CHILD = f"""
import ctypes, sys, threading
import psutil
from scorer.allocation import give_back_memory

asked = sys.argv[1] == "asked"
assert not asked or give_back_memory()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def block():
    place = c.malloc({BLOCK_BYTES})
    ctypes.memset(place, 1, {BLOCK_BYTES})
    return place

def churn():
    c.free(c.malloc(8 * {BLOCK_BYTES}))  # from now on glibc by itself takes such blocks from a heap
    blocks = []
    for _ in range({BLOCKS}):
        blocks.append(block())
        c.malloc(64)  # stays, between the others
    for place in blocks:
        c.free(place)

before = psutil.Process().memory_info().rss
thread = threading.Thread(target=churn)
thread.start()
thread.join()
print(psutil.Process().memory_info().rss - before)
"""


def left_bytes(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", CHILD, how], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_blocks_between_others_are_given_back() -> None:
    assert left_bytes("asked") < 0.1 * BLOCKS * BLOCK_BYTES < 0.8 * left_bytes("by itself")


def test_without_glibc_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not give_back_memory()
