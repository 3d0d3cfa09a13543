"""Any flipped byte, removed, swapped, inserted or cut-off line of a trail is found, and named rightly."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audit_trail.chain import read_lines
from harness.audit_trail.findings import Finding, Findings
from harness.audit_trail.records import FIRST, Opening, Thresholds, chained, content_hash
from harness.audit_trail.verify import walk
from harness.audit_trail.writer import AuditTrail
from harness.results import AuditResults
from streams.decision import Decision, Explanation

OPENING = Opening(run="r", started_at="2026-01-01T00:00:00Z", software_version="1", scenario="ab")


def write_trail(path: Path, records: int) -> AuditResults:
    """A trail of `records` records between its first and its last."""
    trail = AuditTrail(path, OPENING, Thresholds(review=0.3, block=0.9), lambda ordinal: f"event {ordinal}".encode())
    for n in range(records):
        decision = Decision(event_id=f"e{n}", outcome="review", score=n / 100, path="model", margin=-n / 7)
        if n % 7 == 6:
            trail.malformed("decision", "no JSON", b"\xff{", 5)
        elif n % 5 == 4:
            trail.explanation("explanation", Explanation(event_id=f"e{n}", reasons=[]))
        else:
            trail.decision("decision", decision, 1_000 + n, n)
    return AuditResults(**trail.close({"decided": records}))


@pytest.fixture(scope="module")
def trails(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[list[bytes], AuditResults]]:
    """Trails of several lengths, as lines, and what results.json says of each."""
    folder, found = tmp_path_factory.mktemp("trails"), {}
    for records in (0, 1, 2, 5, 17):
        said = write_trail(folder / f"{records}.jsonl", records)
        found[records] = ((folder / f"{records}.jsonl").read_bytes().splitlines(keepends=True), said)
    return found


def findings_of(lines: list[bytes], said: AuditResults | None) -> list[Finding]:
    findings = Findings(1_000)
    walk(read_lines(BytesIO(b"".join(lines))), said, findings)
    assert findings.total == len(findings.found)
    return findings.found


def places(findings: list[Finding]) -> list[tuple[str, int | None, int | None]]:
    return [(finding.kind, finding.line, finding.seq) for finding in findings]


LENGTHS = st.sampled_from((0, 1, 2, 5, 17))
Trails = dict[int, tuple[list[bytes], AuditResults]]


def test_a_whole_trail_is_whole(trails: Trails) -> None:
    for lines, said in trails.values():
        assert findings_of(lines, said) == []
        assert findings_of(lines, None) == []
        assert said.records == len(lines)
        assert said.head == json.loads(lines[-1])["hash"]


def test_a_line_is_chained_to_the_one_before_it(trails: Trails) -> None:
    prev = FIRST
    for seq, line in enumerate(trails[17][0]):
        record = json.loads(line)
        assert (record["seq"], record["prev"]) == (seq, prev)
        unsigned = line.rstrip(b"\n").replace(f',"hash":"{record["hash"]}"'.encode(), b"")
        assert content_hash(unsigned) == record["hash"]
        prev = record["hash"]


def test_everything_of_a_decision_is_recorded(trails: Trails) -> None:
    record = json.loads(trails[17][0][3])
    assert {"kind": "decision", "event_id": "e2", "outcome": "review", "score": 0.02, "path": "model"}.items() <= (
        record.items()
    )
    assert record["input"] == content_hash(b"event 2")
    assert record["thresholds"] == {"review": 0.3, "block": 0.9}
    assert record["features"] is None
    opening = json.loads(trails[17][0][0])
    assert (opening["kind"], opening["opening"]["scenario"]) == ("open", "ab")
    assert json.loads(trails[17][0][-1])["counts"] == {"decided": 17}


@settings(max_examples=120, deadline=None)
@given(LENGTHS, st.data(), st.booleans())
def test_any_flipped_byte_is_named(trails: Trails, length: int, data: Any, knows: bool) -> None:
    lines, said = trails[length]
    number = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[number]) - 2))
    flipped = bytearray(lines[number])
    flipped[at] ^= data.draw(st.integers(1, 255))
    found = findings_of([*lines[:number], bytes(flipped), *lines[number + 1 :]], said if knows else None)
    if b"\n" in flipped[:-1]:  # one line became two
        assert number + 1 in [finding.line for finding in found]
        return
    named = [("altered", number + 1, number)]
    if number == len(lines) - 1 and not knows:
        assert set(places(found)) >= set(named)
    else:
        assert places(found) == named


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.data())
def test_a_flipped_line_end_is_named(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    number = data.draw(st.integers(0, len(lines) - 1))
    flipped = lines[number][:-1] + bytes([10 ^ data.draw(st.integers(1, 255).filter(lambda bits: bits != 7))])
    found = findings_of([*lines[:number], flipped, *lines[number + 1 :]], said)
    assert number + 1 in [finding.line for finding in found]
    assert not any(finding.kind == "removed" for finding in found)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.data())
def test_removed_lines_are_named(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    first = data.draw(st.integers(0, len(lines) - 2))
    count = data.draw(st.integers(1, len(lines) - 1 - first))
    found = findings_of([*lines[:first], *lines[first + count :]], said)
    assert places(found) == [("removed", None, first)]
    what = f"seq {first} is" if count == 1 else f"seq {first} to {first + count - 1} are"
    where = "before line 1" if first == 0 else f"between lines {first} and {first + 1}"
    assert found[0].text == f"{what} missing {where}"


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.data(), st.booleans())
def test_truncation_is_named(trails: Trails, length: int, data: Any, knows: bool) -> None:
    lines, said = trails[length]
    keep = data.draw(st.integers(1, len(lines) - 1))
    found = findings_of(lines[:keep], said if knows else None)
    assert [finding.kind for finding in found] == ["truncated"]
    assert f"the trail ends at line {keep}" in found[0].text
    cut = data.draw(st.integers(1, len(lines[keep]) - 1))
    found = findings_of([*lines[:keep], lines[keep][:cut]], said if knows else None)
    assert ("truncated", keep + 1) in [(finding.kind, finding.line) for finding in found]


@settings(max_examples=60, deadline=None)
@given(LENGTHS.filter(lambda n: n > 0), st.data())
def test_a_swapped_pair_is_named(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    one, other = sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)))
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    found = findings_of(swapped, said)
    assert places(found) == [("swapped", one + 1, other)]
    assert f"lines {one + 1} and {other + 1} are swapped" in found[0].text


@settings(max_examples=40, deadline=None)
@given(st.sampled_from((5, 17)), st.data())
def test_a_moved_line_is_named(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    source = data.draw(st.integers(0, len(lines) - 1))
    target = data.draw(st.integers(0, len(lines) - 1).filter(lambda t: abs(t - source) > 2))
    moved = lines[:source] + lines[source + 1 :]
    moved.insert(target, lines[source])
    assert places(findings_of(moved, said)) == [("moved", target + 1, source)]


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.data(), st.sampled_from(("copy", "garbage", "forged", "linked")))
def test_an_inserted_line_is_named(trails: Trails, length: int, data: Any, how: str) -> None:
    lines, said = trails[length]
    at = data.draw(st.integers(1, len(lines)))
    source = data.draw(st.integers(0, len(lines) - 1))
    if how == "copy":
        line = lines[source]
    elif how == "garbage":
        line = b'{"seq":' + str(at).encode() + b',"kind":"decision"}\n'
    else:  # a record of another event, with a hash of its own; linked: chained to the line before as well
        prev = json.loads(lines[at - 1])["hash"] if how == "linked" else "ab" * 32
        line = chained(b'{"kind":"decision","seq":%d,"event_id":"forged"}' % at, prev)[0]
    found = findings_of([*lines[:at], line, *lines[at:]], said)
    # a copy beside its original cannot be told from it
    beside = {at + 1, at, at + 2} if how == "copy" and source in (at - 1, at) else {at + 1}
    assert [finding.kind for finding in found] == ["inserted"], found
    assert found[0].line in beside


@settings(max_examples=40, deadline=None)
@given(st.sampled_from((2, 5, 17)), st.data())
def test_an_altered_record_that_was_hashed_anew_is_named(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    number = data.draw(st.integers(0, len(lines) - 2))
    record = json.loads(lines[number])
    body = lines[number][: lines[number].index(b',"prev"')] + b',"note":"other"}'
    forged = chained(body, record["prev"])[0]
    found = findings_of([*lines[:number], forged, *lines[number + 1 :]], said)
    assert places(found) == [("altered", number + 1, number)]
    assert "hashed anew" in found[0].text


@settings(max_examples=50, deadline=None)
@given(LENGTHS, st.data())
def test_a_trail_chained_anew_to_its_end_is_betrayed_by_its_head(trails: Trails, length: int, data: Any) -> None:
    lines, said = trails[length]
    number = data.draw(st.integers(0, len(lines) - 1))
    prev, forged = (json.loads(lines[number - 1])["hash"] if number else FIRST), list(lines[:number])
    for n, line in enumerate(lines[number:]):
        body = line[: line.index(b',"prev"')] + (b',"note":1}' if n == 0 else b"}")
        anew, prev = chained(body, prev)
        forged.append(anew)
    assert findings_of(forged, None) == []
    assert [finding.kind for finding in findings_of(forged, said)] == ["head"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_several_are_all_named(trails: Trails, data: Any) -> None:
    lines, said = trails[17]
    altered, removed, swapped = 2 + data.draw(st.integers(0, 2)), 8 + data.draw(st.integers(0, 1)), 13
    tampered = list(lines)
    tampered[altered] = tampered[altered].replace(b"e", b"E", 1)
    tampered[swapped], tampered[swapped + 1] = tampered[swapped + 1], tampered[swapped]
    del tampered[removed]
    assert sorted(places(findings_of(tampered, said)), key=str) == sorted(
        [("altered", altered + 1, altered), ("removed", None, removed), ("swapped", swapped, swapped + 1)], key=str
    )
