"""Of a stream that several hosts share: which messages are this host's to account for, by their event."""

from collections.abc import Sequence

import msgspec

from harness.accounts import ELSEWHERE, EventIndex
from harness.spool import Stamped
from streams.codec import UNDECODABLE


class _Named(msgspec.Struct, gc=False):
    """As much of a message as says whose it is."""

    event_id: str


_NAMED = msgspec.json.Decoder(_Named)


def ours_of(index: EventIndex, stamped: Sequence[Stamped]) -> Sequence[Stamped]:
    """Without what other hosts account for: all of them, where nobody shares the stream. What does not say of which
    event it speaks, and events nobody sent, are accounted for by one host (`Others.strays`)."""
    if index.others is None:
        return stamped
    named = [_event_id(value) for _, value in stamped]
    elsewhere = iter((index.of([each for each in named if each is not None]) == ELSEWHERE).tolist())
    return [
        each
        for each, event_id in zip(stamped, named, strict=True)
        if (index.strays if event_id is None else not next(elsewhere))
    ]


def _event_id(value: bytes) -> str | None:
    try:
        return _NAMED.decode(value).event_id
    except UNDECODABLE:
        return None
