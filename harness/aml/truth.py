"""Who launders, in which pattern, from when on: transfers, labels and members brought together by customer.

A stream shows only what happens in it. A pattern is there when one of its transfers is; a member is there from its own
first transfer in that pattern on, and a customer is suspicious from the first such transfer of any of its patterns.
Patterns are judged that begin in the stream and had time to unfold in it (see `unfolds_from_ns`).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.scored import Bools, Codes, Int64s, codes_of
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

NEVER = np.iinfo(np.int64).max
"""The instant that does not come."""
NOBODY = -1
OF_TRANSFERS = ("event_id", "event_time_ns", "from_account", "to_account")
OF_LABELS = ("event_id", "is_laundering", "pattern_id")
"""Columns of transfers and their labels that the truth is made of."""
UNFOLDING_NS, UNFOLDING_SHARE = 3 * NS_PER_DAY, 0.1
"""Before the stream's end, when a pattern only begins: patterns last hours to ten days, and of one that began that late
little has happened. Of a short stream at most this share."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """One entry a pattern with a transfer in the stream. `market` is where most of its members bank (of several, the
    first by name); the instants are those of its first and last transfer in the stream."""

    pattern_id: Int64s
    typology: Codes
    typology_names: list[str]
    market: Codes
    first_ns: Int64s
    last_ns: Int64s
    members: Int64s

    def __len__(self) -> int:
        return len(self.pattern_id)


@dataclass(frozen=True, slots=True)
class Truth:
    """`customer_names`, `market`, `suspicious_from_ns` (NEVER: innocent) have one entry a customer that can be ranked:
    one with a transfer in the stream. `member_…` have one entry a member of a pattern (customer of a pattern).

    `members_unseen` took no part in a transfer of the stream, `customers_excluded` are left out because all their
    patterns are: `patterns_excluded` by name, `patterns_only_begun` because they began too late.
    """

    customer_names: list[str]
    market: Codes
    market_names: list[str]
    suspicious_from_ns: Int64s
    patterns: Patterns
    member_pattern: Int64s
    member_customer: Int64s
    member_begin_ns: Int64s
    members_unseen: int
    customers_excluded: int
    patterns_excluded: int
    patterns_only_begun: int
    first_day: int
    last_day: int

    def __len__(self) -> int:
        return len(self.customer_names)

    @property
    def is_suspicious(self) -> Bools:
        """Whether a customer is suspicious by the stream's end."""
        return np.asarray(self.suspicious_from_ns < NEVER, dtype=bool)

    def suspicious_by(self, instant_ns: int) -> Bools:
        """Whether a customer has taken part in laundering by then."""
        return np.asarray(self.suspicious_from_ns <= instant_ns, dtype=bool)


def truth_of(
    transfers: pa.Table,
    laundering: pa.Table,
    accounts: pa.Table,
    members: pa.Table,
    excluded_patterns: Collection[int] = (),
) -> Truth:
    """The truth about a stream (OF_TRANSFERS, OF_LABELS row for row, ACCOUNT_SCHEMA, MEMBER_SCHEMA).

    `excluded_patterns`: patterns that had begun before the stream; they are not judged, nor are customers that belong
    to no other. Raises BadInputError when labels are not the transfers', or a member's account is unknown.
    """
    if not laundering["event_id"].combine_chunks().equals(transfers["event_id"].combine_chunks()):
        raise BadInputError("the labels are not of these transfers, row for row (event_id differs)")
    if len(transfers) == 0:
        raise BadInputError("there is no transfer in the stream, so nobody can be ranked")
    customer, names = codes_of(accounts["customer_id"])
    sides = [_customers(transfers[side], accounts, customer) for side in ("from_account", "to_account")]
    times = transfers["event_time_ns"].to_numpy()
    joined = _members(members, names)
    told = _joined(laundering, sides, times, joined, len(names))
    seen = told < NEVER
    named = np.isin(joined.pattern_id, np.asarray(list(excluded_patterns), dtype=np.int64))
    late = ~named & seen & (_first_of_pattern(joined, told) >= unfolds_from_ns(times))
    kept = ~named & ~late
    ranked = _ranked(sides, joined, kept, seen, len(names))
    place = np.cumsum(ranked.there) - 1
    rows = np.flatnonzero(kept & seen)
    suspicious = np.full(int(ranked.there.sum()), NEVER)
    who = place[joined.customer[rows]]
    np.minimum.at(suspicious, who, told[rows])
    market, market_names = _markets(accounts, customer, len(names))
    market = market[ranked.there]
    patterns, of_member = _patterns(laundering, times, joined, rows, market[who])
    return Truth(
        customer_names=[name for name, there in zip(names, ranked.there, strict=True) if there],
        market=market,
        market_names=market_names,
        suspicious_from_ns=suspicious,
        patterns=patterns,
        member_pattern=of_member,
        member_customer=who,
        member_begin_ns=told[rows],
        members_unseen=int((kept & ~seen).sum()),
        customers_excluded=ranked.excluded,
        patterns_excluded=len(np.unique(joined.pattern_id[named & seen])),
        patterns_only_begun=len(np.unique(joined.pattern_id[late])),
        first_day=int(times.min() // NS_PER_DAY),
        last_day=int(times.max() // NS_PER_DAY),
    )


def unfolds_from_ns(times: Int64s) -> int:
    """From when on a pattern that begins in a stream of these event times (int64 [n], in order) is not judged."""
    first, last = int(times.min()), int(times.max())
    return last + 1 - min(UNFOLDING_NS, int(UNFOLDING_SHARE * (last + 1 - first)))


@dataclass(frozen=True, slots=True)
class _Members:
    """One entry a customer of a pattern."""

    pattern_id: Int64s
    typology: Codes
    typology_names: list[str]
    customer: Int64s


@dataclass(frozen=True, slots=True)
class _Ranked:
    there: Bools
    excluded: int


def _customers(side: pa.ChunkedArray, accounts: pa.Table, customer: Codes) -> Int64s:
    """Each transfer's customer on one side, int64 [n] (NOBODY: no account that is known)."""
    codes, names = codes_of(side)
    row = pc.index_in(pa.array(names, pa.string()), value_set=accounts["account_id"].combine_chunks())
    of_name = np.append(customer, np.int32(NOBODY))[row.fill_null(len(customer)).to_numpy()]
    return np.append(of_name, np.int32(NOBODY))[codes].astype(np.int64)


def _members(members: pa.Table, customers: list[str]) -> _Members:
    pattern = members["pattern_id"].to_numpy()
    typology, typology_names = codes_of(members["typology"])
    row = pc.index_in(members["customer_id"].cast(pa.string()), value_set=pa.array(customers, pa.string()))
    if row.null_count:
        name = members["customer_id"][pc.index(row.is_null(), pa.scalar(True)).as_py()].as_py()
        raise BadInputError(f"{row.null_count} members of patterns have no account; the first is customer {name!r}")
    code = row.to_numpy().astype(np.int64)
    _, first = np.unique(np.column_stack([pattern, code]), axis=0, return_index=True)
    return _Members(pattern[first], typology[first], typology_names, code[first])


def _joined(laundering: pa.Table, sides: list[Int64s], times: Int64s, joined: _Members, customers: int) -> Int64s:
    """When each member first took part in its pattern, int64 [members]; NEVER where it did not."""
    rows = np.flatnonzero(laundering["is_laundering"].to_numpy())
    ids = laundering["pattern_id"].fill_null(-1).to_numpy()[rows]
    known = np.unique(joined.pattern_id)
    key = np.searchsorted(known, joined.pattern_id) * customers + joined.customer
    order = np.argsort(key)
    begin = np.full(len(key), NEVER)
    if len(known) == 0:
        return begin
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    for side in sides:
        here = (known[place] == ids) & (side[rows] >= 0)
        wanted = place[here] * customers + side[rows][here]
        at = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
        hit = key[order][at] == wanted
        np.minimum.at(begin, order[at[hit]], times[rows][here][hit])
    return begin


def _first_of_pattern(joined: _Members, told: Int64s) -> Int64s:
    """When the pattern of each member began, int64 [members]."""
    _, of_member = np.unique(joined.pattern_id, return_inverse=True)
    begin = np.full(len(told), NEVER)
    np.minimum.at(begin, of_member, told)
    return begin[of_member]


def _ranked(sides: list[Int64s], joined: _Members, kept: Bools, seen: Bools, customers: int) -> _Ranked:
    """Who can be ranked: whoever moved money in the stream and is not known from excluded patterns alone."""
    active = np.zeros(customers, bool)
    for side in sides:
        active[side[side >= 0]] = True
    judged, excluded = np.zeros(customers, bool), np.zeros(customers, bool)
    judged[joined.customer[kept & seen]] = True
    excluded[joined.customer[~kept]] = True
    out = active & excluded & ~judged
    return _Ranked(active & ~out, int(out.sum()))


def _markets(accounts: pa.Table, customer: Codes, customers: int) -> tuple[Codes, list[str]]:
    """Each customer's market: that of its first account."""
    codes, names = codes_of(accounts["market"])
    found, first = np.unique(customer, return_index=True)
    of_customer = np.full(customers, NOBODY, np.int32)
    of_customer[found] = codes[first]
    return of_customer, names


def _patterns(
    laundering: pa.Table, times: Int64s, joined: _Members, rows: npt.NDArray[np.intp], market: Codes
) -> tuple[Patterns, Int64s]:
    """The patterns of the members in `rows`, and which of them each belongs to."""
    ids, first, of_member, sizes = np.unique(
        joined.pattern_id[rows], return_index=True, return_inverse=True, return_counts=True
    )
    begin, end = np.full(len(ids), NEVER), np.full(len(ids), -1, np.int64)
    moved = np.flatnonzero(laundering["is_laundering"].to_numpy())
    of_transfer = laundering["pattern_id"].fill_null(-1).to_numpy()[moved]
    here = np.isin(of_transfer, ids)
    place = np.searchsorted(ids, of_transfer[here])
    np.minimum.at(begin, place, times[moved][here])
    np.maximum.at(end, place, times[moved][here])
    counts = np.zeros((len(ids), int(market.max(initial=0)) + 1), np.int64)
    np.add.at(counts, (of_member, np.maximum(market, 0)), 1)
    patterns = Patterns(
        pattern_id=ids,
        typology=joined.typology[rows][first],
        typology_names=joined.typology_names,
        market=counts.argmax(axis=1).astype(np.int32),
        first_ns=begin,
        last_ns=end,
        members=sizes.astype(np.int64),
    )
    return patterns, np.asarray(of_member, dtype=np.int64)
