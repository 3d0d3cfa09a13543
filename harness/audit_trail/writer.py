"""Writes a run's audit trail while the decisions arrive. Only ever appends."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from harness.audit_trail.bodies import Bodies, placed
from harness.audit_trail.records import (
    FIRST,
    FORMAT,
    HEAD_BYTES,
    CloseRecord,
    Explained,
    ExplanationDuplicateRecord,
    ExplanationRecord,
    ExplanationUnknownRecord,
    GateRecord,
    LateScoreRecord,
    LostRecord,
    MalformedRecord,
    Opening,
    OpenRecord,
    Record,
    Thresholds,
    chained,
    content_hash,
)
from harness.decision_wire.records import chained_lines
from harness.decision_wire.texts import Texts
from streams.codec import UNDECODABLE, decode_late_score
from streams.decision import Decision, Explanation

SYNC_EVERY_NS = 1_000_000_000
EXPLANATIONS: dict[str, type[Explained]] = {
    "explanation": ExplanationRecord,
    "explanation_duplicate": ExplanationDuplicateRecord,
    "explanation_unknown": ExplanationUnknownRecord,
}


class AuditTrail:
    """An open trail. Lines are handed to the system by `flush`, once a micro-batch, and forced to disk by `sync`.

    `event_bytes` gives an event's message as it was sent, by ordinal. Not for several threads.
    """

    def __init__(
        self, path: Path, opening: Opening, thresholds: Thresholds | None, event_bytes: Callable[[int], bytes]
    ) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._event_bytes = event_bytes
        self._bodies = Bodies(thresholds, event_bytes)
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._sync_due_ns = 0
        self.records = 0
        self.head = FIRST
        self._append(OpenRecord(seq=0, format=FORMAT, opening=opening, thresholds=thresholds))
        self.flush()

    def _append(self, record: Record | Explained) -> None:
        self._chain(self._encode(record))

    def _chain(self, content: bytes) -> None:
        line, self.head = chained(content, self.head)
        self._lines.append(line)
        self.records += 1

    def decision(self, kind: str, decision: Decision, received_ns: int, ordinal: int, *, late: bool = False) -> None:
        """Append a received decision; `kind` is decision, duplicate or unknown; `ordinal` is negative when the event is
        not known."""
        self.answer(kind, self._bodies.of(decision, received_ns, ordinal), late=late)

    def answer(self, kind: str, body: bytes, *, late: bool) -> None:
        """Append a received decision by its body (`audit_trail.bodies`)."""
        self._chain(placed(kind, body, self.records, late=late))

    def decisions(self, bodies: Texts, late: npt.NDArray[np.bool_]) -> None:
        """Append received decisions that count, each by its body."""
        lines, self.head = chained_lines(bodies, late, self.records, self.head)
        self._lines.append(lines)
        self.records += len(bodies)

    def malformed(self, of: str, error: str, content: bytes, received_ns: int) -> None:
        """Append a message that could not be read; `of` is decision or explanation."""
        record = MalformedRecord(
            seq=self.records,
            of=of,
            error=error,
            size_bytes=len(content),
            content=content_hash(content),
            begins=content[:HEAD_BYTES].decode("utf-8", "backslashreplace"),
            received_ns=received_ns,
        )
        self._append(record)

    def lost(self, events: Iterable[tuple[str, int, int]]) -> None:
        """Append the events that were sent and never decided: (event id, ordinal, sent_ns)."""
        for event_id, ordinal, sent_ns in events:
            sent = content_hash(self._event_bytes(ordinal))
            self._append(LostRecord(seq=self.records, event_id=event_id, input=sent, sent_ns=sent_ns))

    def explanation(self, kind: str, explanation: Explanation) -> None:
        """Append an explanation; `kind` is explanation, explanation_duplicate or explanation_unknown."""
        record = EXPLANATIONS[kind](
            seq=self.records,
            event_id=explanation.event_id,
            reasons=explanation.reasons,
            model_version=explanation.model_version,
            worker=explanation.worker,
            explain_ns=explanation.explain_ns,
        )
        self._append(record)

    def late_score(self, file: str, line: bytes, ordinal_of: Callable[[str], int]) -> None:
        """Append a line of a worker's `file` of late scores; `ordinal_of` gives an event's ordinal, negative where the
        event is not known."""
        content = content_hash(line)
        try:
            found = decode_late_score(line)
        except UNDECODABLE as error:
            self._append(LateScoreRecord(seq=self.records, file=file, content=content, error=f"unreadable: {error}"))
            return
        ordinal = ordinal_of(found.event_id)
        record = LateScoreRecord(
            seq=self.records,
            file=file,
            content=content,
            input=content_hash(self._event_bytes(ordinal)) if ordinal >= 0 else None,
            **{name: getattr(found, name) for name in found.__struct_fields__},
        )
        self._append(record)

    def gate(self, attempt: int, candidate: str | None, said: Mapping[str, Any]) -> None:
        """Append what a gate said (`gate`, `passed`, `event_time_ns`, `why`, `evidence`) of a candidate on trial."""
        self._append(GateRecord(seq=self.records, attempt=attempt, candidate=candidate, **said))

    def flush(self) -> None:
        """Hand what was appended to the system: from here on it outlives this process."""
        block = memoryview(b"".join(self._lines))
        self._lines.clear()
        while block:
            block = block[os.write(self._file, block) :]

    def sync(self, now_ns: int) -> None:
        """Flush, and about once a second force it to disk: from then on it outlives the machine's power."""
        self.flush()
        if now_ns >= self._sync_due_ns:
            os.fsync(self._file)
            self._sync_due_ns = now_ns + SYNC_EVERY_NS

    def close(self, counts: dict[str, Any]) -> dict[str, Any]:
        """Append the close record, force everything to disk; returns what results.json says of the trail."""
        self._append(CloseRecord(seq=self.records, counts=counts))
        self.flush()
        os.fsync(self._file)
        os.close(self._file)
        return {"records": self.records, "head": self.head, "closed": True}
