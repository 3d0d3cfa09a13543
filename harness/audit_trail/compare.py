"""Holds a trail against the run's other files: every decided row and every explanation has its record with the same
contents, every record's event is the event that was sent, and what decided is what the run began with."""

import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.audit_trail.chain import Content, Line, read_content
from harness.audit_trail.findings import Finding, Findings
from harness.audit_trail.records import content_hash, file_hash
from harness.case import CASE
from harness.decision_rows import REASON
from harness.explanations import EXPLANATIONS_FILE
from harness.feed import event_hashes
from streams.codec import encode_events

ROWS = 16_384
_GIVEN = ("outcome", "score", "margin", "path", "rules_version", "model_version")
_REASON = tuple(REASON.names)


def _reasons(found: Any) -> str | None:
    """Reasons as one text, the same from a record and from a row."""
    if not isinstance(found, list):
        return None
    told = [[each.get(name) for name in _REASON] if isinstance(each, Mapping) else each for each in found]
    return json.dumps(told, ensure_ascii=False)


def _decision_of_record(content: Content) -> tuple[Any, ...]:
    status = "lost" if content.kind == "lost" else "late" if content.late else "decided"
    given = (getattr(content, name) for name in _GIVEN)
    return status, *given, content.features, _reasons(content.reasons)


def _decision_of_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    features = None if row["features"] is None else content_hash(row["features"])
    return row["status"], *(row[name] for name in _GIVEN), features, _reasons(row["reasons"])


def _explanation_of_record(content: Content) -> tuple[Any, ...]:
    return content.model_version, _reasons(content.reasons)


def _explanation_of_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["model_version"], _reasons(row["reasons"])


@dataclass(frozen=True, slots=True)
class Told:
    """A file of the run that says what records of these `kinds` say too: the `columns` of both, as `of_record` and
    `of_row` give them. `finding` is the kind of a finding there."""

    file: str
    finding: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    of_record: Callable[[Content], tuple[Any, ...]]
    of_row: Callable[[Mapping[str, Any]], tuple[Any, ...]]


DECISIONS = Told(
    "decisions.parquet", "decisions", ("decision", "lost"), ("status", *_GIVEN, "features", "reasons"),
    _decision_of_record, _decision_of_row,
)  # fmt: skip
EXPLANATIONS = Told(
    EXPLANATIONS_FILE, "explanations", ("explanation",), ("model_version", "reasons"),
    _explanation_of_record, _explanation_of_row,
)  # fmt: skip


def _value(decided: tuple[Any, ...]) -> int:
    """64 bits of it, good within this process. By its text: numbers have hashes that are easily met."""
    return hash(repr(decided))


@dataclass(slots=True)
class Kept:
    """Of every record that a file tells too: the event's hash, what is said and the event's bytes (64 bits each), and
    the line. 32 bytes a record."""

    told: Told
    event: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    said: "array[int]" = field(default_factory=lambda: array("q"))
    sent: "array[int]" = field(default_factory=lambda: array("q"))
    line: "array[int]" = field(default_factory=lambda: array("q"))
    _ids: list[str] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Take a line; an altered one too, as far as it can be read: it shows what was altered."""
        content = line.content
        if content is None or content.kind not in self.told.kinds or content.event_id is None:
            return
        self._ids.append(content.event_id)
        self.said.append(_value(self.told.of_record(content)))
        self.sent.append(hash(content.input))
        self.line.append(line.number)
        if len(self._ids) >= ROWS:
            self._close()

    def _close(self) -> None:
        self.event.append(event_hashes(self._ids))
        self._ids.clear()

    def events(self) -> npt.NDArray[np.uint64]:
        """The events' hashes."""
        self._close()
        return np.concatenate(self.event)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A Parquet file's rows: the event's hash and a value (64 bits each), in the file's order."""

    event: npt.NDArray[np.uint64]
    value: npt.NDArray[np.int64]


def _batches(file: Path, columns: tuple[str, ...] | None) -> Iterator[Any]:
    with pq.ParquetFile(file) as parquet:
        yield from parquet.iter_batches(ROWS, columns=None if columns is None else list(columns))


def _told_rows(file: Path, told: Told) -> _Rows:
    events, values = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for batch in _batches(file, ("event_id", *told.columns)):
        rows = batch.to_pylist()
        events.append(event_hashes([row["event_id"] for row in rows]))
        values.append(np.fromiter((_value(told.of_row(row)) for row in rows), np.int64, len(rows)))
    return _Rows(np.concatenate(events), np.concatenate(values))


def _sent_rows(file: Path) -> _Rows:
    events, values = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for batch in _batches(file, None):
        messages = encode_events(pa.Table.from_batches([batch]))
        events.append(event_hashes(batch.column("event_id").to_pylist()))
        values.append(np.fromiter((hash(content_hash(message)) for message in messages), np.int64, len(messages)))
    return _Rows(np.concatenate(events), np.concatenate(values))


def _differing(
    kept: npt.NDArray[np.uint64], values: npt.NDArray[np.int64], rows: _Rows
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[tuple[int, int]]]:
    """Rows without a record, records without a row (indices), and (record, row) where the two say different things."""
    order = np.argsort(kept, kind="stable")
    at = np.minimum(np.searchsorted(kept[order], rows.event), max(len(order) - 1, 0))
    record = order[at] if len(order) else np.zeros(len(rows.event), np.int64)
    known = kept[record] == rows.event if len(order) else np.zeros(len(rows.event), bool)
    unlike = np.flatnonzero(known & (values[record] != rows.value)) if len(order) else np.zeros(0, np.int64)
    without_row = np.flatnonzero(~np.isin(kept, rows.event))
    return np.flatnonzero(~known), without_row, [(int(record[row]), int(row)) for row in unlike.tolist()]


def compare_told(trail: Path, kept: Kept, file: Path, findings: Findings) -> None:
    """Add every difference between the trail's records and the file that tells the same."""
    told = kept.told
    events, lines = kept.events(), np.frombuffer(kept.line, dtype=np.int64)
    rows = _told_rows(file, told)
    no_record, no_row, unlike = _differing(events, np.frombuffer(kept.said, dtype=np.int64), rows)
    room = findings.limit
    shown = _rows_at(file, told, {row for _, row in unlike[:room]} | set(no_record[:room].tolist()))
    records = read_content(trail, {int(lines[one]) for one in [r for r, _ in unlike[:room]] + no_row[:room].tolist()})
    for record, row in unlike:
        line = int(lines[record])
        content, there = records.get(line), shown.get(row)
        if content is None or there is None:
            findings.total += 1
            continue
        said = _difference(told, content, there)
        text = f"line {line}: {told.file} says otherwise of {content.event_id}: {said}"
        findings.add(Finding(told.finding, text, line, content.seq, content.event_id))
    for row in no_record.tolist():
        event_id = shown[row]["event_id"] if row in shown else None
        findings.add(Finding(told.finding, f"{event_id} of {told.file} has no record", event_id=event_id))
    for record in no_row.tolist():
        line = int(lines[record])
        found = records.get(line)
        event_id, seq = (found.event_id, found.seq) if found else (None, None)
        findings.add(Finding(told.finding, f"line {line}: {event_id} is not in {told.file}", line, seq, event_id))


def _difference(told: Told, content: Content, row: Mapping[str, Any]) -> str:
    parts = [
        f"{name} {_short(there)} there, {_short(here)} in the record"
        for name, here, there in zip(told.columns, told.of_record(content), told.of_row(row), strict=True)
        if here != there
    ]
    return "; ".join(parts) or "it holds another decision"


def _short(value: Any) -> str:
    return f"{value[:12]}…" if isinstance(value, str) and len(value) > 40 else str(value)


def _rows_at(file: Path, told: Told, wanted: set[int]) -> dict[int, dict[str, Any]]:
    """Rows by their index in the file."""
    found: dict[int, dict[str, Any]] = {}
    start = 0
    for batch in _batches(file, ("event_id", *told.columns)) if wanted else ():
        for row in sorted(row for row in wanted if start <= row < start + len(batch)):
            found[row] = batch.slice(row - start, 1).to_pylist()[0]
        start += len(batch)
    return found


def compare_events(trail: Path, kept: Kept, file: Path, findings: Findings) -> None:
    """Add every event of events.parquet that is not, byte for byte, the one that was sent."""
    events, lines = kept.events(), np.frombuffer(kept.line, dtype=np.int64)
    _, _, unlike = _differing(events, np.frombuffer(kept.sent, dtype=np.int64), _sent_rows(file))
    contents = read_content(trail, {int(lines[record]) for record, _ in unlike[: findings.limit]})
    for record, _ in unlike:
        line = int(lines[record])
        content = contents.get(line)
        event_id, seq = (content.event_id, content.seq) if content else (None, None)
        text = f"line {line}: {event_id} in events.parquet is not the event that was sent"
        findings.add(Finding("events", text, line, seq, event_id))


class _Opened(msgspec.Struct):
    opening: dict[str, Any]


def compare_files(trail: Path, run: Path, findings: Findings) -> None:
    """Add every file that decided and is not what the first record says it was."""
    with trail.open("rb") as file:
        try:
            opening = msgspec.json.decode(file.readline(), type=_Opened).opening
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # said of the line itself
    rules = f"{CASE}/rules" if (run / CASE / "rules").is_dir() else f"{CASE}/rules.yaml"
    for name, place in (("scenario", "scenario.yaml"), ("bundle", f"{CASE}/bundle/bundle.json"), ("rules", rules)):
        if opening.get(name) is not None:
            _compare_file(run / place, str(opening[name]), place, findings)
    for name, digest in dict(opening.get("case") or {}).items():
        _compare_file(run / CASE / name, str(digest), f"{CASE}/{name}", findings)
    if opening.get("bundle") is not None:
        _compare_model(run / CASE / "bundle", findings)


def _compare_model(bundle: Path, findings: Findings) -> None:
    """The model's files against bundle.json, which holds their hashes."""
    try:
        files = json.loads((bundle / "bundle.json").read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # said of bundle.json itself
    for name, digest in dict(files).items():
        _compare_file(bundle / name, str(digest), f"{CASE}/bundle/{name}", findings)


def _compare_file(path: Path, digest: str, name: str, findings: Findings) -> None:
    if not path.exists():
        findings.add(Finding("files", f"{name} is missing"))
    elif file_hash(path) != digest:
        findings.add(Finding("files", f"{name} is not the file the run decided with"))
