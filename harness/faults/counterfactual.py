"""What rules and model together would have decided, had nothing failed: computed again from the run folder alone."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.case import CASE
from harness.processes import module_command
from harness.recompute import RECOMPUTE_S, read_recomputed
from harness.training import Workshop, run_step
from streams.stored_rows import StoredRows

Int64s = npt.NDArray[np.int64]


class Would(msgspec.Struct, frozen=True):
    """A decision as it would have been."""

    outcome: str
    score: float


def decided(decisions: Path, ordinals: Int64s, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a decisions.parquet of the events `ordinals`, in its order; `columns` of it (None: all)."""
    stored, wanted = StoredRows(decisions), pa.array(ordinals)
    blocks = stored.blocks(stored.names if columns is None else columns)
    chosen = [rows.filter(pc.is_in(rows["ordinal"], value_set=wanted)) for rows in blocks]
    return pa.concat_tables(chosen).unify_dictionaries()


def would_have_decided(run: Path, ordinals: Int64s, work: Path, shop: Workshop) -> dict[str, Would]:
    """By event id, for the decided events of these ordinals. `run` holds case, events and decisions; `work` is for
    files in between.

    Raises RunInvalidError when they cannot be computed again.
    """
    chosen = decided(run / "decisions.parquet", ordinals)
    # a fallback would be made again as one: whose path is the model's is given to the model
    path = pa.array(["model"] * len(chosen)).dictionary_encode()
    asked = chosen.set_column(chosen.column_names.index("path"), "path", path)
    pq.write_table(asked, work / "asked.parquet")
    out = work / "would.json"
    command = module_command(
        "scorer", "recompute",
        "--case", str(run / CASE),
        "--events", str(run / "events.parquet"),
        "--decisions", str(work / "asked.parquet"),
        "--all", "--no-contributions",
        "--out", str(out),
    )  # fmt: skip
    shop.family.stop(run_step(shop, "recomputing", command, RECOMPUTE_S))
    return {found.event_id: Would(found.outcome, found.score) for found in read_recomputed(out)}
