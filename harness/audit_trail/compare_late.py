"""Holds a trail against the workers' files of late scores: every line has its record, with the same contents."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.audit_trail.chain import Content, Line
from harness.audit_trail.findings import Finding, Findings
from harness.audit_trail.records import content_hash
from harness.late_scores import LOGS, late_scores_files, lines_of
from streams.codec import UNDECODABLE, decode_late_score

KIND = "late-scores"
_SAID = ("event_id", "margin", "score", "outcome", "error", "model_version")


@dataclass(frozen=True, slots=True)
class _Record:
    number: int
    content: Content


@dataclass(slots=True)
class KeptLate:
    """The records of late scores, by the file they were made of; they are few."""

    by_file: defaultdict[str, list[_Record]] = field(default_factory=lambda: defaultdict(list))

    def add(self, line: Line) -> None:
        """Take a line; an altered one too, as far as it can be read."""
        content = line.content
        if content is not None and content.kind == "late_score" and content.file is not None:
            self.by_file[content.file].append(_Record(line.number, content))


def compare_late_scores(kept: KeptLate, run: Path, findings: Findings) -> list[str]:
    """Add every difference between the records and the files; returns the files' names."""
    files = {path.name: path for path in late_scores_files(run / LOGS)}
    for name in sorted({*files, *kept.by_file}):
        records = kept.by_file[name]
        if name not in files:
            text = f"{LOGS}/{name} is missing: {len(records)} records are of its lines"
            findings.add(Finding("files", text))
            continue
        for finding in _differences(records, list(lines_of(files[name])), f"{LOGS}/{name}"):
            findings.add(finding)
    return [f"{LOGS}/{name}" for name in sorted(files)]


def _differences(records: list[_Record], lines: list[bytes], name: str) -> Iterator[Finding]:
    hashes = [content_hash(line) for line in lines]
    recorded = [record.content.content or "" for record in records]
    for record, line in _pairs(records, dict(zip(hashes, lines, strict=True))):
        if said := _contradiction(record.content, line):
            yield _of(record, f"{name} says otherwise of {record.content.event_id}: {said}")
    gone, new = Counter(recorded) - Counter(hashes), Counter(hashes) - Counter(recorded)
    for record in records:
        if gone[record.content.content or ""]:
            gone[record.content.content or ""] -= 1
            yield _of(record, f"{record.content.event_id} is not in {name} as it was")
    for at, digest in enumerate(hashes, start=1):
        if new[digest]:
            new[digest] -= 1
            yield Finding(KIND, f"line {at} of {name} has no record")
    if hashes != recorded and Counter(hashes) == Counter(recorded):
        yield Finding(KIND, f"the lines of {name} are in another order than they were")


def _pairs(records: list[_Record], lines: dict[str, bytes]) -> Iterator[tuple[_Record, bytes]]:
    for record in records:
        line = lines.get(record.content.content or "")
        if line is not None:
            yield record, line


def _contradiction(content: Content, line: bytes) -> str:
    """What a record says and the line it was made of does not."""
    try:
        found = decode_late_score(line)
    except UNDECODABLE:
        return "" if content.event_id is None else "it is no late score"
    parts = [
        f"{key} {getattr(found, key)} there, {getattr(content, key)} in the record"
        for key in _SAID
        if getattr(found, key) != getattr(content, key)
    ]
    return "; ".join(parts)


def _of(record: _Record, text: str) -> Finding:
    return Finding(KIND, f"line {record.number}: {text}", record.number, record.content.seq, record.content.event_id)
