"""Reading history files and splitting them in time; what is wrong with them is said with file, row and column."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.training_data import (
    card_codes,
    category_names,
    check_frauds,
    known_frauds,
    read_events,
    read_labels,
    split_in_time,
)
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

Tables = tuple[pa.Table, pa.Table]


def test_split_takes_the_last_whole_days_for_validation() -> None:
    split = split_in_time(
        0, 0, from_ns=10 * NS_PER_DAY, until_ns=17 * NS_PER_DAY, warm_up_days=30, validation_share=0.2
    )
    assert split.validation_ns == 15 * NS_PER_DAY
    assert split.validation_days == 2.0
    times = np.arange(0, 20 * NS_PER_DAY, NS_PER_DAY)
    train, validation = split.rows(times)
    assert train.tolist() == [10, 11, 12, 13, 14]
    assert validation.tolist() == [15, 16]


def test_without_a_start_the_warm_up_is_left_out() -> None:
    long = split_in_time(0, 100 * NS_PER_DAY - 1, from_ns=None, until_ns=None, warm_up_days=30, validation_share=0.2)
    assert (long.from_ns, long.until_ns) == (30 * NS_PER_DAY, 100 * NS_PER_DAY)
    short = split_in_time(0, 10 * NS_PER_DAY - 1, from_ns=None, until_ns=None, warm_up_days=30, validation_share=0.2)
    assert short.from_ns == 4 * NS_PER_DAY


def test_a_window_too_short_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"at least 2 days, got 1\.50 \(1970-01-02T00:00:00Z"):
        split_in_time(
            0, 0, from_ns=NS_PER_DAY, until_ns=int(2.5 * NS_PER_DAY), warm_up_days=0, validation_share=0.2
        )  # fmt: skip


def test_files_are_read_as_written(history_files: tuple[Path, Path], tables: Tables) -> None:
    events = read_events(history_files[0])
    labels = read_labels(history_files[1], events)
    assert len(events) == len(labels) == len(tables[0])
    assert category_names(events) == ("books", "fuel", "travel")
    codes = card_codes(events)
    cards = events["card_id"].to_pylist()
    assert len(set(zip(codes.tolist(), cards, strict=True))) == len(set(cards)) == codes.max() + 1


def test_only_what_was_reported_in_time_is_known(tables: Tables) -> None:
    labels = tables[1]
    fraud = np.array(labels["is_fraud"].to_pylist())
    reported = np.array([np.inf if at is None else at for at in labels["reported_at_ns"].to_pylist()])
    moment = int(np.median(reported[fraud]))
    np.testing.assert_array_equal(known_frauds(labels, moment), fraud & (reported <= moment))
    with pytest.raises(BadInputError, match="reported_at_ns"):
        known_frauds(labels.drop_columns(["reported_at_ns"]), moment)


def test_bad_files_are_refused(tmp_path: Path, tables: Tables) -> None:
    events, labels = tables
    path = tmp_path / "file.parquet"
    with pytest.raises(BadInputError, match="does not exist"):
        read_events(path)
    path.write_bytes(b"not parquet")
    with pytest.raises(BadInputError, match="cannot be read as Parquet"):
        read_events(path)
    pq.write_table(events.slice(0, 0), path)
    with pytest.raises(BadInputError, match="holds no transaction"):
        read_events(path)
    pq.write_table(events.drop_columns(["amount_minor"]), path)
    with pytest.raises(BadInputError, match="lacks the column amount_minor"):
        read_events(path)
    pq.write_table(pa.concat_tables([events.slice(5, 1), events.slice(0, 3)]), path)
    with pytest.raises(BadInputError, match="row 1 is earlier"):
        read_events(path)
    pq.write_table(labels.slice(0, 7), path)
    with pytest.raises(BadInputError, match=f"7 labels for {len(events)} events"):
        read_labels(path, events)
    pq.write_table(pa.concat_tables([labels.slice(1), labels.slice(0, 1)]), path)
    with pytest.raises(BadInputError, match="row 0, column event_id: 'e1', but the event in that row is 'e0'"):
        read_labels(path, events)


def test_too_few_frauds_are_refused() -> None:
    with pytest.raises(BadInputError, match="validation part of the training window has 9 known frauds among 50"):
        check_frauds(np.arange(50) < 9, "validation")
    with pytest.raises(BadInputError, match="genuine events"):
        check_frauds(np.ones(50, dtype=np.bool_), "training")
    check_frauds(np.arange(50) < 10, "training")
