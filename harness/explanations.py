"""Explanations follow their decisions on a topic of their own: matched, counted, and kept as explanations.parquet."""

import logging
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.accounts import Accounts
from harness.audit_trail.writer import AuditTrail
from harness.decision_rows import REASON, reasons_column
from harness.decision_wire.reader import PlainRows
from harness.ours import ours_of
from harness.spool import Stamped
from streams.codec import UNDECODABLE, decode_explanation
from streams.decision import OUTCOMES, PATHS, Decision, Explanation

logger = logging.getLogger("riskbench.harness.explanations")
Asked = Literal["flagged", "all", "none"]
EXPLANATIONS_FILE = "explanations.parquet"
ROWS_PER_GROUP = 8_192
DUE, EXPLAINED, FOLLOWED = 1, 2, 4
_WORD = pa.dictionary(pa.int32(), pa.string())

EXPLANATION_ROWS_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("measured", pa.bool_(), nullable=False),
        pa.field("reasons", pa.list_(REASON), nullable=False),
        pa.field("model_version", _WORD),
        pa.field("worker", _WORD),
        pa.field("decided_ns", pa.int64()),
        pa.field("emitted_ns", pa.int64()),
        pa.field("explain_ns", pa.int64()),
    ]
)


def flags_of(decisions: Sequence[Decision], asked: Asked) -> npt.NDArray[np.uint8]:
    """DUE for a decision that has to be explained, EXPLAINED for one that brings its explanation with it; else 0."""
    return np.fromiter((_flag(decision, asked) for decision in decisions), np.uint8, len(decisions))


def flags_of_rows(rows: PlainRows, asked: Asked) -> npt.NDArray[np.uint8]:
    """As `flags_of`, of decisions without reasons."""
    if asked == "none":
        return np.zeros(len(rows), np.uint8)
    due = rows.paths == PATHS.index("model")
    if asked == "flagged":
        due &= rows.outcomes != OUTCOMES.index("approve")
    return np.where(due, np.uint8(DUE), np.uint8(0))


def _flag(decision: Decision, asked: Asked) -> int:
    if decision.reasons and any(reason.kind == "feature" for reason in decision.reasons):
        return EXPLAINED
    due = asked == "all" or (asked == "flagged" and decision.outcome != "approve")
    return DUE if due and decision.path == "model" else 0


class Explanations:
    """Who was to be explained, and who was: one byte an event. An event is explained once, in its decision or after it;
    `asked` says which decisions of the model are to be: those it flagged, all, or none."""

    def __init__(
        self,
        accounts: Accounts,
        writer: pq.ParquetWriter,
        *,
        asked: Asked,
        measured_from: int,
        trail: AuditTrail | None = None,
    ) -> None:
        self._accounts, self._writer, self._asked, self._trail = accounts, writer, asked, trail
        self._measured_from = measured_from
        self._state = np.zeros(len(accounts.intended_ns), dtype=np.uint8)
        self._rows: list[tuple[Explanation, int]] = []
        self.duplicated = self.unknown = self.malformed = 0

    def expect(self, ordinals: npt.NDArray[np.int64], flags: npt.NDArray[np.uint8]) -> None:
        """Note which decisions have to be explained, and which bring their explanation with them (`flags_of`); all of
        them answer an event, each another."""
        self._state[ordinals] |= flags

    def take(self, received: Sequence[Stamped]) -> None:
        """Decode, match, count, and write a row group when enough rows have gathered."""
        stamped = ours_of(self._accounts.index, received)
        read = [self._decode(value) for _, value in stamped]
        found = [each for each in read if isinstance(each, Explanation)]
        ordinals = iter(self._accounts.ordinals_of([explanation.event_id for explanation in found]).tolist())
        for each, (received_ns, value) in zip(read, stamped, strict=True):
            if isinstance(each, Explanation):
                self._match(each, next(ordinals))
            elif self._trail is not None:
                self._trail.malformed("explanation", each, value, received_ns)
        if self._trail is not None:
            self._trail.flush()
        if len(self._rows) >= ROWS_PER_GROUP:
            self._write()

    def _match(self, explanation: Explanation, ordinal: int) -> None:
        kind = self._kind(ordinal)
        if self._trail is not None:
            self._trail.explanation(kind, explanation)
        if kind == "explanation":
            self._state[ordinal] |= EXPLAINED | FOLLOWED
            self._rows.append((explanation, ordinal))

    def _kind(self, ordinal: int) -> str:
        if ordinal < 0:
            self.unknown += 1
            return "explanation_unknown"
        if self._state[ordinal] & FOLLOWED:
            self.duplicated += 1
            return "explanation_duplicate"
        return "explanation"

    def _decode(self, value: bytes) -> Explanation | str:
        """The explanation, or why it is none."""
        try:
            return decode_explanation(value)
        except UNDECODABLE as error:
            self.malformed += 1
            if self.malformed == 1:
                logger.warning("malformed explanation: %s; its first bytes: %r", error, value[:200])
            return str(error)

    def _write(self) -> None:
        if not self._rows:
            return
        explanations = [explanation for explanation, _ in self._rows]
        ordinals = np.fromiter((ordinal for _, ordinal in self._rows), np.int64, len(self._rows))
        columns: dict[str, Any] = {
            name: [getattr(each, name) for each in explanations]
            for name in ("event_id", "model_version", "worker", "decided_ns", "emitted_ns", "explain_ns")
        }
        columns |= {"ordinal": ordinals, "measured": ordinals >= self._measured_from}
        plain = [pa.string() if pa.types.is_dictionary(field.type) else field.type for field in EXPLANATION_ROWS_SCHEMA]
        columns["reasons"] = reasons_column([each.reasons for each in explanations])
        arrays = [
            pa.array(columns[field.name], kind).cast(field.type)
            for field, kind in zip(EXPLANATION_ROWS_SCHEMA, plain, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=EXPLANATION_ROWS_SCHEMA))
        self._rows.clear()

    def finish(self) -> dict[str, int | None]:
        """Write the rest; returns the counts. `missing` is None where nothing was asked for."""
        self._write()
        explained = (self._state & EXPLAINED) > 0
        missing = ((self._state & DUE) > 0) & ~explained
        return {
            "explained": int(np.count_nonzero(explained)),
            "missing": None if self._asked == "none" else int(np.count_nonzero(missing)),
            "duplicated": self.duplicated,
            "unknown": self.unknown,
            "malformed": self.malformed,
        }
