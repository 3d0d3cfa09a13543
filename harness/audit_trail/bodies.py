"""Of a decision's record everything but its place in the trail: what it says is made wherever the decision is read, the
place is given where all of them come together."""

from collections.abc import Callable

import msgspec

from harness.audit_trail.records import DecisionRecord, Thresholds, content_hash
from streams.decision import Decision

_HEAD = b'{"kind":"decision","seq":0,'
"""What a record without `late` begins with, whatever it says: the rest is its body."""
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(DecisionRecord)


class Bodies:
    """Makes bodies. `event_bytes` gives an event's message as it was sent, by ordinal."""

    def __init__(self, thresholds: Thresholds | None, event_bytes: Callable[[int], bytes]) -> None:
        self._thresholds, self._event_bytes = thresholds, event_bytes

    def of(self, decision: Decision, received_ns: int, ordinal: int) -> bytes:
        """The body of a received decision; `ordinal` is negative when the event is not known."""
        record = DecisionRecord(
            seq=0,
            event_id=decision.event_id,
            input=content_hash(self._event_bytes(ordinal)) if ordinal >= 0 else None,
            features=None if decision.features is None else content_hash(decision.features),
            outcome=decision.outcome,
            score=decision.score,
            margin=decision.margin,
            thresholds=self._thresholds,
            path=decision.path,
            reasons=decision.reasons,
            rules_version=decision.rules_version,
            model_version=decision.model_version,
            worker=decision.worker,
            received_ns=received_ns,
            customers=decision.customers or msgspec.UNSET,
        )
        return _ENCODER.encode(record)[len(_HEAD) :]


def placed(kind: str, body: bytes, seq: int, *, late: bool) -> bytes:
    """The JSON object of the record: `kind` is decision, duplicate or unknown. Only of a decision that counts it is
    said whether it was late; an answer to an event that was decided has no `input`."""
    if kind == "decision":
        return b'{"kind":"decision","late":%b,"seq":%d,%b' % (b"true" if late else b"false", seq, body)
    return b'{"kind":"%b","seq":%d,%b' % (kind.encode(), seq, body if kind == "unknown" else _without_input(body))


def _without_input(body: bytes) -> bytes:
    record = _DECODER.decode(_HEAD + body)
    record.input = None
    return _ENCODER.encode(record)[len(_HEAD) :]
