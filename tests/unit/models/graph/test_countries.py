"""Countries abroad: how long an account has known one, and what it moves where it is new."""

from collections.abc import Sequence

import msgspec
import numpy as np

from models.graph.catalog import AML_FEATURE_INDEX
from models.graph.kernel.layout import COUNTRIES_MET, MET_DAYS_MAX
from models.graph.markets import every_market
from models.graph.state import GraphState
from streams.account import ACCOUNT_SCHEMA
from streams.transfer import Transfer
from tests.unit.models.graph.transfers import TABLE, account_rows, account_table, at_hour, fresh_state

MET = "days_since_country_met"
NEW = ("new_country_count_30d", "new_country_sum_30d")


def abroad(number: int, day: float, country: str, usd: float = 1_000.0) -> Transfer:
    """Account a1, at home in Germany by the transfer's own word, pays somebody abroad whom no bank here knows."""
    paid = at_hour(number, 24 * day, "a1", None, usd)
    return msgspec.structs.replace(paid, from_country="DE", to_country=country)


def senders(events: Sequence[Transfer], *names: str, state: GraphState | None = None) -> list[list[float]]:
    """Features of each transfer's sender."""
    state = state or fresh_state()
    rows = state.compute(state.code_events(events)).values[::2]
    found: list[list[float]] = rows[:, [AML_FEATURE_INDEX[name] for name in names]].tolist()
    return found


def test_a_country_is_new_once_however_long_the_silences() -> None:
    days = [0, 0.5, 29, 75, 95, 500]
    events = [abroad(number, day, "FR") for number, day in enumerate(days)]
    found = senders(events, MET, *NEW)
    assert [row[0] for row in found] == [0, 0, 29, 75, 95, MET_DAYS_MAX]
    assert [row[1] for row in found] == [1, 2, 3, 0, 0, 0]
    assert [row[2] for row in found] == [1_000, 2_000, 3_000, 0, 0, 0]


def test_a_corridor_that_begins_shows_beside_one_of_years() -> None:
    usual = [abroad(month, 30 * month, "US", 300.0) for month in range(20)]
    begun = [abroad(100 + number, 575 + number, "KP", 200.0) for number in range(3)]
    assert senders([*usual, *begun], MET, *NEW)[-4:] == [[120, 0, 0], [0, 1, 200], [1, 2, 400], [2, 3, 600]]


def test_paying_a_country_and_being_paid_from_it_are_met_apart() -> None:
    paid = abroad(0, 0, "FR")
    got = msgspec.structs.replace(at_hour(1, 24 * 40, None, "a1", 50.0), from_country="FR", to_country="DE")
    state = fresh_state()
    rows = state.compute(state.code_events([paid, got])).values
    assert rows[3, [AML_FEATURE_INDEX[name] for name in (MET, *NEW)]].tolist() == [0, 1, 50]


def test_a_late_transfer_is_told_what_was_known_at_its_time_and_moves_the_first_day() -> None:
    late = [abroad(0, 10, "FR"), abroad(1, 9.2, "FR"), abroad(2, 12, "FR")]
    assert [row[0] for row in senders(late, MET)] == [0, 0, 3]


def test_at_home_no_country_is_met() -> None:
    home, unknown = abroad(0, 0, "DE"), msgspec.structs.replace(abroad(1, 1, "FR"), to_country=None)
    found = senders([home, unknown], MET, *NEW)
    assert np.isnan([row[0] for row in found]).all()
    assert [row[1:] for row in found] == [[0, 0], [0, 0]]


def test_money_with_new_countries_is_held_against_the_declared_volume() -> None:
    expected = "new_country_to_expected_30d"
    rows = [row | {"expected_monthly_minor": 400_000, "currency": "USD"} for row in account_rows(0, 4)]
    known = GraphState(account_table(rows), TABLE)
    assert senders([abroad(0, 0, "FR")], expected, state=known) == [[0.25]]
    unknown = GraphState(ACCOUNT_SCHEMA.empty_table(), TABLE)
    assert np.isnan(senders([abroad(0, 0, "FR")], expected, state=unknown)).all()


def test_countries_no_table_names_are_one() -> None:
    assert [row[0] for row in senders([abroad(0, 0, "SE"), abroad(1, 7, "NO")], MET)] == [0, 7]


def test_beyond_its_room_an_account_forgets_the_country_met_last() -> None:
    table = every_market()
    countries = [code for code in table.countries if code != "DE"][: COUNTRIES_MET + 1]
    met = [abroad(day, day, country) for day, country in enumerate(countries)]
    again = [abroad(20, 20, countries[-2]), abroad(21, 21, countries[0]), abroad(22, 22, countries[-3])]
    found = senders([*met, *again], MET, state=GraphState(ACCOUNT_SCHEMA.empty_table(), table))
    assert [row[0] for row in found] == [0] * (COUNTRIES_MET + 1) + [0, 21, 22 - (COUNTRIES_MET - 2)]
