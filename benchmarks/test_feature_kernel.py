"""Cost of the feature kernel: per event, as histories grow, and for micro-batches."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.by_turns import by_turns, note_rate
from benchmarks.traffic import events
from models.features.batch import TransactionBatch, Vocabulary
from models.features.catalog import FEATURES
from models.features.state import FeatureState, warm_up
from streams.codec import decode_transactions, encode_events
from streams.labels import NS_PER_DAY
from streams.transaction import CardTransaction

EVENTS = 100_000
CARDS = 1_000
FEATURES_MAX = (2.0, 3.0)
VOCABULARY = Vocabulary(("food",), ("chip",))


def batch_of(state: FeatureState, events: int, days: float, cards: int = CARDS) -> TransactionBatch:
    """Events in order, spread evenly over cards and days: `events / cards / days` a card and day."""
    rng = np.random.default_rng(1)
    state.code_events(
        [
            CardTransaction(event_id="e", event_time_ns=0, card_id=f"{card}", amount_minor=1, currency="EUR")
            for card in range(cards)
        ]
    )
    return TransactionBatch(
        event_hash=np.arange(events, dtype=np.uint64),
        time_ns=np.linspace(0, days * NS_PER_DAY, events).astype(np.int64),
        amount_minor=rng.integers(1, 50_000, events),
        card=rng.integers(0, cards, events).astype(np.int32),
        merchant=rng.integers(0, 500, events).astype(np.int32),
        terminal=rng.integers(0, 1_000, events).astype(np.int32),
        device=rng.integers(0, 100, events).astype(np.int32),
        country=rng.integers(0, 4, events).astype(np.int32),
        category=np.zeros(events, np.float32),
        channel=np.zeros(events, np.float32),
        latitude_e6=rng.integers(-(10**7), 10**7, events).astype(np.int32),
        longitude_e6=rng.integers(-(10**7), 10**7, events).astype(np.int32),
        is_refund=(rng.random(events) < 0.02).astype(np.uint8),
    )


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call, so that neighbours on the machine weigh less."""
    started = time.process_time()
    work()
    return time.process_time() - started


def cost_after(history_events: int, cards: int) -> float:
    """Least processor time of the last tenth of a stream, after so many events of history, in three tries."""
    costs = []
    for _ in range(3):
        state = FeatureState.empty(VOCABULARY)
        measured = EVENTS // 2
        whole = batch_of(state, history_events + measured, 20.0, cards)
        state.compute(whole.take(slice(0, history_events)))
        rest = whole.take(slice(history_events, None))
        values, status = np.zeros((measured, len(FEATURES)), np.float32), np.zeros(measured, np.uint8)
        costs.append(seconds(lambda: state.compute_into(rest, values, status)))  # noqa: B023 (called at once)
    return min(costs)


def test_a_long_history_costs_no_more_than_twice_a_short_one() -> None:
    warm_up()
    short, long = cost_after(8_000, 400), cost_after(400_000, 400)  # about 20 and 1,000 events a card in 20 days
    assert long <= 2 * short, f"{long / short:.2f} times"


def test_features_cost_a_few_decodings() -> None:
    """All features of a micro-batch, P99 too, beside decoding its events from JSON."""
    warm_up()
    state = FeatureState.empty(VOCABULARY)
    count, rounds = 256, 300
    table = events((rounds + 1) * 2 * count)
    messages = encode_events(table)
    parts = iter([messages[at : at + count] for at in range(0, len(messages), count)])
    turns = by_turns(
        lambda part: state.compute(state.code_events(part[1])),
        lambda part: decode_transactions(part[0]),
        rounds,
        lambda: (part := next(parts), decode_transactions(part)[0]),
    )
    turns.hold("decoding the events", *FEATURES_MAX)


@pytest.mark.benchmark(group="feature-kernel")
def test_kernel_in_one_batch(benchmark: BenchmarkFixture) -> None:
    warm_up()
    values, status = np.zeros((EVENTS, len(FEATURES)), np.float32), np.zeros(EVENTS, np.uint8)

    def fresh() -> tuple[tuple[FeatureState, TransactionBatch], dict[str, object]]:
        state = FeatureState.empty(VOCABULARY)
        return (state, batch_of(state, EVENTS, 60.0)), {}

    def run(state: FeatureState, batch: TransactionBatch) -> None:
        state.compute_into(batch, values, status)

    benchmark.pedantic(run, setup=fresh, rounds=5)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "events", EVENTS)


@pytest.mark.benchmark(group="feature-micro-batch")
@pytest.mark.parametrize("size", [1, 16, 256])
def test_micro_batch_from_messages(benchmark: BenchmarkFixture, size: int) -> None:
    warm_up()
    state = FeatureState.empty(VOCABULARY)
    number = 0

    def next_events() -> tuple[tuple[list[CardTransaction]], dict[str, object]]:
        nonlocal number
        number += size
        events = [
            CardTransaction(
                event_id=f"{row}",
                event_time_ns=row * 10**9,
                card_id=f"card{row % CARDS}",
                amount_minor=row % 9_999,
                currency="EUR",
                merchant_id=f"merchant{row % 77}",
                terminal_id=f"terminal{row % 99}",
                category="food",
                channel="chip",
                latitude=50.0,
                longitude=8.0,
            )
            for row in range(number, number + size)
        ]
        return (events,), {}

    benchmark.pedantic(lambda events: state.compute(state.code_events(events)), setup=next_events, rounds=200)  # type: ignore[no-untyped-call]
    note_rate(benchmark, "events", size)
