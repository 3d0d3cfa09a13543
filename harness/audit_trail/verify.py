"""Is a run's audit trail whole, and do the run's other files say the same? Everything that is not so is named."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from harness.audit_trail.chain import Chain, Content, Line, read_content, read_lines
from harness.audit_trail.compare import DECISIONS, EXPLANATIONS, Kept, compare_events, compare_files, compare_told
from harness.audit_trail.compare_gates import KeptGates, compare_gates
from harness.audit_trail.compare_late import KeptLate, compare_late_scores
from harness.audit_trail.findings import Finding, Findings
from harness.audit_trail.order import diagnose
from harness.audit_trail.records import AUDIT_FILE, FIRST
from harness.results import AuditResults
from harness.runfolder import MARKER
from streams.errors import BadInputError

LIMIT = 50


@dataclass(frozen=True, slots=True)
class Verified:
    """`head` is the last line's hash. `findings` are the first ones, `total` is how many there are; `compared` names
    the files the trail was held against."""

    run: str
    records: int
    head: str
    closed: bool
    compared: list[str]
    findings: list[Finding]
    total: int

    @property
    def whole(self) -> bool:
        """Nothing was found."""
        return self.total == 0


@dataclass(frozen=True, slots=True)
class Walked:
    """A trail from its first line to its last. `closed_at` is the line that closes it."""

    chain: Chain
    kept: Kept
    explained: Kept
    late: KeptLate
    gates: KeptGates
    closed_at: int | None

    @property
    def closed(self) -> bool:
        """The last line closes it."""
        return self.closed_at is not None and self.closed_at == len(self.chain)


def walk(lines: Iterable[Line], said: AuditResults | None, findings: Findings) -> Walked:
    """Read a trail, and add what is wrong with its chain; `said` is what results.json says of it."""
    kept, explained, late = Kept(DECISIONS), Kept(EXPLANATIONS), KeptLate()
    gates = KeptGates()
    chain, closed_at = Chain(), None
    for line in lines:
        chain.add(line, FIRST)
        kept.add(line)
        explained.add(line)
        late.add(line)
        gates.add(line)
        if closed_at is None and line.intact and line.content is not None and line.content.kind == "close":
            closed_at = line.number
    walked = Walked(chain, kept, explained, late, gates, closed_at)
    records = said.records if said else chain.seq[closed_at - 1] + 1 if closed_at else None
    if not chain.links:
        diagnose(chain, findings, records, said.head if said else None)
    _check_end(walked, said, findings)
    return walked


def verify(run: Path, limit: int = LIMIT, head: str | None = None) -> Verified:
    """Walk the trail of a run folder and hold it against the run's other files.

    `head` is the head's hash as somebody noted it outside the run folder: without that, whoever can write the folder
    could make a whole new trail. Raises BadInputError when `run` holds no audit trail.
    """
    trail, findings = run / AUDIT_FILE, Findings(limit)
    if not trail.is_file():
        raise BadInputError(f"{run}: {_what_is_missing(run)}")
    said = _said(run)
    with trail.open("rb") as file:
        walked = walk(read_lines(file), said, findings)
    _name_events(trail, findings)
    marker = run / MARKER
    if marker.is_file():
        reason = marker.read_text(encoding="utf-8").strip()
        findings.add(Finding("truncated", f"the run came to no end, and so did its trail: {reason}"))
    elif said is None:
        findings.add(Finding("head", "results.json says nothing of the trail: it cannot be held against it"))
    if head is not None and head != walked.chain.head:
        findings.add(Finding("head", f"the head is {walked.chain.head}, not the {head} that was noted"))
    compared = _compare(run, trail, walked, findings)
    chain = walked.chain
    return Verified(str(run), len(chain), chain.head, walked.closed, compared, findings.found, findings.total)


def _what_is_missing(run: Path) -> str:
    if not run.is_dir():
        return "no such folder"
    if (run / "results.json").is_file() or (run / MARKER).is_file():
        return f"a run without an audit trail ({AUDIT_FILE})"
    return "not a run folder"


def _said(run: Path) -> AuditResults | None:
    """What results.json says of the trail."""
    try:
        found: Any = json.loads((run / "results.json").read_bytes())["audit"]
        return AuditResults(records=int(found["records"]), head=str(found["head"]), closed=bool(found["closed"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_end(walked: Walked, said: AuditResults | None, findings: Findings) -> None:
    """The last record, against itself and against results.json. What is found here follows from what was found before,
    unless that was elsewhere."""
    chain, lines, closed_at = walked.chain, len(walked.chain), walked.closed_at
    found_here = any(finding.line is not None and finding.line >= lines for finding in findings.found)
    expected = f"; results.json says {said.records} records" if said else ""
    if chain.last is not None and not chain.last.whole:
        findings.add(Finding("truncated", f"line {lines}: the file ends within it{expected}", lines))
    elif closed_at is None and not found_here:
        findings.add(Finding("truncated", f"the trail ends at line {lines} without being closed{expected}", lines))
    elif closed_at is not None and closed_at < lines and chain.links:
        text = f"line {closed_at + 1}: inserted: the trail was closed in line {closed_at}"
        findings.add(Finding("inserted", text, closed_at + 1))
    if said is None or findings.total:
        return
    if said.head != chain.head:
        text = f"the trail ends with {chain.head}, results.json says {said.head}: it was chained anew"
        findings.add(Finding("head", text, lines))
    elif said.records != lines:
        findings.add(Finding("head", f"the trail has {lines} records, results.json says {said.records}", lines))


def _compare(run: Path, trail: Path, walked: Walked, findings: Findings) -> list[str]:
    """Hold the trail against the files there are; returns their names."""
    compared = ["results.json"] if (run / "results.json").is_file() else []
    # of a run that came to no end, the last rows are not written
    if (run / MARKER).is_file():
        return compared
    for name, compare, kept in (
        (DECISIONS.file, compare_told, walked.kept),
        (EXPLANATIONS.file, compare_told, walked.explained),
        ("events.parquet", compare_events, walked.kept),
    ):
        if not (run / name).is_file():
            findings.add(Finding("files", f"{name} is missing"))
            continue
        try:
            compare(trail, kept, run / name, findings)
        except (pa.ArrowException, OSError) as error:
            findings.add(Finding("files", f"{name} cannot be read as Parquet: {error}"))
        except KeyError as error:
            findings.add(Finding("files", f"{name} lacks the column {error}"))
        else:
            compared.append(name)
    compare_files(trail, run, findings)
    compare_gates(walked.gates, run, findings)
    compared += compare_late_scores(walked.late, run, findings)
    return [*compared, "scenario.yaml", "case"]


def _name_events(trail: Path, findings: Findings) -> None:
    """Add the event's id to findings that name a line."""
    wanted = {finding.line for finding in findings.found if finding.line is not None and finding.event_id is None}
    contents: dict[int, Content] = read_content(trail, wanted) if wanted else {}
    findings.found = [
        Finding(f.kind, f.text, f.line, f.seq, contents[f.line].event_id)
        if f.event_id is None and f.line in contents
        else f
        for f in findings.found
    ]


def as_json(found: Verified) -> dict[str, Any]:
    """The result as JSON values."""
    findings = [
        {"kind": f.kind, "line": f.line, "seq": f.seq, "event_id": f.event_id, "text": f.text} for f in found.findings
    ]
    named = {name: getattr(found, name) for name in ("run", "records", "head", "closed", "compared", "total")}
    return {"whole": found.whole, **named, "findings": findings}
