"""The ledger against its definition, whatever the order in which things reach it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Float32s
from models.features.day_table import DayTable
from models.features.ledger import RiskLedger
from models.features.snapshot import SnapshotError
from models.features.state import FeatureState
from streams.errors import BadInputError
from streams.labels import CUT_OFF_NS, NS_PER_DAY, Disposition
from tests.unit.models.features.oracle import Booked, PlaceRow, place_rows

FIRST_DAY = 19_000


def as_rows(ids: tuple[str, ...], values: Float32s) -> dict[str, list[float]]:
    assert len(set(ids)) == len(ids)
    return dict(zip(ids, values.tolist(), strict=True))


def assert_same_rows(found: dict[str, list[float]], expected: dict[str, PlaceRow]) -> None:
    assert found.keys() == expected.keys()
    for place, row in expected.items():
        np.testing.assert_array_equal(np.array(found[place], np.float32), np.array(row, np.float32), place)


def assert_table(table: DayTable, booked: list[tuple[Booked, Booked]], delay_days: int) -> None:
    terminals = place_rows([terminal for terminal, _ in booked], table.day, delay_days)
    merchants = place_rows([merchant for _, merchant in booked], table.day, delay_days)
    assert_same_rows(as_rows(table.terminal_ids, table.terminal_values), terminals)
    assert_same_rows(as_rows(table.merchant_ids, table.merchant_values), merchants)


def random_bookings(seed: int, many: int = 800, days: int = 60) -> list[tuple[Booked, Booked]]:
    """Transactions with their terminal and merchant, in event-time order."""
    rng = np.random.default_rng(seed)
    times = FIRST_DAY * NS_PER_DAY + np.sort(rng.integers(0, days * NS_PER_DAY, many))
    found = []
    for time_ns in times.tolist():
        reported = time_ns + int(rng.exponential(5) * NS_PER_DAY) if rng.random() < 0.3 else None
        names = [f"{kind}{rng.integers(12)}" if rng.random() < 0.9 else None for kind in "tm"]
        found.append((Booked(names[0], time_ns, reported), Booked(names[1], time_ns, reported)))
    return found


def add(ledger: RiskLedger, booked: list[tuple[Booked, Booked]], first: int = 0) -> int:
    return ledger.add_transactions(
        [terminal.time_ns for terminal, _ in booked],
        [terminal.place for terminal, _ in booked],
        [merchant.place for _, merchant in booked],
        [f"event{first + number}" for number in range(len(booked))],
    )


def dispositions(booked: list[tuple[Booked, Booked]]) -> list[Disposition]:
    return [
        Disposition(
            event_id=f"event{number}",
            event_time_ns=terminal.time_ns,
            reported_at_ns=terminal.reported_at_ns,
            is_fraud=True,
            card_id="c",
            terminal_id=terminal.place,
            merchant_id=merchant.place,
        )
        for number, (terminal, merchant) in enumerate(booked)
        if terminal.reported_at_ns is not None
    ]


@pytest.mark.parametrize("delay_days", [0, 1, 7])
@pytest.mark.parametrize("seed", range(3))
def test_every_table_is_as_defined(seed: int, delay_days: int) -> None:
    booked = random_bookings(seed)
    ledger = RiskLedger.empty(delay_days)
    add(ledger, booked)
    ledger.add_dispositions(dispositions(booked))
    for day in range(FIRST_DAY - 1, FIRST_DAY + 100):
        assert_table(ledger.close(day), booked, delay_days)


@pytest.mark.parametrize("seed", range(3))
def test_things_may_come_in_any_order_and_more_than_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    booked = random_bookings(seed)
    found = dispositions(booked)
    ledger = RiskLedger.empty(7)
    rows = rng.permutation(len(booked)).tolist()
    for row in [*rows, *rows[:50]]:
        add(ledger, [booked[row]], first=row)
    for row in [*rng.permutation(len(found)).tolist(), 0, 1, 2]:
        ledger.add_dispositions([found[row]])
    for day in range(FIRST_DAY, FIRST_DAY + 90, 3):
        assert_table(ledger.close(day), booked, 7)


def test_what_is_closed_day_by_day_is_what_a_latecomer_would_close() -> None:
    booked = random_bookings(5)
    daily = RiskLedger.empty(7)
    taken = reported = 0
    found = sorted(dispositions(booked), key=lambda report: report.reported_at_ns)
    for day in range(FIRST_DAY, FIRST_DAY + 80):
        end_ns = (day + 1) * NS_PER_DAY - CUT_OFF_NS
        until = sum(terminal.time_ns < end_ns for terminal, _ in booked)
        add(daily, booked[taken:until], taken)
        known = sum(report.reported_at_ns < end_ns for report in found)
        daily.add_dispositions(found[reported:known])
        taken, reported = until, known
        assert_table(daily.close(day), booked, 7)


bookings = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.integers(0, 45 * 24),
        st.none() | st.integers(0, 20 * 24),
    ),
    max_size=40,
)


@given(bookings, st.integers(0, 8), st.integers(0, 60))
def test_any_table_is_as_defined(entries: list[tuple[str | None, int, int | None]], delay: int, day: int) -> None:
    hour = NS_PER_DAY // 24
    booked = []
    for place, at, later in entries:
        time_ns = FIRST_DAY * NS_PER_DAY + at * hour
        entry = Booked(place, time_ns, None if later is None else time_ns + later * hour)
        booked.append((entry, entry))
    ledger = RiskLedger.empty(delay)
    add(ledger, booked)
    ledger.add_dispositions(dispositions(booked))
    assert_table(ledger.close(FIRST_DAY + day), booked, delay)


def test_a_day_can_be_closed_again_but_not_an_earlier_one() -> None:
    booked = random_bookings(6)
    ledger = RiskLedger.empty(7)
    add(ledger, booked)
    ledger.add_dispositions(dispositions(booked))
    first, second = ledger.close(FIRST_DAY + 40), ledger.close(FIRST_DAY + 40)
    assert first.to_messages() == second.to_messages()
    with pytest.raises(BadInputError, match=f"{FIRST_DAY + 40} is closed already"):
        ledger.close(FIRST_DAY + 39)


def test_repeats_are_left_out_and_counted_by_the_caller() -> None:
    booked = random_bookings(7, many=50)
    ledger = RiskLedger.empty(7)
    assert add(ledger, booked) == 50
    assert add(ledger, booked) == 0
    found = dispositions(booked)
    assert ledger.add_dispositions(found) == len(found)
    assert ledger.add_dispositions(found) == 0


def test_what_is_too_old_for_any_table_is_counted() -> None:
    ledger = RiskLedger.empty(7)
    ledger.close(FIRST_DAY + 100)
    old = Booked("a", FIRST_DAY * NS_PER_DAY, FIRST_DAY * NS_PER_DAY + 1)
    add(ledger, [(old, old)])
    ledger.add_dispositions(dispositions([(old, old)]))
    assert ledger.too_old == 2
    assert ledger.close(FIRST_DAY + 101).terminal_ids == ()


def test_cleared_alerts_are_no_fraud() -> None:
    booked = random_bookings(8, many=20, days=3)
    ledger = RiskLedger.empty(0)
    add(ledger, booked)
    cleared = [
        Disposition(event_id="event1", event_time_ns=1, reported_at_ns=2, is_fraud=False, card_id="c", terminal_id="t1")
    ]
    assert ledger.add_dispositions(cleared) == 0
    table = ledger.close(FIRST_DAY + 3)
    assert set(table.terminal_values[:, 5].tolist()) == {0.0}


@pytest.mark.parametrize("cut", [FIRST_DAY - 5, FIRST_DAY + 20, FIRST_DAY + 45])
def test_a_restored_ledger_goes_on_identically(tmp_path: Path, cut: int) -> None:
    booked = random_bookings(9)
    ledger = RiskLedger.empty(7)
    add(ledger, booked[:500])
    ledger.add_dispositions(dispositions(booked[:500]))
    ledger.close(cut)
    ledger.save(tmp_path / "ledger.state", {"events-0": 500})
    restored, offsets = RiskLedger.load(tmp_path / "ledger.state")
    assert offsets == {"events-0": 500}
    for one in (ledger, restored):
        assert add(one, booked[490:], 490) >= len(booked) - 500
    for day in range(cut, FIRST_DAY + 80):
        assert ledger.close(day).to_messages() == restored.close(day).to_messages()
    assert restored.too_old == ledger.too_old


def test_a_snapshot_of_a_state_is_no_ledger(tmp_path: Path) -> None:
    from models.features.batch import Vocabulary

    FeatureState.empty(Vocabulary((), ())).save(tmp_path / "features.state", {})
    with pytest.raises(SnapshotError, match="holds feature state, not risk ledger"):
        RiskLedger.load(tmp_path / "features.state")


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(BadInputError, match="label_delay_days is -1"):
        RiskLedger.empty(-1)


def test_columns_of_other_types_are_taken_as_they_are() -> None:
    ledger = RiskLedger.empty(0)
    times = pa.array([FIRST_DAY * NS_PER_DAY]).to_numpy()
    assert ledger.add_transactions(times, ["t"], [None]) == 1
    assert ledger.close(FIRST_DAY).terminal_ids == ("t",)
