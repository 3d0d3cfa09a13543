"""When business days are closed, and what is published."""

import numpy as np

from models.features.day_table import DayTable
from models.features.ledger import RiskLedger
from models.features.table_messages import DayTableAssembler, to_messages
from scorer.day_closing import DayCloser, PlaceEvent
from scorer.nightly import Nightly
from scorer.nightly_role import rehearse_closing
from streams.codec import encode
from streams.labels import NS_PER_DAY, NS_PER_HOUR, DayEnd, Disposition
from streams.topics import Topics
from streams.transaction import CardTransaction

FIRST = 20_000
TOPICS = Topics("t")


def closer(delay: int = 2) -> DayCloser:
    return DayCloser(RiskLedger.empty(delay), FIRST)


def place_event(name: str, day: int, terminal: str = "t1") -> PlaceEvent:
    """An event in the middle of a business day."""
    time_ns = day * NS_PER_DAY + 10 * NS_PER_HOUR
    return PlaceEvent(event_id=name, event_time_ns=time_ns, card_id="c", terminal_id=terminal)


def fraud(name: str, day: int, reported_day: int, terminal: str = "t1") -> Disposition:
    return Disposition(
        event_id=name,
        event_time_ns=day * NS_PER_DAY + 10 * NS_PER_HOUR,
        reported_at_ns=reported_day * NS_PER_DAY + 11 * NS_PER_HOUR,
        is_fraud=True,
        card_id="c",
        terminal_id=terminal,
    )


def end(day: int, events: int, dispositions: int = 0) -> DayEnd:
    return DayEnd(day=day, events=events, dispositions=dispositions)


def days(tables: list[DayTable]) -> list[int]:
    return [table.day for table in tables]


def terminal_values(table: DayTable) -> list[list[float]]:
    found: list[list[float]] = table.places["terminal"].values.tolist()
    return found


def test_a_day_without_events_closes_with_its_trailer() -> None:
    book = closer()
    assert book.close_ready() == []
    book.add_day_end(end(FIRST, events=0))
    assert days(book.close_ready()) == [FIRST]
    assert book.next_day == FIRST + 1


def test_a_day_waits_for_its_events() -> None:
    book = closer()
    for day in range(FIRST, FIRST + 3):
        book.add_day_end(end(day, events=2 * (day - FIRST + 1)))
    assert book.close_ready() == []
    book.add_events([place_event("a", FIRST), place_event("b", FIRST)])
    assert days(book.close_ready()) == [FIRST]
    book.add_events([place_event("c", FIRST + 1)])
    assert book.close_ready() == []
    book.add_events([place_event("d", FIRST + 1), place_event("e", FIRST + 2), place_event("f", FIRST + 2)])
    tables = book.close_ready()
    assert days(tables) == [FIRST + 1, FIRST + 2]
    assert terminal_values(tables[1])[0][0] == 2  # count_1d with a delay of 2 days: the events of FIRST


def test_a_day_waits_for_the_dispositions_reported_in_it() -> None:
    book = closer(delay=0)
    book.add_events([place_event("a", FIRST), place_event("b", FIRST)])
    book.add_day_end(end(FIRST, events=2, dispositions=1))
    assert book.close_ready() == []
    book.add_dispositions([fraud("a", FIRST, FIRST)])
    (table,) = book.close_ready()
    assert terminal_values(table)[0][:6] == [2, 2, 2, 0.5, 0.5, 0.5]


def test_a_disposition_of_a_later_day_does_not_count_for_this_one() -> None:
    book = closer(delay=0)
    book.add_events([place_event("a", FIRST)])
    book.add_dispositions([fraud("a", FIRST, FIRST + 1)])
    book.add_day_end(end(FIRST, events=1, dispositions=1))
    assert book.close_ready() == []
    book.add_day_end(end(FIRST, events=1, dispositions=0))
    (table,) = book.close_ready()
    assert terminal_values(table)[0][3] == 0


def test_repeated_events_count_for_the_totals_and_not_for_the_ledger() -> None:
    book = closer(delay=0)
    book.add_events([place_event("a", FIRST), place_event("a", FIRST), place_event("b", FIRST)])
    book.add_day_end(end(FIRST, events=3))
    (table,) = book.close_ready()
    assert terminal_values(table)[0][0] == 2
    assert (book.events, book.repeated) == (3, 1)


def test_a_day_without_a_trailer_is_closed_by_the_next_one() -> None:
    book = closer(delay=0)
    book.add_events([place_event("a", FIRST + 2)])
    book.add_day_end(end(FIRST + 2, events=1))
    assert days(book.close_ready()) == [FIRST, FIRST + 1, FIRST + 2]


def test_the_order_of_arrival_does_not_matter() -> None:
    events = [place_event(f"e{number}", FIRST + number % 3, f"t{number % 4}") for number in range(24)]
    frauds = [fraud(f"e{number}", FIRST + number % 3, FIRST + 2, f"t{number % 4}") for number in range(0, 24, 5)]
    ends = [end(FIRST + day, events=8 * (day + 1), dispositions=len(frauds) if day == 2 else 0) for day in range(3)]
    found = []
    for order in (range(24), reversed(range(24))):
        book = closer(delay=1)
        book.add_dispositions(frauds)
        for trailer in ends:
            book.add_day_end(trailer)
        tables = book.close_ready()
        for row in order:
            book.add_events([events[row]])
            tables += book.close_ready()
        found.append(
            [
                (table.day, dict(zip(table.places["terminal"].ids, terminal_values(table), strict=True)))
                for table in tables
            ]
        )
    assert [day for day, _ in found[0]] == [FIRST, FIRST + 1, FIRST + 2]
    np.testing.assert_equal(found[0], found[1])


def test_the_job_reads_its_topics_and_leaves_out_what_it_cannot_read() -> None:
    published: list[DayTable] = []
    job = Nightly(closer(delay=0), TOPICS, published.append)
    transaction = CardTransaction(
        event_id="a", event_time_ns=FIRST * NS_PER_DAY, card_id="c", amount_minor=1, currency="EUR", merchant_id="m"
    )
    job.take(TOPICS.events, [encode(transaction), b"{", b'{"event_id": 7}', "é".encode("latin-1")])
    job.take(TOPICS.day_ends, [encode(end(FIRST, events=1))])
    job.close_days()
    assert days(published) == [FIRST]
    assert published[0].places["merchant"].ids == ("m",)
    told = job.summary("ready")
    assert (told["events"], told["unreadable"], told["tables_published"], told["last_day"]) == (1, 3, 1, FIRST)


def test_what_is_published_is_what_is_installed() -> None:
    book = closer(delay=0)
    book.add_events([place_event(f"e{number}", FIRST, f"t{number}") for number in range(50)])
    book.add_day_end(end(FIRST, events=50))
    (table,) = book.close_ready()
    assembler = DayTableAssembler()
    (found,) = [whole for part in to_messages(table, 1_024) if (whole := assembler.add(part)) is not None]
    assert found.places["terminal"].ids == table.places["terminal"].ids
    np.testing.assert_array_equal(terminal_values(found), terminal_values(table))


def test_the_rehearsal_leaves_no_trace() -> None:
    rehearse_closing(7)


def test_no_day_waits_for_a_message_that_nobody_can_read() -> None:
    published: list[DayTable] = []
    nightly = Nightly(closer(delay=0), TOPICS, published.append)
    event = CardTransaction(event_id="a", event_time_ns=FIRST * NS_PER_DAY, card_id="c", amount_minor=1, currency="EUR")
    nightly.take(TOPICS.events, [encode(event), b"no transaction"])
    nightly.take(TOPICS.day_ends, [encode(end(FIRST, events=2))])
    nightly.close_days()
    assert days(published) == [FIRST]
    assert nightly.counters.unreadable == 1
