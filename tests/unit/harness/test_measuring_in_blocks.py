"""A run's files measured a block at a time, beside the same run measured from its tables in one piece."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.measures import Happened
from harness.quality import Beside, gather_stored, measure_quality, quality_of, stored_reasons
from harness.quality.reasons import gather_reasons
from harness.quality.scored import ROW_FIELDS, gather
from harness.tail import measure_tail, tail_of
from harness.timeline import NS_PER_S, build_timeline
from streams import stored_rows
from streams.decision import PATHS
from streams.errors import BadInputError
from streams.stored_rows import StoredRows
from tests.example_reasons import beside
from tests.example_run import START_NS, build_run

NAMES = ("events", "labels", "decisions", "explanations", "profiles")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """A run's tables: decisions in an order that is not that of the events, some events lost; explanations with
    ordinals, of one event twice."""
    folder = build_run(tmp_path_factory.mktemp("runs") / "run", lost=40)
    found = {name: pq.read_table(folder / f"{name}.parquet") for name in NAMES}
    random = np.random.default_rng(3)
    rows = found["decisions"]
    found["decisions"] = rows.take(np.argsort(np.arange(len(rows)) + random.uniform(0, 900, len(rows))))
    told = found["explanations"]
    ordinals = [int(name.removeprefix("evt-")) for name in told["event_id"].to_pylist()]
    told = told.append_column("ordinal", pa.array(ordinals)).take(random.permutation(len(told)))
    found["explanations"] = pa.concat_tables([told, told.slice(0, 1)])
    return found


@pytest.fixture
def stored(tables: dict[str, pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, StoredRows]:
    """The same as files of many row groups, to be read in small blocks."""
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 640)
    for name, rows in tables.items():
        pq.write_table(rows, tmp_path / f"{name}.parquet", row_group_size=700)
    return {name: StoredRows(tmp_path / f"{name}.parquet") for name in tables}


def in_blocks(stored: dict[str, StoredRows], sent: int, known: Beside) -> dict[str, Any]:
    everything = gather_stored(stored["decisions"], stored["events"], stored["labels"], sent)
    reasons = stored_reasons(stored["decisions"], stored["explanations"], len(everything))
    asked: dict[str, Any] = {"deadline_ms": 5.0, "excluded": None, "published": (), "beside": known}
    return quality_of(everything, reasons, 10, **asked).to_dict()


@pytest.mark.parametrize("sent", [12_000, 7_001, 0])
def test_quality_is_that_of_the_tables(tables: dict[str, pa.Table], stored: dict[str, StoredRows], sent: int) -> None:
    known = beside(tables)
    events, labels = (tables[name].slice(0, sent) for name in ("events", "labels"))
    whole = measure_quality(tables["decisions"], events, labels, 10, deadline_ms=5.0, beside=known).to_dict()
    found = in_blocks(stored, sent, known)
    assert found == whole
    assert (found["events"], sent == 0 or found["reason_agreement"] is not None) == (sent, True)


def test_what_is_brought_together_is_the_same_row_for_row(
    tables: dict[str, pa.Table], stored: dict[str, StoredRows]
) -> None:
    whole = gather(tables["decisions"], tables["events"], tables["labels"])
    found = gather_stored(stored["decisions"], stored["events"], stored["labels"], len(whole))
    for name in ROW_FIELDS:
        assert np.array_equal(getattr(found, name), getattr(whole, name)), name
    assert found.card_names == whole.card_names
    assert found.scenario_names == whole.scenario_names
    reasons = gather_reasons(tables["events"]["event_id"], tables["decisions"], tables["explanations"])
    told = stored_reasons(stored["decisions"], stored["explanations"], len(whole))
    assert len(told) > 100
    assert told.codes == reasons.codes
    for name in ("event", "is_rule", "code", "cause", "contribution"):
        assert np.array_equal(getattr(told, name), getattr(reasons, name), equal_nan=name == "contribution"), name


def test_labels_in_another_order_are_matched_by_id(tables: dict[str, pa.Table], stored: dict[str, StoredRows]) -> None:
    shuffled = tables["labels"].take(np.random.default_rng(1).permutation(len(tables["labels"])))
    found = gather_stored(stored["decisions"], stored["events"], StoredRows(shuffled), len(shuffled))
    whole = gather(tables["decisions"], tables["events"], shuffled)
    assert np.array_equal(found.is_fraud, whole.is_fraud)
    assert np.array_equal(found.scenario, whole.scenario)
    assert found.scenario_names == whole.scenario_names
    with pytest.raises(BadInputError, match="1 events have no label"):
        gather_stored(stored["decisions"], stored["events"], StoredRows(shuffled.slice(1)), len(shuffled))


def test_the_timeline_counts_what_a_slow_count_does(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    file = tmp_path / "decisions.parquet"
    pq.write_table(tables["decisions"], file, row_group_size=700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_rows, "BLOCK_ROWS", 640)
        found = build_timeline(file, START_NS, [])
    rows = tables["decisions"].to_pylist()
    for line in found.to_pylist():
        start = START_NS + line["second"] * NS_PER_S
        here = [row for row in rows if row["received_ns"] and start <= row["received_ns"] < start + NS_PER_S]
        assert line["sent"] == sum(start <= row["sent_ns"] < start + NS_PER_S for row in rows)
        assert line["decided"] == len(here)
        assert [line[path] for path in PATHS] == [sum(row["path"] == path for row in here) for path in PATHS]
        waiting = [row for row in rows if row["sent_ns"] < start + NS_PER_S]
        assert line["lag"] == sum(not row["received_ns"] or row["received_ns"] >= start + NS_PER_S for row in waiting)
        if here:
            p50, p99 = np.percentile([row["response_ns"] for row in here], [50, 99]) / 1e6
            assert (line["p50_ms"], line["p99_ms"]) == (p50, p99)


def test_tail_and_event_times_are_those_of_the_tables(
    tables: dict[str, pa.Table], stored: dict[str, StoredRows], tmp_path: Path
) -> None:
    assert len(stored["decisions"]) == len(tables["decisions"])
    rows = tables["decisions"].filter(tables["decisions"]["measured"])
    assert measure_tail(tmp_path / "decisions.parquet", 5.0) == tail_of(rows["response_ns"].to_numpy(), 5.0)
    times = tables["events"]["event_time_ns"].to_numpy()
    happened = Happened.of(tmp_path / "events.parquet")
    assert happened == Happened(len(times), int(times.min()), int(times.max()))
    assert happened.span_ns == int(np.ptp(times))
    pq.write_table(tables["events"].slice(0, 0), tmp_path / "none.parquet")
    assert Happened.of(tmp_path / "none.parquet") == Happened(0, 0, 0)
