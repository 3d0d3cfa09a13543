"""Messages and columns are coded alike, whether they are few or many."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.coding import FEW, EventCoder
from streams.errors import BadInputError
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction
from tests.unit.models.features.batches import assert_same
from tests.unit.models.features.transactions import VOCABULARY, transactions

EVENTS = transactions(
    st.sampled_from(["a", "b", "käse", "漢"]),
    st.just("EUR"),
    latitudes=st.floats(-90, 90),
    longitudes=st.floats(-180, 180),
)


def table_of(events: list[CardTransaction]) -> pa.Table:
    columns = {name: [getattr(event, name) for event in events] for name in TRANSACTION_SCHEMA.names}
    return pa.table(columns, schema=TRANSACTION_SCHEMA)


@given(st.lists(EVENTS, max_size=2 * FEW))
def test_messages_are_coded_as_columns_are(events: list[CardTransaction]) -> None:
    assert_same(EventCoder(VOCABULARY).code_events(events), EventCoder(VOCABULARY).code_table(table_of(events)))


@given(st.lists(EVENTS, min_size=FEW + 1, max_size=3 * FEW))
def test_many_are_coded_as_one_by_one(events: list[CardTransaction]) -> None:
    whole, single = EventCoder(VOCABULARY), EventCoder(VOCABULARY)
    together = whole.code_events(events)
    for row, event in enumerate(events):
        assert_same(together.take(slice(row, row + 1)), single.code_events([event]))


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_a_position_off_the_globe_is_refused_by_row(count: int) -> None:
    event = CardTransaction(
        event_id="e", event_time_ns=0, card_id="c", amount_minor=1, currency="EUR", latitude=91.0, longitude=0.0
    )
    with pytest.raises(BadInputError, match="row 0: position 91"):
        EventCoder(VOCABULARY).code_events([event] * count)
