"""Transfers and what they are: which sides launder, in which pattern, typology and market; and an out-of-time split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.aml.history import TransferTables
from models.aml.labels import NO_PATTERN, NOBODY, SideLabels, side_labels
from models.separability.material import NOTHING, Flags, Ints, Split, coded, counted_from_ns, read_parts, thinned
from models.separability.settings import AuditSettings
from models.training_data import FRAUDS_MIN, read_rows
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA, UNTYPED
from streams.transfer import TRANSFER_SCHEMA

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """One entry a pattern that shows [p]: its id (ascending), typology (a position in `typologies`, -1 not named) and
    market (a position in `markets`: where most of its members bank, of several the first by name; -1: no member)."""

    ids: Ints
    typology: Ints
    market: Ints
    typologies: tuple[str, ...]
    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Laundering:
    """Transfers with their truth, n of them in event-time order, and their sides, 2n: the sender's of transfer i at 2i,
    the receiver's at 2i + 1.

    `pattern` [n] is a position in `patterns` (-1 genuine), `typology` [n] what the transfer itself is, a position in
    `patterns.typologies` (-1 none), `look_alike` [n] one in `look_alikes`; `customer` and
    `market` [2n] are codes of the side's own account (-1 where it is not known), markets those of `patterns.markets`.
    """

    tables: TransferTables
    time_ns: Ints
    is_laundering: Flags
    pattern: Ints
    patterns: Patterns
    typology: Ints
    look_alike: Ints
    look_alikes: tuple[str, ...]
    sides: SideLabels
    customer: Ints
    market: Ints

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def side_pattern(self) -> Ints:
        """The pattern of positive sides as a position, -1 on all others: int64 [2n]."""
        return np.where(self.sides.is_positive, np.repeat(self.pattern, 2), NOTHING)

    @property
    def side_time_ns(self) -> Ints:
        """When each side's transfer was: int64 [2n]."""
        return np.repeat(self.time_ns, 2)

    def transfers_of(self, typology: int) -> Flags:
        """The laundering transfers that are of a typology themselves, bool [n]."""
        found: Flags = self.is_laundering & (self.typology == typology)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The sides that count, thinned out: `number` int64 [r] among all sides, ascending, `values` float32 [r, F], which
    are positive, and the split into positions among them. `cut_ns` is when the test begins, `start_ns` the training."""

    number: Ints
    values: Values
    positive: Flags
    pattern: Ints
    split: Split
    start_ns: int
    cut_ns: int


def read_laundering(events: Sequence[Path], labels: Sequence[Path], accounts: Path, members: Path) -> Laundering:
    """Read files of transfers, one after another in time, each with its labels. Raises `BadInputError` naming the file
    of what cannot be used."""
    transfers, truth = read_parts(events, labels, TRANSFER_SCHEMA, LAUNDERING_SCHEMA)
    known, belonging = read_rows(accounts, ACCOUNT_SCHEMA), read_rows(members, MEMBER_SCHEMA)
    return laundering_of(TransferTables(transfers, truth, known, belonging))


def laundering_of(tables: TransferTables) -> Laundering:
    """Put tables together. Raises `BadInputError` when there is too little laundering to say anything."""
    truth = tables.laundering
    is_laundering = np.asarray(truth["is_laundering"].to_numpy(), np.bool_)
    count = int(is_laundering.sum())
    if count < 2 * FRAUDS_MIN or count == len(is_laundering):
        raise BadInputError(
            f"{count} laundering transfers among {len(is_laundering)}: an audit needs at least {2 * FRAUDS_MIN}, and "
            "genuine transfers"
        )
    named = truth["pattern_id"].fill_null(NO_PATTERN).to_numpy()
    if (named[is_laundering] == NO_PATTERN).any():
        raise BadInputError("the labels name laundering transfers without a pattern: the audit goes by patterns")
    sides = side_labels(tables.transfers, truth, tables.accounts, tables.members)
    ids, place = np.unique(named[is_laundering], return_inverse=True)
    pattern = np.full(len(named), NOTHING, np.int64)
    pattern[is_laundering] = place
    market, markets = coded(tables.accounts, "market")
    customer = coded(tables.accounts, "customer_id")[0]
    look_alike, look_alikes = coded(truth, "look_alike")
    typology, typologies = coded(truth, "typology")
    of_pattern = np.full(len(ids), NOTHING, np.int64)
    of_pattern[place] = typology[is_laundering]
    shaped = np.array(
        [name != UNTYPED for name in typologies], np.bool_
    )  # a pattern's money is spent without its shape
    own = typology[is_laundering]
    formed = (own != NOTHING) & np.append(shaped, False)[own]
    of_pattern[place[formed]] = own[formed]
    where = _pattern_markets(ids, tables, market, len(markets))
    order = np.argsort(markets)
    renamed = np.append(np.argsort(order), NOTHING)
    patterns = Patterns(ids, of_pattern, renamed[where], tuple(typologies), tuple(markets[code] for code in order))
    account = sides.account
    return Laundering(
        tables=tables,
        time_ns=tables.transfers["event_time_ns"].to_numpy().astype(np.int64),
        is_laundering=is_laundering,
        pattern=pattern,
        patterns=patterns,
        typology=np.where(is_laundering, typology, NOTHING),
        look_alike=look_alike,
        look_alikes=tuple(look_alikes),
        sides=sides,
        customer=np.where(account == NOBODY, NOTHING, customer[account]),
        market=renamed[np.where(account == NOBODY, NOTHING, market[account])],
    )


def _pattern_markets(ids: Ints, tables: TransferTables, market: Ints, markets: int) -> Ints:
    """The market code of each pattern, by its members' accounts."""
    members = tables.members
    known = tables.accounts["account_id"].cast(pa.string()).combine_chunks()
    account = pc.index_in(members["account_id"].cast(pa.string()), value_set=known).to_numpy()
    shown = np.isin(members["pattern_id"].to_numpy(), ids)
    place = np.searchsorted(ids, members["pattern_id"].to_numpy()[shown])
    names = tables.accounts["market"].cast(pa.string()).combine_chunks().dictionary_encode().dictionary.to_pylist()
    by_name = np.argsort(names)
    votes = np.zeros((len(ids), markets), np.int64)
    np.add.at(votes, (place, market[account[shown]]), 1)
    found: Ints = by_name[votes[:, by_name].argmax(axis=1)]
    return np.where(votes.any(axis=1), found, NOTHING)


def split_sides(data: Laundering, values: Values, counts: Flags, settings: AuditSettings) -> Rows:
    """The known sides in an out-of-time split, as the model is trained on them: other rows of a member while its
    pattern lasts are left out, and so are, of the test, patterns that began before it. The cut is at the end of a whole
    period after the warm-up. Genuine rows are thinned out where they are more than `genuine_max` in a part.

    `values` float32 [2n, F], `counts` bool [n]. Raises `BadInputError` when a part shows too little laundering.
    """
    start_ns, cut_ns = cut_of(data, settings)
    time_ns, positive, pattern = data.side_time_ns, data.sides.is_positive, data.side_pattern
    usable = np.repeat(counts, 2) & (data.sides.account != NOBODY) & ~data.sides.is_near & ~spanning(data, cut_ns)
    rng = np.random.default_rng([settings.seed, 1])
    parts = []
    for name, low, high in (("training", start_ns, cut_ns), ("test", cut_ns, int(time_ns[-1]) + 1)):
        rows = np.flatnonzero(usable & (time_ns >= low) & (time_ns < high))
        hits = int(positive[rows].sum())
        if hits < FRAUDS_MIN or hits == len(rows):
            raise BadInputError(
                f"the {name} part ({(high - low) / NS_PER_DAY:.1f} days) has {hits} sides of laundering among "
                f"{len(rows)}; at least {FRAUDS_MIN}, and genuine ones, are needed: give a longer or a larger stream"
            )
        parts.append(thinned(rows, positive[rows], settings.genuine_max, rng))
    (train, train_weight), (test, test_weight) = parts
    number = np.concatenate([train, test])
    split = Split(np.arange(len(train)), np.arange(len(train), len(number)), train_weight, test_weight)
    return Rows(number, values[number], positive[number], pattern[number], split, start_ns, cut_ns)


def cut_of(data: Laundering, settings: AuditSettings) -> tuple[int, int]:
    """When training begins and when the test begins, a whole number of periods later."""
    start_ns, end_ns = counted_from_ns(data.time_ns, settings), int(data.time_ns[-1]) + 1
    period_ns = settings.period_days * NS_PER_DAY
    periods = max(1, round((1 - settings.test_share) * (end_ns - start_ns) / period_ns))
    return start_ns, min(start_ns + periods * period_ns, end_ns)


def spanning(data: Laundering, cut_ns: int) -> Flags:
    """Sides at or after the cut whose pattern began before it: bool [2n]."""
    early = np.zeros(len(data.patterns.ids) + 1, np.bool_)
    early[data.pattern[data.is_laundering & (data.time_ns < cut_ns)]] = True
    found: Flags = early[data.side_pattern] & (data.side_time_ns >= cut_ns) & data.sides.is_positive
    return found
