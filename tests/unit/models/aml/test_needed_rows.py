"""Only rows that serve for something are computed, and that changes nothing of what is fitted."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from models.aml.history import TransferTables, labelled_rows, replay
from models.aml.labels import side_labels
from models.aml.settings import AmlTrainSettings, Near
from models.features.batch import Status
from models.fitting import FitSettings
from models.training_data import LabelledHistory, TimeSplit
from streams.labels import NS_PER_DAY
from tests.unit.models.aml.laundering_history import DAYS, START_NS, easy_history

SPLIT = TimeSplit(START_NS + 5 * NS_PER_DAY, START_NS + 20 * NS_PER_DAY, START_NS + DAYS * NS_PER_DAY)
SETTINGS = AmlTrainSettings(fit=FitSettings(seed=3), genuine_share=0.2)


def with_repeats(tables: TransferTables) -> TransferTables:
    """Some transfers stand there twice."""
    rows = np.sort(np.append(np.arange(len(tables.transfers)), np.arange(0, len(tables.transfers), 50)))
    again = {name: getattr(tables, name).take(pa.array(rows)) for name in ("transfers", "laundering")}
    return dataclasses.replace(tables, **again)


def every_row(tables: TransferTables) -> LabelledHistory:
    """Rows of known sides with their features, all of them computed."""
    labels, block = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members), replay(tables)
    rows = np.flatnonzero((labels.account >= 0) & np.repeat(block.status != Status.REPEATED, 2))
    times = np.repeat(tables.transfers["event_time_ns"].to_numpy(), 2)[rows]
    return LabelledHistory(block.values[rows], labels.is_positive[rows], times, labels.account[rows].astype(np.int32))


def as_set(history: LabelledHistory, rows: np.ndarray) -> list[bytes]:
    return [history.values[row].tobytes() + history.labels[row].tobytes() for row in rows.tolist()]


@pytest.mark.parametrize("near", ["left_out", "negative"])
@pytest.mark.parametrize("repeats", [False, True])
def test_what_is_kept_has_the_features_of_a_whole_replay(near: Near, repeats: bool) -> None:
    tables = with_repeats(easy_history()) if repeats else easy_history()
    whole, settings = every_row(tables), dataclasses.replace(SETTINGS, near=near)
    found = labelled_rows(tables, SPLIT, settings).history
    assert len(found.labels) < len(whole.labels)
    assert found.describes is not None
    _, validation = SPLIT.rows(whole.time_ns)
    known = set(as_set(whole, np.arange(len(whole.labels))))
    assert set(as_set(found, np.arange(len(found.labels)))) <= known
    judging = found.judging(SPLIT.rows(found.time_ns)[1])
    if near == "negative":
        assert len(validation) - len(judging) < 0.02 * len(validation), "only patterns across the cut do not judge"
    window, kept = (np.concatenate(SPLIT.rows(each.time_ns)) for each in (whole, found))
    assert len(found.describing(kept)) / len(window) == pytest.approx(0.2, abs=0.03)


def test_every_positive_row_of_the_window_teaches_and_the_draw_is_the_seeds() -> None:
    tables = easy_history()
    whole, found = every_row(tables), labelled_rows(tables, SPLIT, SETTINGS).history
    train, all_train = SPLIT.rows(found.time_ns)[0], SPLIT.rows(whole.time_ns)[0]
    taught = found.teaching(train)
    assert int(found.labels[taught].sum()) == int(whole.labels[all_train].sum())
    drawn = np.random.default_rng(SETTINGS.fit.seed).random(len(whole.labels)) < SETTINGS.genuine_share
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    near = labels.is_near[labels.account >= 0]
    expected = all_train[((whole.labels | drawn) & ~near)[all_train]]
    assert as_set(found, taught) == as_set(whole, expected)


def test_what_comes_before_a_window_is_not_computed() -> None:
    late = TimeSplit(SPLIT.validation_ns, SPLIT.validation_ns, SPLIT.until_ns)
    found, usual = (labelled_rows(easy_history(), split, SETTINGS) for split in (late, SPLIT))
    assert found.history.time_ns.min() >= SPLIT.validation_ns
    one, other = (each.history.judging(SPLIT.rows(each.history.time_ns)[1]) for each in (found, usual))
    assert as_set(found.history, one) == as_set(usual.history, other)
