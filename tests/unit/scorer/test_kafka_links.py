"""A worker's clients on Kafka."""

import os
import subprocess
import sys

import pytest

POLICIES = """
import contextlib
import os
from scorer.kafka_links import KafkaLinks
from streams.brokers.connection import KafkaConnection
from streams.topics import Topics

before = set(os.listdir("/proc/self/task"))
producer = KafkaLinks(KafkaConnection("127.0.0.1:9"), Topics("none")).producer()
for thread in set(os.listdir("/proc/self/task")) - before:
    with contextlib.suppress(ProcessLookupError):  # one that sets things up and ends
        print(os.sched_getscheduler(int(thread)))
print("caller", os.sched_getscheduler(0))
producer.poll(0)  # it lives until here
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such threads")
def test_a_producers_threads_do_not_interrupt_the_one_that_hands_decisions_over() -> None:
    """In a process of its own: others' threads come and go here."""
    told = subprocess.run([sys.executable, "-c", POLICIES], check=True, capture_output=True, text=True).stdout
    *threads, caller = told.splitlines()
    assert set(threads) == {str(os.SCHED_BATCH)}
    assert caller == f"caller {os.SCHED_OTHER}"
