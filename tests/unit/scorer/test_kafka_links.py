"""A worker's clients on Kafka."""

import os
import sys
from pathlib import Path

import pytest

from scorer.kafka_links import KafkaLinks
from streams.brokers.connection import KafkaConnection
from streams.topics import Topics


def _policies() -> dict[str, int]:
    """Of librdkafka's threads in this process, by thread."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if (task / "comm").read_text().startswith("rdk:")]
    return {task.name: os.sched_getscheduler(int(task.name)) for task in tasks}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such threads")
def test_a_producer_s_threads_do_not_interrupt_the_one_that_hands_decisions_over() -> None:
    before = _policies()
    producer = KafkaLinks(KafkaConnection("127.0.0.1:9"), Topics("none")).producer()
    begun = {thread: policy for thread, policy in _policies().items() if thread not in before}
    assert begun
    assert set(begun.values()) == {os.SCHED_BATCH}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    producer.poll(0)  # it lived until here
