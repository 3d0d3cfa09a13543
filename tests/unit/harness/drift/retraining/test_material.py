"""A candidate learns from what is known when it is trained, and from nothing that came to be known later."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.drift.retraining.material import Known, labels_known, moved, told, training_data
from harness.prepared import Prepared, Windows
from streams.labels import NS_PER_DAY
from tests.unit.harness.drift.retraining.made import day

WINDOWS = Windows(day(-20), day(-7), day(-7), day(0))


def tables(first: int, until: int) -> tuple[pa.Table, pa.Table]:
    """An event a day, every other one a fraud that is reported a week later."""
    days = list(range(first, until))
    ids = [f"e{number}" for number in days]
    fraud = [number % 2 == 0 for number in days]
    times = pa.array([day(number) for number in days], pa.int64())
    reported = [day(number + 7) if bad else None for number, bad in zip(days, fraud, strict=True)]
    labels = {"event_id": ids, "is_fraud": fraud, "reported_at_ns": pa.array(reported, pa.int64())}
    words = pa.array(["app" if bad else None for bad in fraud]).dictionary_encode()
    return pa.table({"event_id": ids, "event_time_ns": times}), pa.table({**labels, "scenario": words})


def test_a_fraud_that_is_not_reported_yet_is_taken_for_genuine() -> None:
    _, labels = tables(0, 10)
    found = labels_known(labels, day(11))
    assert found["is_fraud"].to_pylist() == [True, False, True, False, True, False, False, False, False, False]
    assert found["scenario"].to_pylist()[6] is None
    assert found["reported_at_ns"].to_pylist()[6] is None
    assert found.schema == labels.schema


def test_history_and_stream_up_to_what_is_labelled(tmp_path: Path) -> None:
    for name, table in zip(("history", "history_labels"), tables(-30, 0), strict=True):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    prepared = Prepared(tmp_path, "key", False, WINDOWS, {"labelled": True})
    events, labels = tables(0, 40)
    order = pa.array([1, 0, *range(2, 40)])  # sent in another order than they happened
    known = Known(events.take(order), labels.take(order), 7 * NS_PER_DAY)
    data = training_data(prepared, known, day(20), day(13), tmp_path / "candidate")
    found = pq.read_table(data.file("history"))["event_time_ns"].to_pylist()
    assert found == [day(number) for number in range(-30, 13)]
    said = pq.read_table(data.file("history_labels"))
    assert said["event_id"].to_pylist() == pq.read_table(data.file("history"))["event_id"].to_pylist()
    assert max(at for at in said["reported_at_ns"].to_pylist() if at is not None) <= day(20)
    assert (data.windows.train_from_ns, data.windows.train_until_ns) == (day(0), day(13))
    assert told(data, data.folder) == {"from_ns": day(0), "until_ns": day(13), "events": 13, "frauds": 7}


def test_a_moved_window_is_as_long_as_it_was() -> None:
    found = moved(WINDOWS, day(30))
    assert found.train_until_ns - found.train_from_ns == WINDOWS.train_until_ns - WINDOWS.train_from_ns
    assert found.stream_start_ns == WINDOWS.stream_start_ns
