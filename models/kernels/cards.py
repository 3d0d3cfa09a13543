"""Cards for the feature kernel: a history of a few events each, and events to measure."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from models.features.batch import FeatureBlock, TransactionBatch, Vocabulary
from models.features.state import FeatureState
from models.kernels.traffic import FILL_ROWS, HISTORY_NS, START_NS, Ints, event_times, gap_ns
from streams.codec import decode_transactions, encode
from streams.transaction import CHANNELS, CardTransaction
from streams.worlds.arrays import numbered

EVENTS_PER_CARD = 2
MERCHANTS, TERMINALS, DEVICES = 20_000, 50_000, 100_000
"""Places do not grow with the cards: theirs is memory of its own."""
CATEGORIES = ("grocery", "fuel", "travel", "online")
COUNTRIES = ("DE", "FR", "NL", "US")
DIGITS = 9


class Cards:
    """Every card once, then events of cards drawn alike, until there are `EVENTS_PER_CARD` a card."""

    def __init__(self, cards: int, seed: int) -> None:
        self.entities = cards
        self.history_events = EVENTS_PER_CARD * cards
        self._rng = np.random.default_rng(seed)
        self._state = FeatureState.empty(Vocabulary(CATEGORIES, CHANNELS))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the state's arrays use."""
        return self._state.memory_bytes

    def history(self) -> Iterator[pa.Table]:
        """Yield the history, `FILL_ROWS` events at a time."""
        for first in range(0, self.history_events, FILL_ROWS):
            rows = min(FILL_ROWS, self.history_events - first)
            cards = np.arange(first, first + rows)
            again = cards >= self.entities
            cards[again] = self._rng.integers(0, self.entities, int(again.sum()))
            yield self._table(cards, first)

    def _table(self, cards: Ints, first: int) -> pa.Table:
        rng, rows = self._rng, len(cards)
        words = {"category": CATEGORIES, "channel": CHANNELS, "country": COUNTRIES}
        places = {"merchant_id": ("m", MERCHANTS), "terminal_id": ("t", TERMINALS), "device_id": ("d", DEVICES)}
        coded = {
            name: pa.DictionaryArray.from_arrays(rng.integers(0, len(known), rows).astype(np.int32), pa.array(known))
            for name, known in words.items()
        }
        ids = {name: numbered(prefix, rng.integers(0, count, rows), DIGITS) for name, (prefix, count) in places.items()}
        return pa.table(
            {
                "event_id": numbered("e", np.arange(first, first + rows), 12),
                "event_time_ns": event_times(first, rows, self.history_events),
                "card_id": numbered("c", cards, DIGITS),
                "amount_minor": rng.integers(1, 50_000, rows),
                "latitude": rng.uniform(-60, 60, rows),
                "longitude": rng.uniform(-170, 170, rows),
                **coded,
                **ids,
            }
        )

    def enter(self, table: pa.Table) -> None:
        """Take a part of the history in."""
        self._state.compute(self._state.code_table(table))

    def messages(self, chosen: Ints, first: int) -> list[bytes]:
        """Transactions of these cards, one after the other behind the history."""
        rng, count = self._rng, len(chosen)
        begin_ns, gap = START_NS + HISTORY_NS, gap_ns(self.history_events)
        amounts, merchants = rng.integers(1, 50_000, count).tolist(), rng.integers(0, MERCHANTS, count).tolist()
        terminals, devices = rng.integers(0, TERMINALS, count).tolist(), rng.integers(0, DEVICES, count).tolist()
        latitudes, longitudes = rng.uniform(-60, 60, count).tolist(), rng.uniform(-170, 170, count).tolist()
        return [
            encode(
                CardTransaction(
                    event_id=f"n{first + row:012d}",
                    event_time_ns=begin_ns + (first + row) * gap,
                    card_id=f"c{card:0{DIGITS}d}",
                    amount_minor=amounts[row],
                    currency="EUR",
                    merchant_id=f"m{merchants[row]:0{DIGITS}d}",
                    terminal_id=f"t{terminals[row]:0{DIGITS}d}",
                    device_id=f"d{devices[row]:0{DIGITS}d}",
                    category=CATEGORIES[row % len(CATEGORIES)],
                    channel=CHANNELS[row % len(CHANNELS)],
                    country=COUNTRIES[row % len(COUNTRIES)],
                    latitude=latitudes[row],
                    longitude=longitudes[row],
                )
            )
            for row, card in enumerate(chosen.tolist())
        ]

    def code(self, messages: list[bytes]) -> TransactionBatch:
        """Read and code them."""
        plain = self._state.read(messages)
        if plain is None:
            return self._state.code_events(decode_transactions(messages)[0])
        return self._state.batch(plain)

    def compute(self, batch: TransactionBatch) -> FeatureBlock:
        """Take them in and compute their features."""
        return self._state.compute(batch)
