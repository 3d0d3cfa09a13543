"""The lease of a confluent-kafka consumer, renewed by the commits that it makes anyway.

A commit bears the member's name and generation, and the coordinator takes it for a sign of life. When it was asked for
is noted in the commit's metadata, so that its answer, which comes later and by itself, says how long it is good for.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from scorer.clock import ClockNs
from scorer.engines.acknowledged import Position
from scorer.engines.lease import Lease
from streams.errors import BrokerError

log = logging.getLogger("riskbench.scorer")

ASKING_LIMIT_S = 60.0
AGAIN_S = 0.1
_GONE = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError.FENCED_INSTANCE_ID)
_FOR_NOW = (
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._WAIT_COORD,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._IN_PROGRESS,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


class Membership:
    """Says whether a worker's partitions are still its own. `may_answer` is for any thread, the rest for the one that
    polls. `answered` is to be the consumer's `on_commit`."""

    def __init__(self, session_ms: int, clock_ns: ClockNs) -> None:
        self.lease = Lease(session_ms)
        self._clock_ns = clock_ns
        self._asking = threading.Lock()
        self._consumer: Any = None
        self._member: str | None = None
        self._known: dict[Position, int] = {}

    def assigned(self, consumer: Any, starts: Mapping[Position, int]) -> None:
        """The group has given these partitions, which are read from these offsets."""
        self._consumer, self._member, self._known = consumer, consumer.memberid(), dict(starts)
        self.lease.begin()

    def marked(self, offsets: Mapping[Position, int]) -> list[TopicPartition]:
        """Offsets to commit, with the instant of now."""
        self._known |= {at: offset for at, offset in offsets.items() if at in self._known}
        asked_ns = str(self._clock_ns())
        return [TopicPartition(*at, offset, metadata=asked_ns) for at, offset in offsets.items()]

    def renewal(self) -> dict[Position, int]:
        """What to commit a second time when there is nothing new; nothing as long as the lease is young."""
        if self.lease.lost or not self.lease.ages(self._clock_ns()):
            return {}
        return dict(list(self._known.items())[:1])

    def answered(self, error: Any, partitions: Iterable[Any]) -> None:
        """A commit was answered."""
        if error is not None:
            return
        for at in partitions:
            if at.error is None and at.metadata and at.metadata.isdecimal():
                self.lease.renew(int(at.metadata))

    def may_answer(self, now_ns: int) -> bool:
        """Whether the partitions are ours at this instant; where that is not known the coordinator is asked and waited
        for. Raises `BrokerError` when it does not answer."""
        return self.lease.holds(now_ns) or self._ask()

    def _ask(self) -> bool:
        with self._asking:  # the other thread may have asked meanwhile
            limit_ns = self._clock_ns() + round(ASKING_LIMIT_S * 1e9)
            while self._known and not self.lease.lost:
                asked_ns = self._clock_ns()
                if self.lease.holds(asked_ns):
                    return True
                if asked_ns > limit_ns:
                    raise BrokerError(f"the group's coordinator has not answered a commit within {ASKING_LIMIT_S:g} s")
                self._commit(asked_ns)
            return False

    def _commit(self, asked_ns: int) -> None:
        offsets = [TopicPartition(*at, offset) for at, offset in list(self._known.items())[:1]]
        try:
            if self._consumer.memberid() != self._member:
                self._lose("its session had ended")
                return
            found = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._consider(error.args[0])
            return
        refused = next((at.error for at in found if at.error is not None), None)
        if refused is not None:
            self._consider(refused)
        elif self._consumer.memberid() == self._member:
            self.lease.renew(asked_ns)

    def _consider(self, error: Any) -> None:
        if error.code() in _GONE or error.fatal() or error.code() == KafkaError._FATAL:
            self._lose(error.str())
        elif error.code() in _FOR_NOW or error.retriable():
            time.sleep(AGAIN_S)
        else:
            raise BrokerError(f"the group's coordinator refuses a commit: {error.str()}")

    def _lose(self, why: str) -> None:
        log.warning("this worker stood still, and its partitions went to another one: %s", why)
        self.lease.lose(self._clock_ns())
