import dataclasses

import numpy as np
import pyarrow as pa

from models.aml.findings import NEEDED, WEIGHT_MAX, found_rows
from models.aml.history import labelled_rows
from models.aml.settings import AmlTrainSettings
from models.training_data import TimeSplit
from streams.labels import NS_PER_DAY
from tests.unit.models.aml.laundering_history import DAYS, START_NS, easy_history


def finding(customer: str, day: float, suspicious: bool, propensity: float = 1.0) -> dict[str, object]:
    """A finding about a customer listed on a day, known two days later."""
    listed = int(day * NS_PER_DAY)
    return {
        "customer_id": customer, "found_at_ns": listed + 2 * NS_PER_DAY, "is_suspicious": suspicious,
        "listed_at_ns": listed, "propensity": propensity,
    }  # fmt: skip


def test_a_finding_labels_the_week_before_its_listing_and_nobody_else() -> None:
    table = pa.Table.from_pylist([finding("a", 20, True), finding("b", 20, False, 0.1)], schema=NEEDED)
    customers = pa.array(["a", "a", "a", "b", "b", "c"])
    times = np.array([12, 14, 21, 19, 20, 19]) * NS_PER_DAY
    found = found_rows(table, customers, times, 30 * NS_PER_DAY)
    assert found.is_labelled.tolist() == [False, True, False, True, True, False]
    assert found.is_suspicious.tolist() == [False, True, False, False, False, False]
    assert found.weights.tolist() == [1.0, 1.0, 1.0, 10.0, 10.0, 1.0]


def test_a_finding_that_is_not_known_yet_says_nothing_and_weights_are_cut_off() -> None:
    table = pa.Table.from_pylist([finding("a", 20, True), finding("b", 10, False, 0.001)], schema=NEEDED)
    found = found_rows(table, pa.array(["a", "b"]), np.array([19, 9]) * NS_PER_DAY, 21 * NS_PER_DAY)
    assert found.is_labelled.tolist() == [False, True]
    assert found.weights[1] == WEIGHT_MAX


def test_from_the_windows_end_on_the_truth_is_not_asked() -> None:
    tables = easy_history()
    until, end = START_NS + 20 * NS_PER_DAY, START_NS + DAYS * NS_PER_DAY
    split = TimeSplit(START_NS + 2 * NS_PER_DAY, START_NS + 14 * NS_PER_DAY, until, end)
    told = [finding("c3", 20_025, True), finding("c4", 20_025, False, 0.5)]
    told_tables = dataclasses.replace(tables, findings=pa.Table.from_pylist(told, schema=NEEDED))
    history = labelled_rows(told_tables, split, AmlTrainSettings()).history
    taught = history.teaching(split.later(history.time_ns))
    later = int((tables.transfers["event_time_ns"].to_numpy() >= until).sum())
    assert 0 < len(taught) < later, "who was not looked at teaches nothing"
    assert len(np.unique(history.cards[taught])) == 2
    assert len(np.unique(history.cards[taught[history.labels[taught]]])) == 1
    assert history.weights is not None
    assert set(history.weights[taught].tolist()) == {1.0, 2.0}
    before = labelled_rows(tables, split, AmlTrainSettings()).history
    early, told_before = history.time_ns < until, before.time_ns < until
    assert np.array_equal(history.labels[early], before.labels[told_before])
