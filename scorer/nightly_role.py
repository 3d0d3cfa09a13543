"""Sets up and runs the nightly job of a run."""

from pathlib import Path

from models.bundle import Bundle
from models.features.ledger import RiskLedger
from models.features.table_messages import to_messages
from models.freezing import freeze
from scorer.day_closing import DayCloser
from scorer.engines import StopSignal
from scorer.health import NightlyMetrics
from scorer.kafka_links import KafkaLinks
from scorer.nightly import MESSAGE_BYTES_MAX, Nightly, TablePublisher, published_days, run_nightly
from scorer.options import RunOptions, required
from scorer.presence import Presence
from scorer.state_files import load_ledger
from streams.brokers.connection import connection_from
from streams.codec import encode
from streams.labels import NS_PER_DAY, DayEnd, Disposition
from streams.topics import Topics
from streams.transaction import CardTransaction

FETCH_AT_EASE = {"fetch.min.bytes": 65_536, "fetch.wait.max.ms": 25}
"""The broker gathers what comes in 25 ms, unless that is 64 KiB: nobody waits for the job message by message, and an
answer for each would cost the broker more than the job itself. At rates at which that is soon there, the next day's
events are soon there too, and wait for the table."""


def run_nightly_role(options: RunOptions, stop: StopSignal) -> None:
    """Run until stopped. Raises `RiskbenchError` for what cannot be used or reached."""
    who = "the nightly role"
    delay_days = None if options.bundle is None else Bundle.load(options.bundle).label_delay_days
    ledger = load_ledger(Path(required(options.state, "--state", who)), delay_days)
    topics = Topics(required(options.prefix, "--prefix", who))
    connection = connection_from(required(options.bootstrap_servers, "--bootstrap-servers", who), options.kafka_config)
    links = KafkaLinks(connection, topics)
    closer = DayCloser(ledger, ledger.last_closed + 1)
    published: set[int] = set()  # filled in once the topic is there
    nightly = Nightly(closer, topics, TablePublisher(links.producer(), topics).publish, published, options.plausible)
    rehearse_closing(ledger.label_delay_days)
    ledger.make_ready()
    with Presence(options, nightly.summary, NightlyMetrics(lambda: nightly.summary("ready"))) as presence:
        if not links.await_topics(options.topics_wait_s, stop):
            return
        published |= published_days(message.value() or b"" for message in links.whole((topics.day_tables,)))
        consumer = links.whole_topics((topics.events, topics.dispositions, topics.day_ends), FETCH_AT_EASE)
        freeze()
        run_nightly(nightly, consumer, stop, presence.ready)


def rehearse_closing(label_delay_days: int) -> None:
    """Book on a scratch ledger, and close days until a table tells of what was booked, so that the first day of the
    stream does not wait for a compiler."""
    closer = DayCloser(RiskLedger.empty(label_delay_days), 2)
    event = CardTransaction(
        event_id="rehearsal",
        event_time_ns=NS_PER_DAY,
        card_id="c",
        amount_minor=1,
        currency="EUR",
        terminal_id="t",
        merchant_id="m",
        device_id="d",
    )
    closer.add_events([event])
    if (plain := closer.read([encode(event)])) is not None:
        closer.add_read(plain)
    fraud = Disposition(
        event_id="rehearsal",
        event_time_ns=NS_PER_DAY,
        reported_at_ns=NS_PER_DAY,
        is_fraud=True,
        card_id="c",
        terminal_id="t",
    )
    closer.add_dispositions([fraud])
    closer.add_day_end(DayEnd(day=2 + label_delay_days, events=0, dispositions=0))
    for table in closer.close_ready():
        to_messages(table, MESSAGE_BYTES_MAX)
