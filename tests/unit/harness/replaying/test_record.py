"""What replay.json says of two runs of one stream."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.comparison import read_finished
from harness.replaying.record import Played, Replayed, encode_replayed, hold_against, schedule_deviation_ns
from harness.replaying.telling import tell_replay
from tests.unit.harness.replaying.made import EVENTS, reason, row, write_decisions, write_run

ROWS = [row(n) for n in range(EVENTS)]
OTHERWISE = [row(0), row(1, outcome="review", score=0.8, reasons=[reason(f"R{n}") for n in range(5)]), *ROWS[2:]]


def replayed(
    folder: Path, after: list[dict[str, Any]], rules: str = "same", listed: int = 20, speed: float = 1.0, **changes: Any
) -> Replayed:
    first = Played(read_finished(write_run(folder / "before", ROWS)), "bundle", "same", 1.0)
    again = Played(read_finished(write_run(folder / "after", after, **changes)), "bundle", rules, speed)
    return hold_against(first, again, "e0", listed)[0]


def told(found: Replayed) -> str:
    console = Console(width=200, file=io.StringIO())
    tell_replay(found, Path("/runs/again"), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_same_decisions_are_equal(tmp_path: Path) -> None:
    found = replayed(tmp_path, ROWS[::-1], engine="faust", broker={"name": "none"})
    assert found.equal
    assert found.holds
    assert not found.may_differ
    assert (found.events, found.different, found.listed) == (EVENTS, 0, [])
    assert {change.name: (change.before, change.after) for change in found.changed} == {
        "engine": ("native", "faust"),
        "broker": ("embedded", "none"),
    }
    text = told(found)
    assert "EQUAL  all 6 events were decided as before" in text
    assert "changed: engine native → faust" in text
    assert found.before.decisions_hash in text
    assert "differences.parquet" not in text


@pytest.mark.parametrize("changes", [{}, {"engine": "faust"}, {"workers": 4}])
def test_other_decisions_by_the_same_bundle_and_rules_do_not_hold(tmp_path: Path, changes: dict[str, Any]) -> None:
    counts = {"lost": 0, "by_path": {"rules": 0, "model": 4, "fallback": 2}}
    found = replayed(tmp_path, OTHERWISE, counts=counts, **changes)
    assert not found.equal
    assert not found.holds
    assert found.different == 1
    assert found.parts == {"outcome": 1, "score": 1, "path": 0, "reasons": 1, "customers": 0}
    assert found.score_change_max == pytest.approx(0.7)
    text = told(found)
    assert "DIFFERENT  1 of 6 events were decided otherwise, by the same bundle and rules" in text
    assert "review 0.8 (model): R0, R1, R2, …" in text
    assert "decided by rules in the model's stead: 0 events before, 2 after" in text
    assert "/runs/again/differences.parquet" in text


def test_other_decisions_by_other_rules_hold(tmp_path: Path) -> None:
    found = replayed(tmp_path, OTHERWISE, rules="other", quality={"recall": 0.75})
    assert not found.equal
    assert found.may_differ
    assert found.holds
    text = told(found)
    assert "1 of 6 events were decided otherwise, by what was changed" in text
    assert "recall: 0.5 → 0.75" in text


def test_software_that_changed_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "before", ROWS)
    write_run(tmp_path / "after", OTHERWISE)
    (tmp_path / "after" / "environment.json").write_text('{"revision": "def"}', encoding="utf-8")
    first, again = (Played(read_finished(tmp_path / name), "b", "r", 1.0) for name in ("before", "after"))
    found, _ = hold_against(first, again, "e0", 20)
    assert [(one.name, one.before, one.after) for one in found.software] == [("revision", "abc", "def")]
    assert "differs: revision abc before, def after" in told(found)


def test_as_many_are_listed_as_asked_for(tmp_path: Path) -> None:
    found = replayed(tmp_path, [row(n, score=0.99) for n in range(EVENTS)], listed=2)
    assert (found.different, len(found.listed)) == (EVENTS, 2)


def test_it_is_json_even_where_a_score_is_no_number(tmp_path: Path) -> None:
    found = replayed(tmp_path, [row(0, score=math.nan), *ROWS[1:]])
    content = json.loads(encode_replayed(found))
    assert content["different"] == 1
    assert content["listed"][0]["after_score"] is None
    assert content["differences"] == "differences.parquet"


def test_the_schedule_is_held_against_the_earlier_one(tmp_path: Path) -> None:
    before = write_decisions(tmp_path / "before.parquet", ROWS)
    twice = [row(n, intended_ns=50_000 + 50 * n) for n in range(EVENTS)]
    after = write_decisions(tmp_path / "after.parquet", twice[::-1])
    assert schedule_deviation_ns(before, after, 2.0) == 0
    assert schedule_deviation_ns(before, after, 1.0) == 50 * (EVENTS - 1)


def test_another_schedule_is_told(tmp_path: Path) -> None:
    late = [row(n, intended_ns=1_000 + 5_000_000 * n) for n in range(EVENTS)]
    assert "the schedule was another one: an event was due up to 25.0" in told(replayed(tmp_path, late))
