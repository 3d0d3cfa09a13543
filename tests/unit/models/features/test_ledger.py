"""The ledger against its definition, whatever the order in which things reach it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features import visitor_ledger
from models.features.day_table import DayTable
from models.features.ledger import CODED, RiskLedger
from models.features.place_kinds import TERMINAL
from models.features.snapshot import SnapshotError
from models.features.state import FeatureState
from models.features.table_messages import to_messages
from streams.codec import encode
from streams.errors import BadInputError
from streams.labels import CUT_OFF_NS, NS_PER_DAY, Disposition
from streams.transaction import CardTransaction
from tests.unit.models.features.oracle import Booked, table_rows

FIRST_DAY = 19_000


def assert_table(table: DayTable, entries: list[Booked], delay_days: int) -> None:
    for kind, expected in table_rows(entries, table.day, delay_days).items():
        rows = table.places[kind]
        assert len(set(rows.ids)) == len(rows.ids)
        found = dict(zip(rows.ids, rows.values.tolist(), strict=True))
        assert found.keys() == expected.keys()
        for place, row in expected.items():
            np.testing.assert_array_equal(np.array(found[place], np.float32), np.array(row, np.float32), place)


def random_bookings(seed: int, many: int = 400, days: int = 60) -> list[Booked]:
    """Transactions with their card and places, in event-time order."""
    rng = np.random.default_rng(seed)
    times = FIRST_DAY * NS_PER_DAY + np.sort(rng.integers(0, days * NS_PER_DAY, many))
    found = []
    for time_ns in times.tolist():
        reported = time_ns + int(rng.exponential(5) * NS_PER_DAY) if rng.random() < 0.3 else None
        terminal, merchant, device = (f"{kind}{rng.integers(12)}" if rng.random() < 0.9 else None for kind in "tmd")
        found.append(Booked(f"c{rng.integers(40)}", terminal, merchant, device, time_ns, reported))
    return found


def columns(entries: list[Booked]) -> dict[str, list[str | None]]:
    return {name: [getattr(entry, name) for entry in entries] for name in CODED}


def add(ledger: RiskLedger, entries: list[Booked], first: int = 0) -> int:
    ids = [f"event{first + number}" for number in range(len(entries))]
    return ledger.add_transactions([entry.time_ns for entry in entries], columns(entries), ids)


def dispositions(entries: list[Booked]) -> list[Disposition]:
    return [
        Disposition(
            event_id=f"event{number}",
            event_time_ns=entry.time_ns,
            reported_at_ns=entry.reported_at_ns,
            is_fraud=True,
            card_id=entry.card,
            terminal_id=entry.terminal,
            merchant_id=entry.merchant,
            device_id=entry.device,
        )
        for number, entry in enumerate(entries)
        if entry.reported_at_ns is not None
    ]


def message(entry: Booked, event_id: str) -> bytes:
    ids = {f"{name}_id": getattr(entry, name) for name in CODED}
    return encode(
        CardTransaction(event_id=event_id, event_time_ns=entry.time_ns, amount_minor=1, currency="EUR", **ids)
    )


def test_messages_are_booked_as_their_fields_are() -> None:
    booked = random_bookings(5)
    as_fields, as_messages = RiskLedger.empty(2), RiskLedger.empty(2)
    for begin in range(0, len(booked), 60):
        part = [*booked[begin : begin + 60], booked[begin]]  # one comes again
        ids = [f"event{begin + number}" for number in range(len(part) - 1)]
        ids.append(ids[0])
        plain = as_messages.read([message(entry, name) for entry, name in zip(part, ids, strict=True)])
        assert plain is not None
        assert as_messages.add_read(plain) == as_fields.add_transactions(
            [entry.time_ns for entry in part], columns(part), ids
        )
    for ledger in (as_fields, as_messages):
        ledger.add_dispositions(dispositions(booked))
    for day in range(FIRST_DAY, FIRST_DAY + 62):
        assert to_messages(as_messages.close(day), 100_000) == to_messages(as_fields.close(day), 100_000)


@pytest.mark.parametrize("delay_days", [0, 1, 7])
@pytest.mark.parametrize("seed", range(3))
def test_every_table_is_as_defined(seed: int, delay_days: int) -> None:
    booked = random_bookings(seed)
    ledger = RiskLedger.empty(delay_days)
    add(ledger, booked)
    ledger.add_dispositions(dispositions(booked))
    for day in (FIRST_DAY - 1, *range(FIRST_DAY, FIRST_DAY + 100, 7), FIRST_DAY + 100):
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
    for day in range(FIRST_DAY, FIRST_DAY + 90, 9):
        assert_table(ledger.close(day), booked, 7)


def test_what_is_closed_day_by_day_is_what_a_latecomer_would_close() -> None:
    booked = random_bookings(5)
    daily = RiskLedger.empty(7)
    taken = reported = 0
    found = sorted(dispositions(booked), key=lambda report: report.reported_at_ns)
    for day in range(FIRST_DAY, FIRST_DAY + 80):
        end_ns = (day + 1) * NS_PER_DAY - CUT_OFF_NS
        until = sum(entry.time_ns < end_ns for entry in booked)
        add(daily, booked[taken:until], taken)
        known = sum(report.reported_at_ns < end_ns for report in found)
        daily.add_dispositions(found[reported:known])
        taken, reported = until, known
        table = daily.close(day)
        if day % 6 == 0:
            assert_table(table, booked, 7)


bookings = st.lists(
    st.tuples(
        st.sampled_from(["x", "y"]),
        st.sampled_from(["a", "b", None]),
        st.integers(0, 45 * 24),
        st.none() | st.integers(0, 20 * 24),
    ),
    max_size=40,
)


@given(bookings, st.integers(0, 8), st.integers(0, 60))
def test_any_table_is_as_defined(entries: list[tuple[str, str | None, int, int | None]], delay: int, day: int) -> None:
    hour = NS_PER_DAY // 24
    booked = []
    for card, place, at, later in entries:
        time_ns = FIRST_DAY * NS_PER_DAY + at * hour
        reported = None if later is None else time_ns + later * hour
        booked.append(Booked(card, place, place, place, time_ns, reported))
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
    assert to_messages(first) == to_messages(second)
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
    old = Booked("c", "a", "a", "a", FIRST_DAY * NS_PER_DAY, FIRST_DAY * NS_PER_DAY + 1)
    add(ledger, [old])
    ledger.add_dispositions(dispositions([old]))
    assert ledger.too_old == 2
    assert all(rows.ids == () for rows in ledger.close(FIRST_DAY + 101).places.values())


def test_cleared_alerts_are_no_fraud() -> None:
    booked = random_bookings(8, many=20, days=3)
    ledger = RiskLedger.empty(0)
    add(ledger, booked)
    cleared = [
        Disposition(event_id="event1", event_time_ns=1, reported_at_ns=2, is_fraud=False, card_id="c", terminal_id="t1")
    ]
    assert ledger.add_dispositions(cleared) == 0
    table = ledger.close(FIRST_DAY + 3)
    risk_30d = [column.name for column in TERMINAL.columns].index("risk_30d")
    assert set(table.places["terminal"].values[:, risk_30d].tolist()) == {0.0}


@pytest.mark.parametrize("cut", [FIRST_DAY - 5, FIRST_DAY + 20, FIRST_DAY + 45])
def test_a_restored_ledger_goes_on_identically(tmp_path: Path, cut: int) -> None:
    booked = random_bookings(9)
    ledger = RiskLedger.empty(7)
    add(ledger, booked[:250])
    ledger.add_dispositions(dispositions(booked[:250]))
    ledger.close(cut)
    ledger.save(tmp_path / "ledger.state", {"events-0": 250})
    restored, offsets = RiskLedger.load(tmp_path / "ledger.state")
    assert offsets == {"events-0": 250}
    for one in (ledger, restored):
        assert add(one, booked[240:], 240) >= len(booked) - 250
    for day in range(cut, FIRST_DAY + 80):
        assert to_messages(ledger.close(day)) == to_messages(restored.close(day))
    assert restored.too_old == ledger.too_old


def test_made_ready_with_cards_that_came_after_the_last_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own indexing looks at the bounds, which the compiled kernel does not."""
    monkeypatch.setattr(visitor_ledger, "keep_marked", getattr(visitor_ledger.keep_marked, "py_func"))  # noqa: B009
    ledger = RiskLedger.empty(0)
    noon_ns = FIRST_DAY * NS_PER_DAY + NS_PER_DAY // 2
    ledger.add_transactions([noon_ns], {"card": ["early"], "merchant": ["m"]})
    ledger.close(FIRST_DAY)
    ledger.add_transactions([noon_ns], {"card": ["late"], "merchant": ["m"]})
    ledger.save(tmp_path / "ledger.state", {})
    RiskLedger.load(tmp_path / "ledger.state")[0].make_ready()


@given(st.integers(0, 2), st.integers(0, 300), st.integers(0, 2))
def test_saved_anywhere_and_restored_is_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int, closes: int
) -> None:
    booked = random_bookings(seed, many=300, days=30)
    found = dispositions(booked)
    ledger, whole = RiskLedger.empty(7), RiskLedger.empty(7)
    path = tmp_path_factory.mktemp("saved") / "ledger.state"
    for one in (ledger, whole):
        add(one, booked[:cut])
        one.add_dispositions(found[: cut // 4])
        for day in range(closes):
            one.close(FIRST_DAY + 8 + day)
    ledger.save(path, {"events-0": cut})
    restored = RiskLedger.load(path)[0]
    for one in (restored, whole):
        add(one, booked[cut:], cut)
        one.add_dispositions(found[cut // 4 :])
    for day in (FIRST_DAY + 20, FIRST_DAY + 33):
        assert to_messages(restored.close(day)) == to_messages(whole.close(day))


@pytest.mark.parametrize("place", [5, 200, -1])
def test_a_damaged_ledger_is_refused_and_named(tmp_path: Path, place: int) -> None:
    path = tmp_path / "ledger.state"
    ledger = RiskLedger.empty(7)
    add(ledger, random_bookings(1, many=50))
    ledger.save(path, {})
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"ledger\.state"):
        RiskLedger.load(path)


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
    assert ledger.add_transactions(times, {"card": ["c"], "terminal": ["t"]}) == 1
    assert ledger.close(FIRST_DAY).places["terminal"].ids == ("t",)
