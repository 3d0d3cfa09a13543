"""From history into the stream: what the load sends closes every day in time, and no fraud counts twice."""

import numpy as np
import pytest

from harness.feed import DISPOSITIONS, dispositions_between, side_messages
from models.features.day_table import DayTable
from models.features.ledger import CODED, RiskLedger
from models.features.offline import compute_history
from scorer.day_closing import DayCloser, PlaceEvent
from streams.codec import decode_day_end, decode_disposition
from streams.labels import NS_PER_DAY, Disposition, calendar_day
from streams.transaction import CardTransaction
from tests.unit.models.features.streams import VOCABULARY, StreamShape, as_table, random_labels, random_stream

SHAPE = StreamShape(events=500, cards=5, days=50.0, late_share=0.0, repeat_share=0.0, merchants=6)


def rows(table: DayTable) -> dict[str, list[float]]:
    """Rows by kind and id, in an order of their own."""
    return {
        f"{kind}/{place}": row
        for kind, found in table.places.items()
        for place, row in zip(found.ids, found.values.tolist(), strict=True)
    }


def place_event(event: CardTransaction) -> PlaceEvent:
    ids = {f"{name}_id": getattr(event, f"{name}_id") for name in CODED}
    return PlaceEvent(event_id=event.event_id, event_time_ns=event.event_time_ns, **ids)


def truth(day: int, delay_days: int, events: list[CardTransaction], frauds: list[Disposition]) -> DayTable:
    """The table of one who sees everything at once."""
    ledger = RiskLedger.empty(delay_days)
    ids = {name: [getattr(event, f"{name}_id") for event in events] for name in CODED}
    ledger.add_transactions([event.event_time_ns for event in events], ids)
    ledger.add_dispositions(frauds)
    return ledger.close(day)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("delay_days", [0, 1, 7])
def test_every_day_closes_in_time_and_every_fraud_counts_once(seed: int, delay_days: int) -> None:
    events = random_stream(seed, SHAPE)
    labels = random_labels(seed, events, fraud_share=0.5)
    until_ns = (events[300].event_time_ns // NS_PER_DAY + 1) * NS_PER_DAY
    cut = sum(event.event_time_ns < until_ns for event in events)
    history = compute_history(as_table(events[:cut]), labels.slice(0, cut), VOCABULARY, delay_days, until_ns=until_ns)
    found = dispositions_between(as_table(events), labels, until_ns, events[-1].event_time_ns)
    stream = events[cut:]
    side = side_messages(np.array([event.event_time_ns for event in stream], np.int64), found)
    closer = DayCloser(history.ledger, history.ledger.last_closed + 1)
    tables: list[DayTable] = []
    sent = 0
    for row, event in enumerate(stream):
        while sent < len(side.before) and side.before[sent] <= row:
            if side.topic[sent] == DISPOSITIONS:
                closer.add_dispositions([decode_disposition(side.values[sent])])
            else:
                closer.add_day_end(decode_day_end(side.values[sent]))
            sent += 1
        tables += closer.close_ready()
        assert closer.next_day > calendar_day(event.event_time_ns) - 1
        closer.add_events([place_event(event)])
    assert sent == len(side.before)
    reported = dispositions_between(as_table(events), labels, 0, 2 * events[-1].event_time_ns).to_pylist()
    frauds = [Disposition(**row) for row in reported]
    assert len(tables) > 10
    for table in tables:
        np.testing.assert_equal(rows(table), rows(truth(table.day, delay_days, events, frauds)))
