"""The way in: what was taken off a topic becomes columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.features.batch import UNKNOWN_CATEGORY, Int32s, Int64s, TransactionBatch, UInt64s, Vocabulary
from models.features.id_text import EVERY, IdText
from models.features.interner import Interner
from models.features.wire.layout import (
    AMOUNT_MINOR,
    CATEGORY,
    CATEGORY_PLACE,
    CHANNEL,
    CHANNEL_PLACE,
    CODES,
    CURRENCY,
    EVENT_ID_SPAN,
    HASH,
    INTERNED_KINDS,
    LATITUDE_E6,
    LONGITUDE_E6,
    PLACES,
    SPANS,
    TIME_NS,
    WHOLES,
)
from models.features.wire.listed import Listed
from models.features.wire.names import UNMET, empty_names, learn, with_more_room
from models.features.wire.rows import Rows, read_rows
from streams.codec import MESSAGE_BYTES_MAX
from streams.currencies import CURRENCIES
from streams.kernels.compiled import entry_point
from streams.kernels.json_fields import JSON_PADDING, NOT_PLAIN
from streams.kernels.memory import PADDING
from streams.transaction import CHANNELS


@dataclass(frozen=True, slots=True)
class Plain:
    """Messages as the kernel read them, `text` all of them one behind the other and some zeros. Ids that were not met
    before have no code yet: there are `unmet` of them."""

    text: bytes
    rows: Rows
    unmet: int

    def __len__(self) -> int:
        return len(self.rows.refund)

    @property
    def time_ns(self) -> Int64s:
        """Event times, int64 [n]."""
        found: Int64s = self.rows.whole[TIME_NS]
        return found

    @property
    def event_hash(self) -> UInt64s:
        """Hashes of the event ids as `hash_ids` makes them, uint64 [n]."""
        found: UInt64s = self.rows.whole[HASH].view(np.uint64)
        return found

    def event_ids(self) -> list[str]:
        """The events' ids."""
        text = self.text.decode("ascii")
        return [text[start:end] for start, end in self.rows.spans[:, EVENT_ID_SPAN].tolist()]


class WireReader:
    """Reads micro-batches of JSON; codes are those of the interners it is given. For one thread.

    `interners` are of the first of `INTERNED_KINDS`; of the others no codes are looked for. An id stands, from when it
    is first read on, in a table beside the interner's, so that reading it again needs no string.
    """

    __slots__ = ("_interners", "_kernel", "_listed", "_table")

    def __init__(self, interners: Mapping[str, Interner], vocabulary: Vocabulary) -> None:
        self._interners = [interners[kind] for kind in INTERNED_KINDS if kind in interners]
        self._kernel: Callable[..., int] | None = None
        self._table = empty_names()
        self._listed = {kind: Listed() for kind in INTERNED_KINDS}
        self._know(CATEGORY, {word: place for place, word in enumerate(vocabulary.category)})
        places = {word: place for place, word in enumerate(vocabulary.channel)}
        self._know(CHANNEL, {word: places.get(word, int(UNKNOWN_CATEGORY)) for word in CHANNELS})
        self._know(CURRENCY, dict.fromkeys(CURRENCIES, 0))

    def read(self, values: Sequence[bytes]) -> Plain | None:
        """The messages, whose ids are not coded yet; None when there are none, or one of them is for the decoder
        (`streams.codec.decode_transactions`)."""
        lengths, count = list(map(len, values)), len(values)
        if max(lengths, default=MESSAGE_BYTES_MAX + 1) > MESSAGE_BYTES_MAX:
            return None
        text, ends = b"".join([*values, JSON_PADDING]), np.array(lengths, np.int64).cumsum()
        rows = Rows(
            whole=np.empty((WHOLES, count), np.int64),
            codes=np.empty((CODES, count), np.int32),
            places=np.empty((PLACES, count), np.float32),
            refund=np.empty(count, np.uint8),
            spans=np.empty((count, SPANS, 2), np.int32),
        )
        arguments = np.frombuffer(text, np.uint8), ends, len(self._interners), self._table, rows
        if self._kernel is None:
            self._kernel = entry_point(read_rows, *arguments)
        unmet = self._kernel(*arguments)
        return None if unmet == NOT_PLAIN else Plain(text, rows, unmet)

    def codes(self, plain: Plain) -> Int32s:
        """The codes of the ids, int32 [kinds, n]; what was not met before gets one, in the order of the messages."""
        codes = plain.rows.codes[: len(self._interners)]
        if plain.unmet:
            self._code(plain, codes)
        return codes

    def batch(self, plain: Plain) -> TransactionBatch:
        """As `EventCoder.code_events` codes what the decoder makes of the messages. All kinds must be interned."""
        card, merchant, terminal, device, country = self.codes(plain)
        rows = plain.rows
        return TransactionBatch(
            event_hash=plain.event_hash,
            time_ns=plain.time_ns,
            amount_minor=rows.whole[AMOUNT_MINOR],
            card=card,
            merchant=merchant,
            terminal=terminal,
            device=device,
            country=country,
            category=rows.places[CATEGORY_PLACE],
            channel=rows.places[CHANNEL_PLACE],
            latitude_e6=rows.codes[LATITUDE_E6],
            longitude_e6=rows.codes[LONGITUDE_E6],
            is_refund=rows.refund,
        )

    def know_all(self) -> None:
        """Take in all ids that the interners hold, so that none has to be looked for there when it is first read."""
        for kind, interner in enumerate(self._interners):
            text, lengths = interner.text()
            ends = np.cumsum(lengths, dtype=np.int32)
            spans = np.stack((ends - lengths, ends), axis=1)
            self._learn(
                text.tobytes() + PADDING,
                spans,
                np.full(len(lengths), kind, np.int32),
                np.arange(len(lengths), dtype=np.int32),
            )

    def codes_of(self, kind: str, ids: IdText) -> Int32s:
        """The codes of ids of a kind (`INTERNED_KINDS`), int32 [n], that a day table lists; new ones get one."""
        number, listed = INTERNED_KINDS.index(kind), self._listed[kind]
        interner = self._interners[number]
        codes, unmet = listed.codes(ids, number, self._table)
        if len(unmet):
            found = interner.encode(ids.strings(unmet))
            codes[unmet] = found
            self._learn(ids.text, ids.spans(unmet), np.full(len(found), number, np.int32), found)
        listed.keep(ids, codes, interner)
        return codes

    def _code(self, plain: Plain, codes: Int32s) -> None:
        kinds, rows = np.nonzero(codes == UNMET)
        spans = plain.rows.spans[rows, kinds]
        found = np.empty(len(rows), np.int32)
        for at, (kind, (start, end)) in enumerate(zip(kinds.tolist(), spans.tolist(), strict=True)):
            found[at] = self._interners[kind].code(plain.text[start:end].decode("ascii"))
        codes[kinds, rows] = found
        self._learn(plain.text, spans, kinds.astype(np.int32), found)

    def _know(self, kind: int, codes: Mapping[str, int]) -> None:
        words, found = IdText.of(list(codes)), np.array(list(codes.values()), np.int32)
        self._learn(words.text, words.spans(EVERY), np.full(len(found), kind, np.int32), found)

    def _learn(self, text: bytes, spans: Int32s, kinds: Int32s, codes: Int32s) -> None:
        source, done = np.frombuffer(text, np.uint8), 0
        while True:
            done += learn(source, spans[done:], kinds[done:], codes[done:], self._table)
            if done == len(codes):
                return
            self._table = with_more_room(self._table)
