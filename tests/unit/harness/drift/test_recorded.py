"""A run's stream for the monitors, and what of it stands in the results; figures by day."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.decision_rows import DECISION_ROWS_SCHEMA
from harness.drift.recorded import Recorded, is_long_enough, recorded
from harness.drift.replays.days import by_day
from harness.drift.settings import Settings
from harness.measures import drift_results
from harness.prepared import Prepared, Windows
from harness.scenario import load_scenario
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA
from tests.unit.harness.drift.made import DAYS, NAMES, ONSET_NS, START_NS, stream

A_DAY = 600


def prepared(folder: Path, events: int) -> Prepared:
    """`A_DAY` events a day of one card each; without profiles."""
    ids = [f"e{n}" for n in range(events)]
    times = START_NS + np.arange(events) * (NS_PER_DAY // A_DAY)
    rows: dict[str, Any] = {name: [None] * events for name in TRANSACTION_SCHEMA.names}
    rows |= {"event_id": ids, "event_time_ns": times, "card_id": [f"c{n % 50}" for n in range(events)]}
    rows |= {"amount_minor": list(range(events)), "currency": ["EUR"] * events}
    labels: dict[str, Any] = {name: [None] * events for name in LABEL_SCHEMA.names}
    labels |= {"event_id": ids, "is_fraud": [False] * events}
    pq.write_table(pa.table(rows, schema=TRANSACTION_SCHEMA), folder / "events.parquet")
    pq.write_table(pa.table(labels, schema=LABEL_SCHEMA), folder / "labels.parquet")
    return Prepared(folder, "k", False, Windows(0, 0, 0, START_NS), {"labelled": True, "events": events})


def decisions(events: int, score: Any) -> pa.Table:
    blank: dict[str, Any] = dict.fromkeys(DECISION_ROWS_SCHEMA.names)
    here = {"measured": True, "status": "decided", "outcome": "approve", "path": "model", "reasons": []}
    times = {"intended_ns": 1, "sent_ns": 1, "response_ns": 1}
    rows = [blank | here | times | {"event_id": f"e{n}", "ordinal": n, "score": float(score[n])} for n in range(events)]
    return pa.Table.from_pylist(rows, schema=DECISION_ROWS_SCHEMA)


@pytest.mark.parametrize("is_shifted", [False, True])
def test_alarms_of_the_monitors_stand_in_a_runs_results(tmp_path: Path, is_shifted: bool) -> None:
    events = 28 * A_DAY
    score = np.random.default_rng(3).uniform(0, 0.5, events)
    if is_shifted:
        score[21 * A_DAY :] += 0.4
    made = prepared(tmp_path, events)
    found = drift_results(load_scenario("fraud"), made, decisions(events, score), None, None, 28 * NS_PER_DAY)
    told = {row["monitor"] for row in found["detections"]}
    assert ("psi_score" in told) is is_shifted
    assert all(row["kind"] == "monitor" and row["ordinal"] >= 21 * A_DAY for row in found["detections"])
    assert found["status"] == "unknown"


def test_a_stream_without_decisions_is_fed_as_nothing(tmp_path: Path) -> None:
    made = prepared(tmp_path, 28 * A_DAY)
    nothing = decisions(0, [])
    assert len(recorded(load_scenario("fraud"), made, nothing, None, None).batch) == 0
    assert recorded(load_scenario("fraud"), made, nothing, None, None).watch().alarms == ()
    assert drift_results(load_scenario("fraud"), made, nothing, None, None, 28 * NS_PER_DAY)["detections"] == []


@pytest.mark.parametrize(("events", "days", "is_long"), [(500, 15, True), (499, 15, False), (9_000, 14, False)])
def test_what_is_no_longer_than_the_burn_in_is_not_watched(events: int, days: int, is_long: bool) -> None:
    assert is_long_enough(events, days * NS_PER_DAY, Settings()) is is_long


def test_figures_by_day_stand_out_from_the_onset_on() -> None:
    batch = stream(4)
    batch.features[batch.event_time_ns >= ONSET_NS, 0] *= 4
    days = by_day(Recorded(batch, NAMES, None, {}), ["(events a case)", "amount"], Settings())
    assert (len(days.events), sum(days.events)) == (DAYS, len(batch))
    amounts = [value for value in days.indices["amount"] if value is not None]
    assert max(amounts[:21]) < 0.1 < min(amounts[21:])
    assert max(value for value in days.indices["score"] if value is not None) < 0.1
    assert days.bad_rate == [None] * DAYS
    assert np.datetime64(days.first_day, "ns").astype(np.int64) == START_NS
