"""The job that every peer does, one event at a time: our features, rules and ONNX file, called from its runtime.

It is the pipeline of our own engines with micro-batches of one event, day tables included, so that a difference between
two peers is one of their runtimes. Nothing is explained, and no state is kept for a restart.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scorer.assembly import worker
from scorer.breaker_config import BreakerConfig
from scorer.guarded_model import Guards
from scorer.kafka_links import KafkaLinks
from scorer.messages import Origin
from scorer.options import FileInput, RunOptions
from scorer.pipeline import Pipeline
from scorer.table_feed import WAIT_LIMIT_S, TableFeed, TableGate
from streams.brokers.connection import connection_from
from streams.codec import encode_decision
from streams.topics import Topics

OPTIONS = ("bootstrap-servers", "events", "decisions", "group", "ready", "bundle", "rules", "state")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a peer is told: its Kafka, its two topics, its consumer group (for runtimes that have one), the file that
    says it can take events, and what decides."""

    bootstrap_servers: str
    events: str
    decisions: str
    group: str
    ready: Path
    bundle: Path
    rules: Path
    state: Path

    @property
    def topics(self) -> Topics:
        """All topics of the run, where the day tables are too."""
        return Topics(self.events.removesuffix(".events"))

    def announce(self) -> None:
        """Events can be taken now."""
        self.ready.touch()


def asked(arguments: list[str]) -> Asked:
    """The command line of every peer."""
    parser = argparse.ArgumentParser()
    for option in OPTIONS:
        parser.add_argument(f"--{option}", required=True, type=Path if option in OPTIONS[4:] else str)
    return Asked(**vars(parser.parse_args(arguments)))


class Job:
    """Decides events in the order they are given. For one thread."""

    def __init__(self, pipeline: Pipeline, gate: TableGate) -> None:
        self._pipeline, self._gate = pipeline, gate

    def answer(self, value: bytes) -> bytes | None:
        """The decision (JSON) on an event (JSON); None for one that was decided before.

        Raises ValueError for what is no event: a peer has no dead letters.
        """
        taken_ns = time.monotonic_ns()
        taken = self._pipeline.take([value], lambda _: Origin("", 0, 0))
        batch = taken.batch
        if batch is None:
            raise ValueError(taken.dead_letters[0].reason)
        waited_ns = self._gate.wait(batch)
        decided = [encode_decision(decision) for decision in self._pipeline.decide(batch, taken_ns, waited_ns)]
        return decided[0] if decided else None


@contextmanager
def job(wanted: Asked) -> Iterator[Job]:
    """The job, rehearsed, with the day tables of the run's nightly job coming in by a thread."""
    links = KafkaLinks(connection_from(wanted.bootstrap_servers, None), wanted.topics)
    feed = TableFeed(lambda: links.whole_topics((wanted.topics.day_tables,)))
    with worker(_options(wanted), time.monotonic_ns) as made:
        feed.start()
        try:
            yield Job(made.pipeline, TableGate(feed.inbox, made.pipeline, time.monotonic_ns))
        finally:
            feed.stop()


def _options(wanted: Asked) -> RunOptions:
    return RunOptions(
        engine="peer", role="worker", worker="peer", bootstrap_servers=wanted.bootstrap_servers, kafka_config=None,
        prefix=wanted.topics.prefix, group=wanted.group, bundle=wanted.bundle, rules=wanted.rules, state=wanted.state,
        explain="none", breaker=BreakerConfig(), guards=Guards(), batch_max=1, table_wait_s=WAIT_LIMIT_S,
        metrics_host="", metrics_port=0, ready_file=None, summary=None, late_scores=None, files=FileInput(),
    )  # fmt: skip


def end_on_sigterm() -> None:
    """For runtimes that leave signals alone: SIGTERM ends the program in order, so that it leaves its group."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
