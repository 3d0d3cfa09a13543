"""What an answer was worth, by phase, of two run folders made up."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.drift.retraining.recovery import Recovery, recovery_of
from harness.report.answered_drift import gates_table, recovery_table, recovery_words
from tests.unit.harness.drift.retraining.made import day
from tests.unit.harness.replaying.made import row, write_decisions

CARDS, DAYS = 10, 12
ONSET, FULL = 4, 8


def truth() -> tuple[np.ndarray, np.ndarray]:
    """Every card once a day; a fresh card is a fraud's on each day."""
    number = np.arange(CARDS * DAYS)
    return number // CARDS, (number // CARDS) % CARDS == number % CARDS


def run(folder: Path, sees_until: int, sees_from: int = DAYS) -> Path:
    """A run whose model sees frauds before the day `sees_until` and from `sees_from` on."""
    folder.mkdir()
    days, fraud = truth()
    sees = (days < sees_until) | (days >= sees_from)
    score = np.where(fraud & sees, 0.9, 0.1)
    score[~fraud] = 0.2
    rows = [
        row(place, score=float(score[place]), outcome="review" if score[place] > 0.5 else "approve")
        for place in range(len(days))
    ]
    write_decisions(folder / "decisions.parquet", rows)
    ids = [each["event_id"] for each in rows]
    times = pa.array([day(int(number) + 0.5) for number in days], pa.int64())
    cards = [f"card-{place % CARDS}" for place in range(len(days))]
    amounts = pa.array([100] * len(days), pa.int64())
    pq.write_table(
        pa.table({"event_id": ids, "event_time_ns": times, "card_id": cards, "amount_minor": amounts}),
        folder / "events.parquet",
    )
    words = pa.nulls(len(days), pa.string())
    labels = pa.table({"event_id": ids, "is_fraud": fraud, "scenario": words, "look_alike": words})
    pq.write_table(labels, folder / "labels.parquet")
    return folder


def results(phases: list[tuple[str, int]]) -> dict[str, Any]:
    told = [{"phase": phase, "from_event_time_ns": day(at), "share": None} for phase, at in phases]
    gate = {"gate": "backtest", "passed": True, "event_time_ns": day(6), "why": "not worse", "evidence": {}}
    answer = {
        "attempt": 1, "candidate": "fraud-2", "outcome": "full", "phases": told, "gates": [gate],
        "alarms": [{"event_time_ns": day(ONSET)}],
    }  # fmt: skip
    return {"drift": {"answers": [answer]}, "quality": {"k": 1}, "counts": {"lost": 0}}


def found(tmp_path: Path, phases: list[tuple[str, int]]) -> Recovery:
    without, answered = run(tmp_path / "without", ONSET), run(tmp_path / "answered", ONSET, FULL)
    differing = pa.table({"event_time_ns": pa.array([day(FULL + 0.5)], pa.int64())})
    recovery = recovery_of(without, answered, results(phases), differing)
    assert recovery is not None
    return recovery


def test_what_was_lost_was_won_back(tmp_path: Path) -> None:
    recovery = found(tmp_path, [("shadow", 6), ("canary", FULL), ("full", FULL)])
    assert [(phase.phase, phase.without.attained, phase.answered.attained) for phase in recovery.phases] == [
        ("before", 1.0, 1.0),
        ("drifted", 0.0, 0.0),
        ("answered", 0.0, 1.0),
    ]
    assert (recovery.lost, recovery.won, recovery.recovered) == (1.0, 1.0, 1.0)
    assert (recovery.differing_before, recovery.lost_events) == (0, 0)


def test_a_candidate_that_was_stopped_won_nothing_and_changed_nothing(tmp_path: Path) -> None:
    recovery = found(tmp_path, [("shadow", 6), ("rolled-back", FULL)])
    assert (recovery.full_event_time_ns, recovery.won, recovery.recovered) == (None, None, None)
    assert recovery.differing_before == 1, "every event decided otherwise is one too many"


def test_a_run_that_answers_nothing_has_no_recovery(tmp_path: Path) -> None:
    without = run(tmp_path / "without", ONSET)
    assert recovery_of(without, without, {"drift": {}}, pa.table({"event_time_ns": pa.array([], pa.int64())})) is None


def test_it_is_told_in_a_table_and_a_line(tmp_path: Path) -> None:
    recovery = msgspec.to_builtins(found(tmp_path, [("canary", FULL), ("full", FULL)]))
    told = recovery_table(recovery)
    assert told is not None
    assert [row[1].text for row in told.rows] == ["no answer", "retrained"] * 3
    assert "retraining won +1.000, 100% of it" in recovery_words(recovery)
    gates = gates_table(results([("full", FULL)])["drift"]["answers"])
    assert gates is not None
    assert [cell.text for cell in gates.rows[0]][3:5] == ["backtest", "passed"]
    assert gates_table(None) is None
    assert recovery_words(None) == ""
