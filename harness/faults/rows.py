"""A run's decisions as a fault's measures look at them: arrays in the order of the schedule."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.decision import PATHS
from streams.stored_rows import StoredRows, WordCodes

Int64s = npt.NDArray[np.int64]
Int8s = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
NEVER = -1
_STAGES = ("stage_table_wait_ns", "stage_features_ns", "stage_rules_ns", "stage_model_ns")
COLUMNS = (
    "ordinal", "measured", "intended_ns", "sent_ns", "received_ns", "response_ns", "path", "margin", "status",
    "worker", "taken_ns", "emitted_ns", *_STAGES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """[n], one entry an event sent. `received_ns` is NEVER for a lost one; `path` an index into PATHS, −1 for a
    lost one; `margin` NaN where the model did not speak. `worker` numbers the workers; `call_ns` is how long the model
    stage of the event's micro-batch took, `call_end_ns` when it was over. What the scorer does not tell is NEVER."""

    ordinal: Int64s
    measured: Bools
    intended_ns: Int64s
    sent_ns: Int64s
    received_ns: Int64s
    response_ns: Int64s
    path: Int8s
    margin: Floats
    worker: Int64s
    emitted_ns: Int64s
    call_ns: Int64s
    call_end_ns: Int64s

    def __len__(self) -> int:
        return len(self.ordinal)

    @property
    def lost(self) -> Bools:
        """Never answered."""
        return np.asarray(self.received_ns == NEVER)

    @property
    def fallback(self) -> Bools:
        """Decided by the rules in the model's stead."""
        return np.asarray(self.path == PATHS.index("fallback"))

    def only(self, chosen: Bools) -> "Rows":
        """The chosen rows."""
        return Rows(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def due(self, from_ns: int, until_ns: int) -> slice:
        """Events whose intended instant lies in [from_ns, until_ns)."""
        low, high = np.searchsorted(self.intended_ns, [from_ns, until_ns])
        return slice(int(low), int(high))


def read_rows(decisions: Path) -> Rows:
    """The rows of a decisions.parquet, put where they belong a block at a time: of a long run a hundred bytes an
    event."""
    stored, workers = StoredRows(decisions), WordCodes()
    place, found, start = _places(stored), _empty(len(stored)), 0
    for block in stored.blocks(COLUMNS):
        here, part = place[start : start + len(block)], _rows_of(block, workers)
        for each in fields(Rows):
            getattr(found, each.name)[here] = getattr(part, each.name)
        start += len(block)
    return found


def _places(stored: StoredRows) -> Int64s:
    """Where each row of the file belongs, in the order of events."""
    order = np.argsort(stored.read(["ordinal"])["ordinal"].to_numpy(), kind="stable")
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order))
    return found


def _empty(count: int) -> Rows:
    kinds: dict[str, type[np.generic]] = {"measured": np.bool_, "path": np.int8, "margin": np.float64}
    return Rows(*(np.empty(count, kinds.get(each.name, np.int64)) for each in fields(Rows)))


def _rows_of(table: pa.Table, workers: WordCodes) -> Rows:
    """In the table's order; workers by the numbers that they have in `workers`."""
    call_ns = table["stage_model_ns"].fill_null(NEVER).to_numpy()
    end_ns = sum(table[name].fill_null(0).to_numpy() for name in ("taken_ns", *_STAGES))
    path = pc.index_in(table["path"].cast(pa.string()), value_set=pa.array(PATHS)).fill_null(-1)
    return Rows(
        ordinal=table["ordinal"].to_numpy(),
        measured=np.asarray(table["measured"].to_numpy(), dtype=np.bool_),
        intended_ns=table["intended_ns"].to_numpy(),
        sent_ns=table["sent_ns"].to_numpy(),
        received_ns=table["received_ns"].fill_null(NEVER).to_numpy(),
        response_ns=table["response_ns"].to_numpy(),
        path=path.to_numpy().astype(np.int8),
        margin=table["margin"].fill_null(np.nan).to_numpy(),
        worker=workers.of(table["worker"]).astype(np.int64),
        emitted_ns=table["emitted_ns"].fill_null(NEVER).to_numpy(),
        call_ns=call_ns,
        call_end_ns=np.where((call_ns == NEVER) | table["taken_ns"].is_null().to_numpy(), NEVER, end_ns),
    )
