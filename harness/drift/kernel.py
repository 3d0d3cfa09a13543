"""Counts micro-batches of many features into their bins: one pass over the rows, compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import compiled
from streams.reference_bins import ReferenceBins

Floats = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BinTable:
    """The bins of C columns, side by side. A column's bins are those of `ReferenceBins` in the same order; rows are
    padded, so that `size` bins hold any column.

    `edges` float64 [C, E] (padding +∞), `masses` float64 [C, M] (padding NaN); `edge_counts`, `mass_counts` int64 [C].
    """

    edges: npt.NDArray[np.float64]
    masses: npt.NDArray[np.float64]
    edge_counts: npt.NDArray[np.int64]
    mass_counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, bins: Sequence[ReferenceBins]) -> "BinTable":
        """Lay the bins of several columns side by side."""
        edge_counts = np.array([len(column.edges) for column in bins], dtype=np.int64)
        mass_counts = np.array([len(column.point_masses) for column in bins], dtype=np.int64)
        edges = np.full((len(bins), max(1, int(edge_counts.max(initial=0)))), np.inf)
        masses = np.full((len(bins), max(1, int(mass_counts.max(initial=0)))), np.nan)
        for row, column in enumerate(bins):
            edges[row, : len(column.edges)] = column.edges
            masses[row, : len(column.point_masses)] = column.point_masses
        return cls(edges, masses, edge_counts, mass_counts)

    @property
    def columns(self) -> int:
        """Number of columns C."""
        return len(self.edge_counts)

    @property
    def size(self) -> int:
        """Bins of the column that has most: B."""
        return int((self.edge_counts + self.mass_counts).max(initial=0)) + 2

    def count_into(self, counts: Counts, values: Floats, row: npt.NDArray[np.integer[Any]]) -> None:
        """Add `values` (float [n, C]) to `counts` (int64 [R, C, B]); `row` [n]: of which of the R tables a line is."""
        _count_into(counts, values, row, self.edges, self.masses, self.edge_counts, self.mass_counts)


@compiled
def _count_into(
    counts: Any, values: Any, row: Any, edges: Any, masses: Any, edge_counts: Any, mass_counts: Any
) -> None:
    """Right-closed intervals first, then point masses, last NaN. Few edges: going through them costs less than halving,
    as it has no branch to guess."""
    lines, columns = values.shape
    for line in range(lines):
        table = row[line]
        for column in range(columns):
            value = np.float64(values[line, column])
            intervals = edge_counts[column] + 1
            if np.isnan(value):
                counts[table, column, intervals + mass_counts[column]] += 1
                continue
            place = 0
            for edge in range(intervals - 1):
                place += edges[column, edge] < value
            for mass in range(mass_counts[column]):
                if masses[column, mass] == value:
                    place = intervals + mass
            counts[table, column, place] += 1
