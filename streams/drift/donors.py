"""Events that take over what other events were like: a mix shifts, and what belongs together stays together."""

import numpy as np

from streams.drift.columns import coded, flags
from streams.drift.material import Material, Rows
from streams.worlds.arrays import Flags, Ints

HOURS_PER_WEEK = 168
NS_PER_HOUR = 3_600_000_000_000


def genuine(material: Material, rows: Rows) -> Flags:
    """Events that are no fraud, no laundering and no refund, bool [n]."""
    found = ~material.bad(rows)
    if "is_refund" in rows.events.column_names:
        found &= ~flags(rows.events["is_refund"])
    return found


def alike(groups: Ints, of: Ints, rng: np.random.Generator) -> Ints:
    """For each group in `of` a place in `groups` (both int64) that is of that group; -1 where there is none."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first, end = np.searchsorted(ordered, of, side="left"), np.searchsorted(ordered, of, side="right")
    drawn = first + np.floor(rng.random(len(of)) * (end - first)).astype(np.int64)
    found = end > first
    places = np.full(len(of), -1, np.int64)
    places[found] = order[drawn[found]]
    return places


def hour_of_week(times_ns: Ints) -> Ints:
    """Hours since a Thursday midnight UTC, 0 to 167, int64 [n]."""
    return times_ns // NS_PER_HOUR % HOURS_PER_WEEK


def borrowed(rows: Rows, places: Ints, donors: Ints, columns: tuple[str, ...]) -> Rows:
    """These rows with the `columns` that the rows at `donors` have (both places int64 [k])."""
    source = np.arange(len(rows), dtype=np.int64)
    source[places] = donors
    taken = rows.events.select(list(columns)).take(source)
    return rows.with_columns(**{name: taken[name] for name in columns})


def words_of(rows: Rows, column: str) -> tuple[Ints, list[str]]:
    """A column's codes and words; see `coded`."""
    codes, words = coded(rows.events[column])
    return codes.astype(np.int64), words
