"""Reads the answers' topics back after a restart or rebalance."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from scorer.checkpoint.answered import Answered
from scorer.checkpoint.epochs import Position
from scorer.kafka_links import KafkaLinks

log = logging.getLogger("riskbench.scorer")


class ReadBack:
    """Reads the answers' topics."""

    def __init__(self, links: KafkaLinks, *, explanations: bool) -> None:
        self._links = links
        topics = links.topics
        self._topics = [topics.decisions, topics.dead_letter, *([topics.explanations] if explanations else [])]
        if topics.domain == "aml":
            self._topics.append(topics.alerts)

    def event_edges(self) -> dict[int, tuple[int, int]]:
        """Of each partition of the events: the oldest offset kept, and the next one."""
        return self._links.edges(self._links.topics.events)

    def into(self, answered: Answered, begins: Mapping[Position, int]) -> None:
        """Read all answers there are from these places on; where none is named, from the beginning.

        Raises `BrokerError` when the broker does not answer.
        """
        topics = self._links.topics
        take: dict[str, Callable[[bytes], None]] = {
            topics.decisions: answered.add_decision,
            topics.explanations: answered.add_explanation,
            topics.dead_letter: answered.add_letter,
            topics.alerts: answered.add_alert,
        }
        for message in self._links.from_places(self._topics, begins):
            _take(take[message.topic()], message)


def _take(add: Callable[[bytes], None], message: Any) -> None:
    try:
        add(message.value() or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        place = f"{message.topic()}[{message.partition()}]@{message.offset()}"
        log.warning("%s is no answer of ours and is left out: %s", place, error)
