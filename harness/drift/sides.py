"""Whose each event is, and of which group: a card and its holder's segment, an account and its market."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.drift.feed import Arrivals, Sides

GROUPS_MAX = 12
"""The most frequent groups; of the rest there is too little to judge."""


def card_sides(events: pa.Table, profiles: pa.Table | None) -> Sides:
    """Cards and segments; `profiles` is PROFILE_SCHEMA (None: groups are not known)."""
    segments = None if profiles is None else (profiles["card_id"], profiles["segment"])
    return _sides(_coded(events["card_id"]), segments)


def account_sides(events: pa.Table, accounts: pa.Table | None) -> Sides:
    """The account known first of the sender's and the receiver's, and its market; `accounts` has `account_id` and
    `market` (None: groups are not known)."""
    one_side = pc.coalesce(*(_words(events[name]) for name in ("from_account", "to_account")))
    markets = None if accounts is None else (accounts["account_id"], accounts["market"])
    return _sides(one_side.dictionary_encode(), markets)


def arrivals_of(
    events: pa.Table, labels: pa.Table, delay_ns: int, reported: Mapping[str, int] | None = None
) -> Arrivals:
    """When each label becomes known: a fraud when it is reported (`reported_at_ns`); laundering, and what is genuine,
    `delay_ns` after the event. `reported` (by event id) goes over both: what investigators found, and when."""
    times = events["event_time_ns"].to_numpy()
    bad = labels["is_fraud" if "is_fraud" in labels.column_names else "is_laundering"].to_numpy(zero_copy_only=False)
    if "reported_at_ns" in labels.column_names:
        reported_at = labels["reported_at_ns"].fill_null(-1).to_numpy()
    else:
        reported_at = np.where(bad, times + delay_ns, -1)
    if reported is not None:
        found = pc.index_in(_words(labels["event_id"]), value_set=pa.array(list(reported), pa.string()))
        at = np.append(np.fromiter(reported.values(), np.int64, len(reported)), -1)
        reported_at = at[found.fill_null(len(reported)).to_numpy()]
    return Arrivals.delayed(times, bad, reported_at, delay_ns)


def _words(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return _words(column).dictionary_encode()


def _sides(owners: pa.DictionaryArray, known: tuple[pa.ChunkedArray, pa.ChunkedArray] | None) -> Sides:
    key: npt.NDArray[np.int32] = owners.indices.fill_null(-1).to_numpy().astype(np.int32)
    if known is None:
        return Sides(key, np.full(len(key), -1, np.int16))
    place = pc.index_in(owners.dictionary, value_set=_words(known[0]))
    named = _words(known[1]).take(place).dictionary_encode()
    of_owner = np.append(named.indices.fill_null(-1).to_numpy(), -1)
    group = of_owner[np.where(key < 0, len(of_owner) - 1, key)]
    counts = np.bincount(group + 1, minlength=len(named.dictionary) + 1)[1:]
    kept = np.argsort(-counts, kind="stable")[:GROUPS_MAX]
    renamed = np.full(len(counts) + 1, -1, np.int16)
    renamed[kept] = np.arange(len(kept), dtype=np.int16)
    names = named.dictionary.to_pylist()
    return Sides(key, renamed[group], tuple(names[code] for code in kept.tolist()))
