"""Where the graph's accounts stand in the accounts' table, and whose they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.graph.batch import TransferBatch
from models.graph.kernel.layout import CELL_FROM, CELL_TO
from models.graph.state import GraphState
from streams.kernels.compiled import compiled

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Places:
    """`of_code` int32 [codes]: the accounts' table's row of each code of the graph state, NOWHERE where it has none.
    `account_ids` and `customer_ids` are the table's, as text."""

    of_code: NDArray[np.int32]
    account_ids: list[str]
    customer_ids: list[str]

    @classmethod
    def of(cls, state: GraphState, accounts: pa.Table) -> "Places":
        """The places of what the state knows of `accounts` (ACCOUNT_SCHEMA)."""
        ids = accounts["account_id"].cast(pa.string()).to_pylist()
        row = {name: place for place, name in enumerate(ids)}
        known = state.names_of(np.arange(state.accounts, dtype=np.int32))
        of_code = np.array([row.get(name, NOWHERE) for name in known], np.int32)
        return cls(of_code, ids, accounts["customer_id"].cast(pa.string()).to_pylist())

    def of_rows(self, codes: NDArray[Any]) -> NDArray[np.int32]:
        """The place of each code, int32 [n]; NOWHERE for codes given later than the table, and for none (below 0)."""
        found = np.empty(len(codes), np.int32)
        _look_up(codes, self.of_code, found)
        return found

    def of_sides(self, batch: TransferBatch) -> NDArray[np.int32]:
        """The places of a batch's accounts, int32 [2n]: transfer i's sender's at 2i, its receiver's at 2i + 1."""
        return self.of_rows(batch.cells[:, CELL_FROM : CELL_TO + 1].ravel())


@compiled
def _look_up(codes: Any, of_code: Any, found: Any) -> None:
    for row in range(codes.shape[0]):
        found[row] = of_code[codes[row]] if 0 <= codes[row] < of_code.shape[0] else NOWHERE
