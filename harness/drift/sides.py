"""Whose each event is, and of which group: a card and its holder's segment, an account and its market."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.drift.feed import Arrivals, Sides
from streams.stored_rows import WordCodes

GROUPS_MAX = 12
"""The most frequent groups; of the rest there is too little to judge."""


def card_sides(events: pa.Table, profiles: pa.Table | None) -> Sides:
    """Cards and segments; `profiles` is PROFILE_SCHEMA (None: groups are not known)."""
    return sides_of(card_owners(events), profiles, ("card_id", "segment"))


def account_sides(events: pa.Table, accounts: pa.Table | None) -> Sides:
    """The account known first of the sender's and the receiver's, and its market; `accounts` has `account_id` and
    `market` (None: groups are not known)."""
    return sides_of(account_owners(events), accounts, ("account_id", "market"))


def card_owners(events: pa.Table) -> pa.ChunkedArray:
    """Whose each event is: its card."""
    return events["card_id"].cast(pa.string())


def account_owners(events: pa.Table) -> pa.ChunkedArray:
    """Whose each event is: the account known first of the sender's and the receiver's."""
    return pa.chunked_array([pc.coalesce(*(_words(events[name]) for name in ("from_account", "to_account")))])


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


def sides_of(owners: pa.ChunkedArray, known: pa.Table | None, columns: tuple[str, str]) -> Sides:
    """Sides of events by their owners; `known` has an owner and its group in `columns`."""
    codes = WordCodes()
    return coded_sides(codes.of(owners), codes.words, known, columns)


def coded_sides(
    key: npt.NDArray[np.int32], owners: pa.Array, known: pa.Table | None, columns: tuple[str, str]
) -> Sides:
    """The same where each event's owner is a place in `owners` (−1: unknown)."""
    if known is None:
        return Sides(key, np.full(len(key), -1, np.int16))
    place = pc.index_in(owners, value_set=_words(known[columns[0]]))
    named = _words(known[columns[1]]).take(place).dictionary_encode()
    # the last is that of an unknown owner
    of_owner = np.append(named.indices.fill_null(-1).to_numpy(), np.int32(-1))
    group = of_owner[key]
    counts = np.bincount(group + 1, minlength=len(named.dictionary) + 1)[1:]
    kept = np.argsort(-counts, kind="stable")[:GROUPS_MAX]
    renamed = np.full(len(counts) + 1, -1, np.int16)
    renamed[kept] = np.arange(len(kept), dtype=np.int16)
    names = named.dictionary.to_pylist()
    return Sides(key, renamed[group], tuple(names[code] for code in kept.tolist()))
