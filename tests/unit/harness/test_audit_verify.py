"""A run's trail says everything that happened, and is held against the run's other files."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from harness.audit_trail.records import content_hash
from harness.audit_trail.verify import Verified, verify
from harness.cli import app
from harness.runfolder import MARKER
from streams.codec import encode_events
from streams.errors import BadInputError
from tests.audited_run import EVENTS, LATE, LOST, build_audited_run, event_id, events_table


@pytest.fixture
def run(tmp_path: Path) -> Path:
    build_audited_run(tmp_path / "run", tmp_path / "work")
    return tmp_path / "run"


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "audit.jsonl").read_text(encoding="utf-8").splitlines()]


def kinds(found: Verified) -> list[str]:
    return sorted({finding.kind for finding in found.findings})


def test_a_run_is_whole(run: Path) -> None:
    found = verify(run)
    assert found.findings == []
    assert found.whole
    assert found.closed
    assert {"results.json", "decisions.parquet", "events.parquet"} <= set(found.compared)
    assert found.head == json.loads((run / "results.json").read_text())["audit"]["head"]


def test_everything_that_happened_is_there(run: Path) -> None:
    written = records(run)
    in_order = [(record["kind"], record.get("event_id")) for record in written]
    assert in_order == [
        ("open", None),
        *[("decision", event_id(n)) for n in range(6)],
        ("duplicate", event_id(4)),
        ("unknown", "evt-phantom"),
        ("malformed", None),
        *[("decision", event_id(n)) for n in range(6, 11)],
        *[("explanation", event_id(n)) for n in (1, 7, 9)],
        ("explanation_duplicate", event_id(1)),
        ("malformed", None),
        ("explanation_unknown", event_id(99)),
        ("lost", event_id(LOST)),
        ("close", None),
    ]
    late = [record["event_id"] for record in written if record.get("late")]
    assert late == [event_id(LATE)]
    assert [record["of"] for record in written if record["kind"] == "malformed"] == ["decision", "explanation"]
    assert written[-1]["counts"]["lost"] == 1


def test_a_record_holds_what_went_in_and_what_came_out(run: Path) -> None:
    record = next(r for r in records(run) if r.get("event_id") == event_id(5))
    assert record["input"] == content_hash(encode_events(events_table())[5])
    assert record["features"] == content_hash(bytes([5] * 8))
    assert (record["outcome"], record["score"], record["margin"]) == ("review", 0.05, -1.0)
    assert record["reasons"][0]["cause"] == "amount"


def rewrite(file: Path, change: Any) -> None:
    table = pq.read_table(file)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)


def test_a_row_that_says_otherwise_is_named(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[4]["score"] = 0.5
        rows[7]["features"] = b"others!!"
        del rows[2]

    rewrite(run / "decisions.parquet", change)
    texts = {finding.event_id: finding.text for finding in verify(run).findings}
    assert texts[event_id(4)] == (
        f"line 6: decisions.parquet says otherwise of {event_id(4)}: score 0.5 there, 0.04 in the record"
    )
    assert "features" in texts[event_id(7)]
    assert texts[event_id(2)] == f"line 4: {event_id(2)} is not in decisions.parquet"
    assert len(texts) == 3


@pytest.mark.parametrize(("column", "value"), [("reasons", []), ("model_version", "fraud-2"), ("rules_version", "r")])
def test_why_it_was_decided_is_compared_too(run: Path, column: str, value: Any) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[5][column] = value

    rewrite(run / "decisions.parquet", change)
    (finding,) = verify(run).findings
    assert (finding.kind, finding.event_id) == ("decisions", event_id(5))
    assert column in finding.text


def test_an_explanation_that_says_otherwise_is_named(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["reasons"][0]["text"] = "nothing unusual"
        del rows[1]

    rewrite(run / "explanations.parquet", change)
    found = verify(run).findings
    assert {finding.kind for finding in found} == {"explanations"}
    assert sorted(str(finding.event_id) for finding in found) == [event_id(1), event_id(7)]


@pytest.mark.parametrize("name", ["decisions", "explanations", "events"])
def test_a_damaged_file_is_a_finding(run: Path, name: str) -> None:
    file = run / f"{name}.parquet"
    file.write_bytes(file.read_bytes()[:-5])
    found = verify(run)
    assert [finding.kind for finding in found.findings] == ["files"]
    assert f"{name}.parquet cannot be read" in found.findings[0].text
    assert f"{name}.parquet" not in found.compared


@pytest.mark.parametrize(("name", "column"), [("decisions", "score"), ("events", "currency")])
def test_a_file_without_a_column_is_a_finding(run: Path, name: str, column: str) -> None:
    file = run / f"{name}.parquet"
    pq.write_table(pq.read_table(file).drop_columns([column]), file)
    (finding,) = verify(run).findings
    assert (finding.kind, finding.text) == ("files", f"{name}.parquet lacks the column {column!r}")


def test_a_row_without_a_record_is_named(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows.append({**rows[0], "event_id": "evt-extra", "ordinal": 77})

    rewrite(run / "decisions.parquet", change)
    (finding,) = verify(run).findings
    assert (finding.event_id, finding.text) == ("evt-extra", "evt-extra of decisions.parquet has no record")


def test_an_event_that_was_not_sent_so_is_named(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[8]["amount_minor"] += 1

    rewrite(run / "events.parquet", change)
    (finding,) = verify(run).findings
    assert (finding.kind, finding.event_id) == ("events", event_id(8))


@pytest.mark.parametrize(
    "name",
    [
        "scenario.yaml",
        "case/rules.yaml",
        "case/bundle/bundle.json",
        "case/bundle/model.onnx",
        "case/state/features.state",
    ],
)
def test_what_decided_is_checked(run: Path, name: str) -> None:
    (run / name).write_bytes((run / name).read_bytes().replace(b"e", b"E", 1) + b" ")
    found = verify(run)
    assert kinds(found) == ["files"]
    assert all(name in finding.text for finding in found.findings)
    (run / name).unlink()
    assert f"{name} is missing" in [finding.text for finding in verify(run).findings]


def test_a_score_altered_in_both_files_is_found_by_the_chain(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[4]["score"] = 0.5

    rewrite(run / "decisions.parquet", change)
    trail = run / "audit.jsonl"
    trail.write_bytes(trail.read_bytes().replace(b'"score":0.04,', b'"score":0.5,', 1))
    (finding,) = verify(run).findings
    assert (finding.kind, finding.line, finding.event_id) == ("altered", 6, event_id(4))


@pytest.mark.parametrize("how", ["empty", "junk", "twice", "first line gone", "reversed"])
def test_a_trail_that_is_hardly_one(run: Path, how: str) -> None:
    trail = run / "audit.jsonl"
    lines = trail.read_bytes().splitlines(keepends=True)
    changed = {
        "empty": [],
        "junk": [b"\xff\xfe\x00junk\n" * 40],
        "twice": lines * 2,
        "first line gone": lines[1:],
        "reversed": lines[::-1],
    }
    trail.write_bytes(b"".join(changed[how]))
    found = verify(run, limit=5)
    assert not found.whole
    assert len(found.findings) == min(5, found.total)
    expected = {"empty": "truncated", "twice": "inserted", "first line gone": "removed", "reversed": "swapped"}
    assert found.findings[0].kind == expected.get(how, found.findings[0].kind)


def test_findings_are_counted_beyond_the_limit(run: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        for row in rows[: EVENTS - 2]:
            row["score"] = 0.123

    rewrite(run / "decisions.parquet", change)
    found = verify(run, limit=3)
    assert (len(found.findings), found.total) == (3, EVENTS - 2)


def test_a_head_that_was_noted_outside(run: Path) -> None:
    assert verify(run, head=verify(run).head).whole
    assert kinds(verify(run, head="ab" * 32)) == ["head"]


def test_a_run_that_came_to_no_end(run: Path) -> None:
    (run / "results.json").unlink()
    (run / MARKER).write_text("interrupted by SIGINT\n", encoding="utf-8")
    trail = run / "audit.jsonl"
    trail.write_bytes(b"".join(trail.read_bytes().splitlines(keepends=True)[:-3]))
    found = verify(run)
    assert kinds(found) == ["truncated"]
    assert "interrupted by SIGINT" in found.findings[-1].text


def test_results_that_are_silent_are_said(run: Path) -> None:
    (run / "results.json").write_text("{}", encoding="utf-8")
    assert kinds(verify(run)) == ["head"]


@pytest.mark.parametrize(
    ("made", "message"),
    [((), "not a run folder"), (("results.json",), "a run without an audit trail"), (None, "no such folder")],
)
def test_what_is_no_run_is_refused(tmp_path: Path, made: tuple[str, ...] | None, message: str) -> None:
    if made is not None:
        (tmp_path / "x").mkdir()
        for name in made:
            (tmp_path / "x" / name).touch()
    with pytest.raises(BadInputError, match=message):
        verify(tmp_path / "x")


def test_the_command(run: Path) -> None:
    whole = CliRunner().invoke(app, ["audit", "verify", str(run)])
    assert whole.exit_code == 0
    assert "WHOLE" in whole.output
    trail = run / "audit.jsonl"
    lines = trail.read_bytes().splitlines(keepends=True)
    lines[3], lines[4] = lines[4], lines[3]
    trail.write_bytes(b"".join(lines))
    tampered = CliRunner().invoke(app, ["audit", "verify", str(run)], env={"COLUMNS": "200"})
    assert tampered.exit_code == 1
    assert "lines 4 and 5 are swapped" in tampered.output
    found = json.loads(CliRunner().invoke(app, ["audit", "verify", str(run), "--json"]).output)
    assert (found["whole"], found["total"], found["findings"][0]["line"]) == (False, 1, 4)
