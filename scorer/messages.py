"""From what was taken off a topic to events, and to dead letters for what is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scorer.event_clock import EventClock
from streams.codec import Malformed, decode_transactions
from streams.decision import DeadLetter
from streams.transaction import CardTransaction

ORIGINAL_BYTES_MAX = 524_288
"""What a dead letter holds of a message at most: in base64 it still fits the megabyte that brokers take."""
KEY_BYTES_MAX = 4_096


class Origin(NamedTuple):
    """Where a message came from, and its record key."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A micro-batch as taken: the events in order, the place of each among the messages, and a letter for each message
    that is no event."""

    events: list[CardTransaction]
    places: list[int]
    dead_letters: list[DeadLetter]


def acceptable(
    values: Sequence[bytes], clock: EventClock | None = None
) -> tuple[list[CardTransaction], list[int], list[Malformed]]:
    """As `decode_transactions`, less the events whose time `clock` does not believe."""
    events, places, malformed = decode_transactions(values)
    doubts = {} if clock is None else clock.doubts(events)
    if not doubts:
        return events, places, malformed
    refused = malformed + [Malformed(places[index], doubt) for index, doubt in doubts.items()]
    kept = [index for index in range(len(events)) if index not in doubts]
    refused.sort(key=lambda each: each.index)
    return [events[index] for index in kept], [places[index] for index in kept], refused


def read(values: Sequence[bytes], origin: Callable[[int], Origin], clock: EventClock | None = None) -> Taken:
    """Decode messages; `origin` tells where the message at an index came from. Never raises for their content."""
    events, places, refused = acceptable(values, clock)
    return Taken(events, places, [letter(each.reason, values[each.index], origin(each.index)) for each in refused])


def letter(reason: str, original: bytes, origin: Origin) -> DeadLetter:
    """The dead letter of a message; of one too long for a letter only what it begins with."""
    whole = len(original) <= ORIGINAL_BYTES_MAX
    key = origin.key
    return DeadLetter(
        reason=reason,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        original=original if whole else original[:ORIGINAL_BYTES_MAX],
        key=key if key is not None and len(key) <= KEY_BYTES_MAX else None,
        original_bytes=None if whole else len(original),
    )
