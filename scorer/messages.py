"""From what was taken off a topic to events, and to dead letters for what is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streams.codec import Malformed, decode_transactions
from streams.decision import DeadLetter
from streams.transaction import CardTransaction

Origin = tuple[str, int, int]
"""Topic, partition and offset of a message."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A micro-batch as taken: the events in order, the place of each among the messages, and a letter for each message
    that is no event."""

    events: list[CardTransaction]
    places: list[int]
    dead_letters: list[DeadLetter]


def read(values: Sequence[bytes], origin: Callable[[int], Origin]) -> Taken:
    """Decode messages; `origin` tells where the message at an index came from. Never raises for their content."""
    events, places, malformed = decode_transactions(values)
    return Taken(
        events, places, [_letter(problem, values[problem.index], origin(problem.index)) for problem in malformed]
    )


def _letter(problem: Malformed, original: bytes, origin: Origin) -> DeadLetter:
    topic, partition, offset = origin
    return DeadLetter(reason=problem.reason, topic=topic, partition=partition, offset=offset, original=original)
