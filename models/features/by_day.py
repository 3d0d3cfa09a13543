"""Rows by their business day."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.features.batch import Int64s


class OfDay(NamedTuple):
    """The rows of a business day, and how many they are."""

    day: int
    rows: slice | npt.NDArray[np.bool_]
    size: int


def by_day(days: Int64s) -> list[OfDay]:
    """Each day that occurs in `days` int64 [n] and its rows, in their order. Of one day, as most micro-batches are, the
    rows are a slice: what is chosen by it is not copied."""
    if len(days) == 0:
        return []
    first = int(days[0])
    if (days == first).all():
        return [OfDay(first, slice(None), len(days))]
    return [OfDay(day, days == day, int((days == day).sum())) for day in np.unique(days).tolist()]


def chosen_rows(days: Sequence[OfDay], chosen: npt.NDArray[np.bool_]) -> list[OfDay]:
    """Of each day only the rows that are `chosen` (of all n)."""
    found = []
    for day, rows, _ in days:
        kept = np.zeros(len(chosen), np.bool_)
        kept[rows] = chosen[rows]
        found.append(OfDay(day, kept, int(np.count_nonzero(kept))))
    return found
