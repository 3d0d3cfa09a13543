"""Coded transfers: what goes into the graph kernel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int64s
from models.graph.kernel.layout import CELL_TIME


@dataclass(frozen=True, slots=True, eq=False)
class TransferBatch:
    """Transfers in arrival order: `cells` int64 [n, 11], a row each (see `kernel.layout`: the columns of a cell, -1
    null). The codes are of the `GraphState` that made the batch and mean nothing to another one."""

    cells: Int64s

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def time_ns(self) -> Int64s:
        """Event times, int64 [n]."""
        times: Int64s = self.cells[:, CELL_TIME]
        return times

    def take(self, rows: slice | npt.NDArray[Any]) -> "TransferBatch":
        """The batch of these rows: a slice (shares memory), a mask or an index array."""
        return TransferBatch(np.ascontiguousarray(self.cells[rows]))
