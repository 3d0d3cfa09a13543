"""From transfers, as messages or as columns, to coded batches; both ways give the same features."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from models.features.batch import Int64s
from models.features.coding import required_column
from models.features.event_hash import hash_ids, hash_texts
from models.features.interner import Interner, dictionary_of
from models.graph.batch import TransferBatch
from models.graph.kernel.layout import CELL_HASH, CELLS, MISSING
from streams.errors import BadInputError
from streams.transfer import TRANSFER_CHANNELS, Transfer

_CHANNEL_CODES: dict[str, int] = {channel: code for code, channel in enumerate(TRANSFER_CHANNELS)}
_CELLS_OF_A_ROW = struct.Struct(f"={CELLS}q")


class TransferCoder:
    """Codes accounts, countries, currencies and channels; accounts and countries grow with the stream."""

    __slots__ = ("_currencies", "accounts", "countries", "currencies")

    def __init__(self, currencies: Sequence[str], accounts: Interner, countries: Interner) -> None:
        self.currencies = tuple(currencies)
        self.accounts = accounts
        self.countries = countries
        self._currencies = {currency: code for code, currency in enumerate(currencies)}

    def code_events(self, events: Sequence[Transfer]) -> TransferBatch:
        """Code transfers that came as messages, in their order; raises `BadInputError` for a currency without rate."""
        account, country, currency = self.accounts.code, self.countries.code, self._currency
        packed = bytearray(len(events) * _CELLS_OF_A_ROW.size)  # numpy takes ten times as long for a tuple
        for row, event in enumerate(events):
            received = event.received_minor
            _CELLS_OF_A_ROW.pack_into(
                packed,
                row * _CELLS_OF_A_ROW.size,
                0,
                event.event_time_ns,
                account(event.from_account),
                account(event.to_account),
                event.amount_minor,
                MISSING if received is None else received,
                currency(event.currency, row),
                MISSING if received is None else currency(event.received_currency or event.currency, row),
                _CHANNEL_CODES[event.channel],
                country(event.from_country),
                country(event.to_country),
            )
        cells = np.frombuffer(packed, np.int64).reshape(-1, CELLS)
        cells[:, CELL_HASH] = hash_texts([event.event_id.encode() for event in events]).view(np.int64)
        return TransferBatch(cells)

    def code_table(self, table: pa.Table) -> TransferBatch:
        """Code transfers that came as columns (`TRANSFER_SCHEMA`; a column that is not there is null).

        Raises `BadInputError`, naming column and row, for a null that must not be, a currency without rate and an
        unknown channel.
        """
        cells = np.empty((len(table), CELLS), np.int64)
        cells[:, 0] = hash_ids(required_column(table, "event_id")).view(np.int64)
        cells[:, 1] = _integers(required_column(table, "event_time_ns"))
        cells[:, 2:4] = _pairs(self.accounts, table, "from_account", "to_account")
        cells[:, 4] = _integers(required_column(table, "amount_minor"))
        received = _column(table, "received_minor", pa.int64())
        cells[:, 5] = _integers(received.cast(pa.int64()).fill_null(MISSING))
        cells[:, 6] = self._codes(table, "currency", self._currencies)
        cells[:, 7] = np.where(cells[:, 5] < 0, MISSING, self._received_currency(table, cells[:, 6]))
        cells[:, 8] = self._codes(table, "channel", _CHANNEL_CODES)
        cells[:, 9:11] = _pairs(self.countries, table, "from_country", "to_country")
        return TransferBatch(cells)

    def _currency(self, currency: str, row: int) -> int:
        code = self._currencies.get(currency)
        if code is None:
            raise _unknown(row, "currency", currency, self._currencies)
        return code

    def _codes(self, table: pa.Table, name: str, known: Mapping[str, int]) -> Int64s:
        indices, dictionary = dictionary_of(required_column(table, name))
        return _known_codes(indices, dictionary, name, known)

    def _received_currency(self, table: pa.Table, sent: Int64s) -> Int64s:
        indices, dictionary = dictionary_of(_column(table, "received_currency", pa.string()))
        codes = _known_codes(indices, dictionary, "received_currency", self._currencies)
        return np.where(codes < 0, sent, codes)


def _known_codes(indices: Int64s, dictionary: Sequence[str | None], name: str, known: Mapping[str, int]) -> Int64s:
    """Codes of words that must be known; null is MISSING."""
    codes = np.array([*(known.get(word or "", MISSING - 1) for word in dictionary), MISSING], np.int64)[indices]
    unknown = np.flatnonzero(codes < MISSING)
    if len(unknown):
        row = int(unknown[0])
        raise _unknown(row, name, str(dictionary[int(indices[row])]), known)
    return codes


def _unknown(row: int, name: str, word: str, known: Mapping[str, int]) -> BadInputError:
    return BadInputError(f"transfers, row {row}: {name} {word!r} is none of {', '.join(sorted(known))}")


def _column(table: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    return table.column(name) if name in table.column_names else pa.chunked_array([pa.nulls(len(table), kind)])


def _integers(column: pa.ChunkedArray) -> Int64s:
    found: Int64s = column.cast(pa.int64()).to_numpy()
    return found


def _pairs(interner: Interner, table: pa.Table, first: str, second: str) -> Int64s:
    """Codes of two columns, int64 [n, 2]; new ones in the order in which rows name them, as message by message."""
    found = [dictionary_of(_column(table, name, pa.string())) for name in (first, second)]
    shift = len(found[0][1])
    words = [*found[0][1], *found[1][1], None]
    indices = np.stack([found[0][0], np.where(found[1][0] < 0, -1, found[1][0] + shift)], axis=1)
    used, firsts = np.unique(indices.ravel(), return_index=True)
    in_order = used[np.argsort(firsts)].tolist()
    codes = np.full(len(words), MISSING, np.int64)
    codes[in_order] = interner.encode([words[place] for place in in_order])
    pairs: Int64s = codes[indices]
    return pairs
