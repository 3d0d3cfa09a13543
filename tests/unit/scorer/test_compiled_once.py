"""What was compiled once is never compiled again: workers, nightly job and collector have it from numba's cache."""

import subprocess
import sys

WARMED = """
from numba.core.event import RecordingListener, install_listener

from tests.ahead import SIDES

with install_listener("numba:compile", RecordingListener()) as listener:
    for side in SIDES.values():
        side()
print(len(listener.buffer))
"""


def started() -> int:
    """How many kernels a new process compiles."""
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_second_process_compiles_nothing() -> None:
    started()
    assert started() == 0
