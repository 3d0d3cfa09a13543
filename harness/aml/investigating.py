"""The investigators' process: follows the decisions of a stream and sends findings once event time has reached them.

Run as `python -m harness.aml.investigating PLAN`. Prints `ready` once it knows the truth and reads the decisions topic;
ends on SIGTERM, when it has read all that was there by then. What is found later than the stream's last transfer is not
sent: the run's findings.parquet has it.
"""

import gc
import heapq
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow.parquet as pq
from confluent_kafka import Producer

from harness.accounts import Accounts
from harness.aml.desk import Desk, Investigation, ScoredRows
from harness.aml.monitoring import capacity, stream_truth
from harness.aml.section import Investigators
from harness.aml.truth import NOBODY, Truth
from harness.prepared import Prepared, open_prepared
from harness.quality.scored import Int64s
from harness.receiver import BATCH, ReceiverPlan, Stop, catch_up, drain, open_consumer, partitions_of
from harness.scenario import Scenario
from harness.scorers import Reach
from streams.brokers.clients import ConsumerSettings, producer_config
from streams.brokers.connection import connection_from
from streams.codec import UNDECODABLE, decode_decision, encode
from streams.decision import Decision
from streams.laundering import Finding
from streams.priority import BEHIND, claim_priority
from streams.topics import Topics

logger = logging.getLogger("riskbench.harness.aml.investigating")
FLUSH_S = 10.0
NO_TIMEOUT_NS = 2**62
PAUSE_S = 0.1
"""Between looks at the topic: many messages taken at once cost the machine less, and nobody waits for findings."""
PATIENT = ConsumerSettings(fetch_wait_ms=100, fetch_min_bytes=1_048_576)
"""For the same reason the broker gathers as long: asked for each message it would answer thousands of times a second,
on the machine that is measured."""


class InvestigatingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to follow and where findings go. `prepared` is a prepared folder, `settings` the scenario's section."""

    feed: str
    prepared: str
    decisions: ReceiverPlan
    topic: str
    k: int
    settings: dict[str, Any]
    seed: int


def plan_investigating(scenario: Scenario, prepared: Prepared, feed: Path) -> Callable[[Topics, Reach], msgspec.Struct]:
    """The plan of a scenario's investigators, once it is known where topics are."""

    def plan(topics: Topics, reach: Reach) -> InvestigatingPlan:
        settings = scenario.investigators or Investigators()
        return InvestigatingPlan(
            feed=str(feed),
            prepared=str(prepared.folder),
            decisions=ReceiverPlan(
                topic=topics.decisions,
                partitions=scenario.load.partitions,
                bootstrap_servers=reach.bootstrap_servers,
                kafka_config=str(reach.kafka_config) if reach.kafka_config else None,
                spool="",
            ),
            topic=topics.dispositions,
            k=capacity(scenario, prepared),
            settings=settings.model_dump(mode="json"),
            seed=scenario.seeds.training,
        )

    return plan


class Sending(Protocol):
    """What is asked of a Kafka producer (confluent-kafka's)."""

    def produce(self, topic: str, value: bytes, key: bytes) -> None: ...
    def poll(self, timeout: float) -> int: ...
    def flush(self, timeout: float) -> int: ...


class Findings:
    """Findings that are to be sent, each as soon as event time has reached it; in its order."""

    def __init__(self, send: Callable[[Finding], None]) -> None:
        self._send = send
        self._waiting: list[tuple[int, str, Finding]] = []
        self.sent = 0

    def add(self, done: Sequence[Investigation]) -> None:
        """Take what was found."""
        for one in done:
            heapq.heappush(self._waiting, (one.finding.found_at_ns, one.finding.customer_id, one.finding))

    def advance(self, now_ns: int) -> None:
        """Send what is known at this event time."""
        while self._waiting and self._waiting[0][0] <= now_ns:
            self._send(heapq.heappop(self._waiting)[2])
            self.sent += 1


class Following:
    """Decisions as they arrive, brought before the desk: the first of each transfer, with the transfer's event time
    (ns, int64 [events], by ordinal)."""

    def __init__(self, accounts: Accounts, times: Int64s, truth: Truth, desk: Desk, findings: Findings) -> None:
        self._accounts, self._times, self._desk, self._findings = accounts, times, desk, findings
        self._place = {name: place for place, name in enumerate(truth.customer_names)}

    def append(self, received_ns: int, values: Sequence[bytes]) -> None:
        """Take messages."""
        del received_ns  # no finding depends on it
        decisions = [found for found in map(_decoded, values) if found is not None]
        ids = [decision.event_id for decision in decisions]
        ordinals = self._accounts.match(ids, np.zeros(len(ids), np.int64))
        rows = [
            (
                self._place.get(customer.customer_id, NOBODY),
                int(self._times[ordinal]),
                customer.score,
                decision.event_id,
            )
            for decision, ordinal in zip(decisions, ordinals.tolist(), strict=True)
            if ordinal >= 0
            for customer in decision.customers
        ]
        if rows:
            who, times, score, event_ids = zip(*rows, strict=True)
            taken = ScoredRows(np.array(who, np.int64), np.array(times, np.int64), np.array(score), event_ids)
            self._findings.add(self._desk.take(taken))
            self._findings.advance(self._desk.now_ns)


def _decoded(value: bytes) -> Decision | None:
    """None for what is none: the collector counts it."""
    try:
        return decode_decision(value)
    except UNDECODABLE:
        return None


def follow(plan: InvestigatingPlan, prepared: Prepared, findings: Findings) -> Following:
    """The desk of a plan, with the truth that its investigators can find."""
    truth = stream_truth(prepared, prepared.events)
    desk = Desk(truth, plan.k, Investigators.model_validate(plan.settings), plan.seed)
    times = pq.read_table(prepared.file("events"), columns=["event_time_ns"])["event_time_ns"].to_numpy()
    return Following(Accounts.open(Path(plan.feed), 0, NO_TIMEOUT_NS), times, truth, desk, findings)


def run_investigating(plan: InvestigatingPlan) -> None:
    """Follow the decisions until asked to stop."""
    stop = Stop()
    config_file = Path(plan.decisions.kafka_config) if plan.decisions.kafka_config else None
    connection = connection_from(plan.decisions.bootstrap_servers, config_file)
    producer: Sending = Producer({**producer_config(connection), "on_delivery": _delivered})

    def send(finding: Finding) -> None:
        producer.produce(plan.topic, encode(finding), finding.customer_id.encode())

    findings = Findings(send)
    following = follow(plan, open_prepared(Path(plan.prepared), "", True), findings)
    consumer = open_consumer(plan.decisions, PATIENT)
    gc.collect()
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not stop.asked:
        if drain(consumer, following, time.monotonic_ns) < BATCH:
            time.sleep(PAUSE_S)
        producer.poll(0)
    catch_up(consumer, partitions_of(plan.decisions), following, time.monotonic_ns)
    while drain(consumer, following, time.monotonic_ns):
        pass
    unsent = producer.flush(FLUSH_S)
    logger.info("%d findings sent, %d of them not taken by the broker", findings.sent, unsent)
    consumer.close()


def _delivered(error: Any, _message: Any) -> None:
    if error is not None:
        logger.warning("a finding was not taken by the broker: %s", error)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # its work can wait, the scorer's and the load's cannot
    claim_priority(BEHIND)
    run_investigating(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=InvestigatingPlan))
