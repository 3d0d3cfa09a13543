"""Late scores are in a run's trail, and are held against the files they came in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.audit_trail.records import content_hash
from harness.audit_trail.verify import verify
from harness.late_scores import LOGS, late_scores_file
from streams.codec import encode
from streams.decision import Outcome
from streams.late_score import LateScore
from tests.audited_run import build_audited_run, event_id


def late(ordinal: int, score: float | None = 0.25) -> bytes:
    outcome: Outcome | None = None if score is None else "approve"
    error = "InjectedError: told to" if score is None else None
    return encode(
        LateScore(
            event_id=event_id(ordinal), margin=score, score=score, outcome=outcome, error=error,
            elapsed_ns=3_000, late_ns=2_000, ended_ns=9, worker="worker-1", model_version="fraud-1",
        )
    )  # fmt: skip


LINES = (late(2), late(6, None), late(7), b"{half a line", late(50))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    counts = build_audited_run(tmp_path / "run", tmp_path / "work", late=LINES)
    assert counts["late_scores"] == len(LINES)
    return tmp_path / "run"


def test_every_line_has_its_record(run: Path) -> None:
    records = [json.loads(line) for line in (run / "audit.jsonl").read_bytes().splitlines()]
    found = [record for record in records if record["kind"] == "late_score"]
    assert [record["event_id"] for record in found] == [event_id(2), event_id(6), event_id(7), None, event_id(50)]
    assert [record["score"] for record in found] == [0.25, None, 0.25, None, 0.25]
    assert found[1]["error"] == "InjectedError: told to"
    assert found[3]["error"].startswith("unreadable: ")
    sent = {record["event_id"]: record["input"] for record in records if record["kind"] == "decision"}
    assert found[0]["input"] == sent[event_id(2)]
    assert found[4]["input"] is None
    assert records[-1]["counts"]["late_scores"] == len(LINES)


def test_a_run_with_late_scores_is_whole(run: Path) -> None:
    found = verify(run)
    assert found.findings == []
    assert f"{LOGS}/late-scores-worker-1.jsonl" in found.compared


def altered(lines: list[bytes]) -> None:
    lines[0] = late(2, 0.75)


def removed(lines: list[bytes]) -> None:
    del lines[1]


def added(lines: list[bytes]) -> None:
    lines.append(late(9))


def swapped(lines: list[bytes]) -> None:
    lines[0], lines[2] = lines[2], lines[0]


def doubled(lines: list[bytes]) -> None:
    lines.append(lines[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (altered, [f"{event_id(2)} is not in", "line 1 of logs/late-scores-worker-1.jsonl has no record"]),
        (removed, [f"{event_id(6)} is not in"]),
        (added, ["line 6 of logs/late-scores-worker-1.jsonl has no record"]),
        (doubled, ["line 1 of logs/late-scores-worker-1.jsonl has no record"]),
        (swapped, ["in another order"]),
    ],
)
def test_a_file_that_is_not_as_it_was_is_found(
    run: Path, change: Callable[[list[bytes]], None], said: list[str]
) -> None:
    path = late_scores_file(run / LOGS, "worker-1")
    lines = path.read_bytes().splitlines()
    change(lines)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    found = verify(run)
    assert {finding.kind for finding in found.findings} == {"late-scores"}
    assert len(found.findings) == len(said)
    for finding, words in zip(found.findings, said, strict=True):
        assert words in finding.text


def test_a_file_that_is_gone_is_found(run: Path) -> None:
    late_scores_file(run / LOGS, "worker-1").unlink()
    (finding,) = verify(run).findings
    assert finding.text == "logs/late-scores-worker-1.jsonl is missing: 5 records are of its lines"


def test_a_record_that_was_chained_anew_does_not_pass(run: Path) -> None:
    """The score in the record is altered and all hashes are made to fit: the line it was made of says otherwise."""
    trail = run / "audit.jsonl"
    head, lines = "0" * 64, []
    for line in trail.read_bytes().splitlines():
        body = line[: line.rindex(b',"prev":')].replace(b'"score":0.25,"outcome"', b'"score":0.5,"outcome"')
        signed = body + b',"prev":"' + head.encode() + b'"}'
        head = content_hash(signed)
        lines.append(signed[:-1] + b',"hash":"' + head.encode() + b'"}\n')
    trail.write_bytes(b"".join(lines))
    results = json.loads((run / "results.json").read_bytes())
    results["audit"]["head"] = head
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    found = verify(run)
    assert {finding.kind for finding in found.findings} == {"late-scores"}
    assert [finding.event_id for finding in found.findings] == [event_id(n) for n in (2, 7, 50)]
    assert "score 0.25 there, 0.5 in the record" in found.findings[0].text
