"""Of a decision's record everything but its place in the trail: what it says is made wherever the decision is read, the
place is given where all of them come together."""

from collections.abc import Callable
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt

from harness.audit_trail.records import DecisionRecord, Thresholds, content_hash
from harness.decision_wire.reader import PlainRows
from harness.decision_wire.texts import Texts
from harness.pages import Pages
from streams.decision import Decision

_HEAD = b'{"kind":"decision","seq":0,'
"""What a record without `late` begins with, whatever it says: the rest is its body."""
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(DecisionRecord)


class Bodies:
    """Makes bodies. `event_bytes` gives an event's message as it was sent, by ordinal; `sent` are all of them, for
    whoever has more to ask than one."""

    def __init__(
        self, thresholds: Thresholds | None, event_bytes: Callable[[int], bytes], sent: Texts | None = None
    ) -> None:
        self._thresholds, self._event_bytes, self._sent = thresholds, event_bytes, sent

    @classmethod
    def of_pages(cls, thresholds: Thresholds | None, sent: Pages) -> Self:
        """Where the events' messages are those of a feed."""
        return cls(thresholds, sent.__getitem__, Texts(*sent.mapped))

    def of_rows(self, rows: PlainRows, ordinals: npt.NDArray[np.int64]) -> Texts:
        """The bodies of received decisions, as `of`."""
        if self._sent is None:
            raise ValueError("all events' messages are needed, and only one by one they are given")
        return rows.bodies(ordinals, self._sent, _ENCODER.encode(self._thresholds))

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
