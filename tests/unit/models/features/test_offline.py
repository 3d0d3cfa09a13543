"""A whole history at once against the oracle, and against the same events scored online."""

import numpy as np
import pyarrow as pa
import pytest

from models.features.batch import Status
from models.features.catalog import FEATURE_NAMES
from models.features.ledger import CODED, RiskLedger
from models.features.offline import History, compute_history
from models.features.state import FeatureState
from streams.errors import BadInputError
from streams.labels import CUT_OFF_NS, NS_PER_DAY, business_day
from streams.transaction import CardTransaction
from tests.unit.models.features.oracle import DISTANCES, Oracle, Tables, booked, table_rows
from tests.unit.models.features.streams import (
    ORDERLY,
    VOCABULARY,
    StreamShape,
    as_table,
    random_labels,
    random_stream,
)

DELAY_DAYS = 3
SHAPE = StreamShape(events=400, cards=5, days=45.0, late_share=0.0, repeat_share=0.0, merchants=6)


def oracle_tables(events: list[CardTransaction], labels: pa.Table) -> Tables:
    entries = booked(events, labels.column("reported_at_ns").to_pylist())
    days = sorted({event.event_time_ns // NS_PER_DAY - 1 for event in events})
    return {day: table_rows(entries, day, DELAY_DAYS) for day in days}


@pytest.mark.parametrize("seed", range(3))
def test_a_history_is_as_the_oracle_says(seed: int) -> None:
    events = random_stream(seed, SHAPE)
    labels = random_labels(seed, events)
    history = compute_history(as_table(events), labels, VOCABULARY, DELAY_DAYS)
    values, status = Oracle(VOCABULARY, oracle_tables(events, labels)).rows(events)
    assert history.status.tolist() == [int(kind) for kind in status]
    for column, name in enumerate(FEATURE_NAMES):
        if name in DISTANCES:
            np.testing.assert_allclose(history.values[:, column], values[:, column], rtol=2e-6, atol=2e-4)
        else:
            np.testing.assert_array_equal(history.values[:, column], values[:, column], name)
    assert history.state.stale_lookups == 0


def online(events: list[CardTransaction], labels: pa.Table, batch: int) -> tuple[np.ndarray, list[int], int]:
    """Score the events in micro-batches; the nightly job closes each day at its cut-off and its table is installed."""
    state, ledger = FeatureState.empty(VOCABULARY), RiskLedger.empty(DELAY_DAYS)
    rows = labels.to_pylist()
    done_ns = 0
    values, status = [], []
    for start in range(0, len(events), batch):
        part = events[start : start + batch]
        coded = state.code_events(part)
        for day in state.missing_days(coded):
            end_ns = (day + 1) * NS_PER_DAY - CUT_OFF_NS
            known = [row for row in range(len(events)) if done_ns <= events[row].event_time_ns < end_ns]
            done_ns = end_ns
            frauds = [row for row in known if rows[row]["reported_at_ns"] is not None]
            ledger.add_transactions(
                [events[row].event_time_ns for row in known],
                {name: [getattr(events[row], f"{name}_id") for row in known] for name in CODED},
                [events[row].event_id for row in known],
            )
            ledger.add_reports(
                state.code_events([events[row] for row in frauds]).event_hash,
                np.array([events[row].event_time_ns for row in frauds], np.int64),
                np.array([rows[row]["reported_at_ns"] for row in frauds], np.int64),
                {
                    name: ledger.codes[name].encode([getattr(events[row], f"{name}_id") for row in frauds])
                    for name in CODED
                },
            )
            state.install(ledger.close(day))
        block = state.compute(coded)
        values.append(block.values)
        status.extend(block.status.tolist())
    return np.concatenate(values), status, state.stale_lookups


@pytest.mark.parametrize("batch", [1, 2, 7, 256])
def test_online_is_offline_bit_for_bit(batch: int) -> None:
    events = random_stream(6, StreamShape(**{**vars(SHAPE), "days": 12.0}))
    labels = random_labels(6, events)
    history = compute_history(as_table(events), labels, VOCABULARY, DELAY_DAYS)
    values, status, stale = online(events, labels, batch)
    assert values.tobytes() == history.values.tobytes()
    assert status == history.status.tolist()
    assert stale == 0


def warmed(cut: int, events: list[CardTransaction], labels: pa.Table, until_ns: int) -> History:
    return compute_history(as_table(events[:cut]), labels.slice(0, cut), VOCABULARY, DELAY_DAYS, until_ns=until_ns)


def test_a_history_goes_on_where_it_ended() -> None:
    events = random_stream(2, SHAPE)
    labels = random_labels(2, events)
    whole = compute_history(as_table(events), labels, VOCABULARY, DELAY_DAYS)
    until_ns = (events[200].event_time_ns // NS_PER_DAY + 1) * NS_PER_DAY
    cut = sum(event.event_time_ns < until_ns for event in events)
    history = warmed(cut, events, labels, until_ns)
    assert history.ledger.last_closed == until_ns // NS_PER_DAY - 1
    next_day = [event for event in events[cut:] if event.event_time_ns < until_ns + NS_PER_DAY]
    batch = history.state.code_events(next_day)
    assert history.state.missing_days(batch) == []
    np.testing.assert_array_equal(history.state.compute(batch).values, whole.values[cut : cut + len(next_day)])


def test_reports_from_the_end_on_are_left_to_the_stream() -> None:
    events = random_stream(2, SHAPE)
    labels = random_labels(2, events, fraud_share=1.0)
    until_ns = events[200].event_time_ns + 1
    history = warmed(201, events, labels, until_ns)
    known = [at for at in labels.column("reported_at_ns").to_pylist()[:201] if at is not None and at < until_ns]
    day = business_day(until_ns) + DELAY_DAYS
    history.ledger.close(day)
    taken = sum(sum(of_day.values()) for of_day in history.ledger.places["merchant"].frauds.values())
    placed = [
        row
        for row, at in enumerate(labels.column("reported_at_ns").to_pylist()[:201])
        if at is not None
        and at < until_ns
        and events[row].merchant_id
        and business_day(events[row].event_time_ns) > day - 33
    ]
    assert taken == len(placed) > 0
    assert len(known) < 201


def test_repeated_events_are_booked_once_and_have_no_row() -> None:
    events = random_stream(3, ORDERLY)
    twice = [event for event in events for _ in range(2)]
    once = compute_history(as_table(events), random_labels(3, events), VOCABULARY, 0)
    double = compute_history(as_table(twice), None, VOCABULARY, 0)
    assert (double.status[1::2] == Status.REPEATED).all()
    assert np.isnan(double.values[1::2]).all()
    counts = [FEATURE_NAMES.index(name) for name in FEATURE_NAMES if "_count_" in name]
    np.testing.assert_array_equal(double.values[::2][:, counts], once.values[:, counts])


def test_late_events_are_no_trouble() -> None:
    events = random_stream(4)
    history = compute_history(as_table(events), random_labels(4, events), VOCABULARY, 7)
    assert {int(kind) for kind in np.unique(history.status)} == {int(kind) for kind in Status}


def test_labels_that_do_not_match_are_refused() -> None:
    events = random_stream(5, ORDERLY)
    labels = random_labels(5, events)
    with pytest.raises(BadInputError, match=r"labels have 399 rows, events have 400"):
        compute_history(as_table(events), labels.slice(1), VOCABULARY, 7)
    swapped = labels.take([*range(7), 8, 7, *range(9, len(labels))])
    with pytest.raises(BadInputError, match=r"labels, row 7: event_id is event-8-é, the event there is event-7-é"):
        compute_history(as_table(events), swapped, VOCABULARY, 7)


def test_an_empty_history_is_an_empty_state() -> None:
    history = compute_history(as_table([]), None, VOCABULARY, 7)
    assert history.values.shape == (0, len(FEATURE_NAMES))
    assert history.state.cards == 0
