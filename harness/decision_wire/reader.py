"""The way in: what has arrived becomes rows, and the rows' audit records."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.decision_rows import SAID_SCHEMA, STAGES, no_reasons, said_columns, service_ns
from harness.decision_wire.arrived import Arrived
from harness.decision_wire.blake2b import scratch, short_hashes
from harness.decision_wire.layout import (
    ABSENT,
    CODES,
    EMITTED_NS,
    ID_SPAN,
    MARGIN_SPAN,
    MODEL_SPAN,
    OUTCOME_CODE,
    PATH_CODE,
    RULES_SPAN,
    SCORE_SPAN,
    SPANS,
    STAGES_NS,
    TAKEN_NS,
    WHOLES,
    WORKER_SPAN,
    Int64s,
    UInt8s,
    UInt64s,
    read_only,
)
from harness.decision_wire.records import BODY_BYTES, Told, write_bodies
from harness.decision_wire.rows import Rows, read_rows
from harness.decision_wire.texts import Texts, bounds_of, gathered
from streams.decision import OUTCOMES, PATHS

_TEXTS = {"event_id": ID_SPAN, "rules_version": RULES_SPAN, "model_version": MODEL_SPAN, "worker": WORKER_SPAN}
_OUTCOMES, _PATHS = pa.array(OUTCOMES, pa.string()), pa.array(PATHS, pa.string())
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class PlainRows:
    """The n plain decisions of what has arrived, in its order. `is_plain` [messages] says which they are; `spans`,
    `whole` and `codes` are as in `rows.Rows`, `features` have no bytes where there are none (`has_features` [n])."""

    is_plain: npt.NDArray[np.bool_]
    received_ns: Int64s
    text: UInt8s
    spans: Int64s
    whole: Int64s
    codes: UInt8s
    features: Texts
    has_features: npt.NDArray[np.bool_]
    scores: Any
    margins: Any

    def __len__(self) -> int:
        return len(self.received_ns)

    @property
    def paths(self) -> UInt8s:
        """The path's place in PATHS, of each."""
        return np.asarray(self.codes[PATH_CODE])

    @property
    def outcomes(self) -> UInt8s:
        """The outcome's place in OUTCOMES, of each."""
        return np.asarray(self.codes[OUTCOME_CODE])

    def event_hashes(self) -> UInt64s:
        """As `feed.event_hashes`, of the events' ids."""
        found = np.empty(len(self), np.uint64)
        short_hashes(read_only(self.text), read_only(self.spans[ID_SPAN]), scratch(), found)
        return found

    def table(self) -> pa.Table:
        """A row each: `decision_rows.SAID_SCHEMA`."""
        if len(self) == 0:
            return SAID_SCHEMA.empty_table()
        columns: dict[str, Any] = {name: self._words(kind) for name, kind in _TEXTS.items()}
        columns["outcome"], columns["path"] = _OUTCOMES.take(pa.array(self.outcomes)), _PATHS.take(pa.array(self.paths))
        columns["score"], columns["margin"] = self.scores, self.margins
        taken_ns, emitted_ns = _whole(self.whole[TAKEN_NS]), _whole(self.whole[EMITTED_NS])
        columns |= {"taken_ns": taken_ns, "emitted_ns": emitted_ns, "service_ns": service_ns(taken_ns, emitted_ns)}
        columns |= {f"stage_{name}_ns": _whole(self.whole[STAGES_NS + kind]) for kind, name in enumerate(STAGES)}
        columns["features"] = _strings(self.features, self.has_features, pa.binary())
        columns["reasons"] = no_reasons(len(self))
        return said_columns(columns, len(self))

    def _words(self, kind: int) -> Any:
        spans = self.spans[kind]
        return _strings(gathered(self.text, spans), spans[:, 0] != ABSENT, pa.string())

    def bodies(self, ordinals: Int64s, sent: Texts, thresholds: bytes) -> Texts:
        """The bodies of their audit records (`audit_trail.bodies`): `ordinals` of their events, negative where the
        event is not known, of which `sent` are the messages; `thresholds` as JSON."""
        scores, margins = (_written(column) for column in (self.scores, self.margins))
        read = (
            *(self.text, self.spans, self.codes, self.features.content, self.features.bounds),
            *(self.has_features.view(np.uint8), (self.spans[MARGIN_SPAN, :, 0] != ABSENT).view(np.uint8)),
            *(scores, margins),
        )
        told = Told(*(read_only(each) for each in read))
        texts = self.spans[[*_TEXTS.values()]]
        size = int((texts[:, :, 1] - texts[:, :, 0]).sum()) + len(scores) + len(margins)
        out = np.empty(size + len(self) * (BODY_BYTES + len(thresholds)), np.uint8)
        bounds = np.empty(len(self) + 1, np.int64)
        given = (self.received_ns, ordinals, sent.content, sent.bounds, np.frombuffer(thresholds, np.uint8))
        received_ns, of_events, events, events_at, written = (read_only(each) for each in given)
        write_bodies(told, received_ns, of_events, events, events_at, written, scratch(), out, bounds)
        return Texts(out, bounds)


def read_plain(arrived: Arrived) -> PlainRows:
    """The plain decisions among these messages."""
    count = len(arrived)
    rows = Rows(
        spans=np.empty((SPANS, count, 2), np.int64),
        whole=np.empty((WHOLES, count), np.int64),
        codes=np.empty((CODES, count), np.uint8),
        plain=np.empty(count, np.uint8),
        features=np.empty(len(arrived.text), np.uint8),
        feature_bytes=np.empty(count, np.int64),
    )
    return _chosen(
        arrived, rows, read_rows(read_only(arrived.text), read_only(arrived.starts), read_only(arrived.ends), rows)
    )


def read_none(arrived: Arrived) -> PlainRows:
    """As `read_plain`, where none is looked for."""
    nothing = np.zeros(len(arrived), np.uint8)
    rows = Rows(
        spans=np.zeros((SPANS, len(arrived), 2), np.int64), whole=np.zeros((WHOLES, len(arrived)), np.int64),
        codes=np.zeros((CODES, len(arrived)), np.uint8), plain=nothing, features=nothing[:0],
        feature_bytes=np.zeros(len(arrived), np.int64),
    )  # fmt: skip
    return _chosen(arrived, rows, 0)


def _chosen(arrived: Arrived, rows: Rows, plain: int) -> PlainRows:
    received_ns = arrived.received_ns
    spans, whole, codes, feature_bytes = rows.spans, rows.whole, rows.codes, rows.feature_bytes
    is_plain = rows.plain.view(np.bool_)
    if plain < len(arrived):
        received_ns, feature_bytes = received_ns[is_plain], feature_bytes[is_plain]
        spans, whole = np.compress(is_plain, spans, axis=1), np.compress(is_plain, whole, axis=1)
        codes = np.compress(is_plain, codes, axis=1)
    has_features = feature_bytes != ABSENT
    bounds = bounds_of(np.maximum(feature_bytes, 0))
    # copied: what is held of a block is to be no larger than it
    features = Texts(rows.features[: bounds[-1]].copy(), bounds)
    scores, margins = (_numbers(arrived.text, spans[kind]) for kind in (SCORE_SPAN, MARGIN_SPAN))
    return PlainRows(is_plain, received_ns, arrived.text, spans, whole, codes, features, has_features, scores, margins)


def _bits(given: npt.NDArray[np.bool_]) -> Any:
    """Which values of an Arrow array are given; None: all."""
    return None if given.all() else pa.py_buffer(np.packbits(given, bitorder="little"))


def _strings(texts: Texts, given: npt.NDArray[np.bool_], kind: pa.DataType) -> Any:
    buffers = [_bits(given), pa.py_buffer(texts.bounds.astype(np.int32)), pa.py_buffer(texts.content)]
    return pa.Array.from_buffers(kind, len(texts), buffers)


def _whole(values: Int64s) -> Any:
    return pa.Array.from_buffers(pa.int64(), len(values), [_bits(values != ABSENT), pa.py_buffer(values)])


def _numbers(text: UInt8s, spans: Int64s) -> Any:
    """The numbers as floats, correctly rounded, as the decoder reads them."""
    return _strings(gathered(text, spans), spans[:, 0] != ABSENT, pa.string()).cast(pa.float64())


def _written(numbers: Any) -> UInt8s:
    """The numbers as JSON writes them, in a list; what stands where there is none does not count."""
    values = np.frombuffer(numbers.buffers()[1] or b"", np.float64)[numbers.offset : numbers.offset + len(numbers)]
    return np.frombuffer(_encode(values.tolist()), np.uint8)
