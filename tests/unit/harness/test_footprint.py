"""What a process costs is seen from outside, also when it ends in between."""

import subprocess
import sys

from harness.footprint import Footprints

HOLD = "import sys; held = bytearray({megabytes} << 20); sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read(1)"
WORK = """
import sys, time
while time.process_time() < 0.3: pass
sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read(1)
held = bytearray(64 << 20)
sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read(1)
"""


def start(source: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def await_dot(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    assert process.stdout.read(1) == b"."


def go_on(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")


def test_processor_time_counts_from_the_first_look_and_memory_is_kept_at_first_last_and_most() -> None:
    with start(WORK) as process:
        prints = Footprints({"worker": process.pid})
        prints.look()
        await_dot(process)
        prints.look()
        used_s = prints.found["worker"].cpu_s
        go_on(process)
        await_dot(process)
        prints.look()
        found = prints.found["worker"]
        go_on(process)
    assert used_s > 0.15
    assert found.looks == 3
    assert found.memory_end_bytes - found.memory_start_bytes > 60 << 20
    assert found.memory_max_bytes >= found.memory_end_bytes


def test_what_was_seen_of_a_process_stays_when_it_has_ended() -> None:
    with start(HOLD.format(megabytes=32)) as process:
        prints = Footprints({"a": process.pid, "never there": 2**22 - 1})
        await_dot(process)
        prints.look()
        go_on(process)
    before = prints.found["a"].memory_end_bytes
    prints.look()
    assert list(prints.found) == ["a"]
    assert prints.found["a"].memory_end_bytes == before > 32 << 20


def test_a_process_that_was_started_again_is_told_beside_the_one_before() -> None:
    prints = Footprints({})
    for _ in range(2):
        with start(HOLD.format(megabytes=1)) as process:
            await_dot(process)
            prints.follow({"a": process.pid})
            prints.follow({"a": process.pid})
            prints.look()
            go_on(process)
    assert list(prints.found) == ["a", "a (2)"]
