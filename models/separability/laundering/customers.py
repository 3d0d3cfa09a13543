"""Customers' periods (a fortnight each): what a worklist ranks, and what of their transfers it can be ranked by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.graph.catalog import AML_FEATURES
from models.separability.laundering.material import Laundering, Rows, Values, spanning
from models.separability.material import NOTHING, Flags, Ints, Split, thinned
from models.separability.ranking import bins
from models.separability.settings import AuditSettings
from models.separability.single_feature import Column
from streams.labels import NS_PER_DAY

NUMBERS = tuple(feature for feature in AML_FEATURES if feature.kind != "category")
NAMES = (*(f"highest {f.name}" for f in NUMBERS), *(f"lowest {f.name}" for f in NUMBERS), "transfers")
"""The columns of a customer's period: of every number its highest and its lowest value, and how many rows there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """Customers' periods, u of them in order of time, the genuine ones thinned out: their rows are `side` (numbers
    among all sides) from `begin` [u + 1] on. `values` float32 [u, C] are the columns `NAMES`; `pattern` is one of its
    patterns (-1 genuine), `market` the customer's."""

    side: Ints
    begin: Ints
    values: Values
    positive: Flags
    pattern: Ints
    market: Ints
    split: Split

    def best(self, scores: NDArray[np.floating], rows: Ints) -> NDArray[np.floating]:
        """The highest score in each of the periods `rows`; `scores` are of their sides, one after another."""
        lengths = np.diff(self.begin)[rows]
        starts = np.cumsum(lengths) - lengths
        found: NDArray[np.floating] = np.maximum.reduceat(scores, starts)
        return found

    def sides_of(self, rows: Ints) -> Ints:
        """The sides of the periods `rows`, one period after another."""
        return self.side[runs(self.begin[rows], np.diff(self.begin)[rows])]


def runs(begin: Ints, length: Ints) -> Ints:
    """The positions of runs that begin at `begin`, one after another."""
    ends = np.cumsum(length)
    found: Ints = np.arange(int(length.sum())) + np.repeat(begin - ends + length, length)
    return found


def periods_of(data: Laundering, values: Values, counts: Flags, rows: Rows, settings: AuditSettings) -> Periods | None:
    """Customers' periods from the rows' start on, split where the rows are. A period is positive when one of its sides
    launders; it is left out where only a pattern that began before the cut shows, or a member's other rows alone.
    None when a part has no laundering, or no period ends before the cut."""
    time_ns, pattern = data.side_time_ns, data.side_pattern
    late = spanning(data, rows.cut_ns)
    side = np.flatnonzero(np.repeat(counts, 2) & (data.customer != NOTHING) & (time_ns >= rows.start_ns))
    period = (time_ns[side] - rows.start_ns) // (settings.period_days * NS_PER_DAY)
    key = period * (int(data.customer.max()) + 1) + data.customer[side]
    order = np.argsort(key, kind="stable")
    side, key = side[order], key[order]
    begin = np.flatnonzero(np.diff(key, prepend=-1))
    judged = data.sides.is_positive[side] & ~late[side]
    touched = data.sides.is_positive[side] | data.sides.is_near[side]
    positive = np.logical_or.reduceat(judged, begin)
    usable = positive | ~np.logical_or.reduceat(touched, begin)
    of_pattern = np.maximum.reduceat(np.where(judged, pattern[side], NOTHING), begin)
    kept, split = _split(time_ns[side[begin]] >= rows.cut_ns, positive, usable, settings)
    if split is None:
        return None
    lengths = np.diff(np.append(begin, len(side)))[kept]
    new_begin = np.concatenate([[0], np.cumsum(lengths)])
    members = side[runs(begin[kept], lengths)]
    return Periods(
        side=members, begin=new_begin, values=_extremes(values, members, new_begin), positive=positive[kept],
        pattern=of_pattern[kept], market=data.market[members[new_begin[:-1]]], split=split,
    )  # fmt: skip


def _split(is_test: Flags, positive: Flags, usable: Flags, settings: AuditSettings) -> tuple[Ints, Split | None]:
    """The periods kept, in order, and the split into positions among them."""
    rng = np.random.default_rng([settings.seed, 6])
    parts = []
    for part in (~is_test, is_test):
        rows = np.flatnonzero(usable & part)
        if not positive[rows].any() or positive[rows].all():
            return rows, None
        parts.append(thinned(rows, positive[rows], settings.genuine_compared, rng))
    (train, train_weight), (test, test_weight) = parts
    count = len(train)
    return np.concatenate([train, test]), Split(
        np.arange(count), np.arange(count, count + len(test)), train_weight, test_weight
    )


def _extremes(values: Values, side: Ints, begin: Ints) -> Values:
    """Highest and lowest of every number in each period, missing ones aside, and the count: float32 [u, C]."""
    found = np.empty((len(begin) - 1, len(NAMES)), np.float32)
    numbers = [index for index, feature in enumerate(AML_FEATURES) if feature.kind != "category"]
    for place, index in enumerate(numbers):
        column = values[side, index]
        found[:, place] = np.fmax.reduceat(column, begin[:-1])
        found[:, len(numbers) + place] = np.fmin.reduceat(column, begin[:-1])
    found[:, -1] = np.diff(begin)
    return found


def columns_of(periods: Periods) -> list[Column]:
    """The columns that hold something."""
    found: list[Column] = []
    for index, name in enumerate(NAMES):
        column = periods.values[:, index].astype(np.float64)
        if np.isfinite(column).any():
            family = "count" if name == "transfers" else NUMBERS[index % len(NUMBERS)].family
            found.append((name, family, column, bins(column)))
    return found
