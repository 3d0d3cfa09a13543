"""A small world of money laundering with the features of its sides, made once; tests plant one leak each."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.aml.history import TransferTables, replay
from models.boosting import BoostingSettings
from models.separability.checks import Check
from models.separability.laundering.material import Laundering, Rows, laundering_of, split_sides
from models.separability.settings import AuditSettings
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlWorld

SMALL = AuditSettings(
    warm_up_days=28, test_share=0.4, genuine_max=6_000, genuine_compared=3_000, permutations=3, alert_share=0.05,
    boosting=BoostingSettings(rounds_max=60, max_bin=64, max_depth=4, learning_rate=0.15),
)  # fmt: skip
TYPOLOGIES = ("fan_in", "structuring", "rapid_pass_through", "cycle")


@dataclass(frozen=True)
class Made:
    """Tables, what they are, and the features of all sides."""

    data: Laundering
    values: NDArray[np.float32]

    @property
    def counts(self) -> NDArray[np.bool_]:
        return np.ones(len(self.data), np.bool_)

    def rows(self, values: NDArray[np.float32] | None = None, data: Laundering | None = None) -> Rows:
        """The rows that count."""
        return split_sides(data or self.data, self.values if values is None else values, self.counts, SMALL)


@cache
def made() -> Made:
    config = AmlWorldConfig(
        customers=1_300, markets=("US", "DE"), laundering_share=0.016, look_alike_share=0.18,
        typology_weights=dict.fromkeys(TYPOLOGIES, 1.0),
    )  # fmt: skip
    tables = AmlWorld(config, 5).generate(147, 0)
    given = TransferTables(tables.history_events, tables.history_labels, tables.accounts, tables.members)
    return Made(laundering_of(given), replay(given).values)


def changed(data: Laundering, table: str, **columns: Any) -> Laundering:
    """The same with other columns (arrays or Arrow arrays) in its table of transfers, laundering or accounts."""
    found = getattr(data.tables, table)
    for name, column in columns.items():
        index = found.column_names.index(name)
        field = found.schema.field(name)
        array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)
        if not pa.types.is_dictionary(field.type):
            array = array.cast(field.type)
        found = found.set_column(index, field.name, array)
    return laundering_of(replace(data.tables, **{table: found}))


def of(checks: tuple[Check, ...], begins: str) -> Check:
    """The check whose name begins so."""
    return next(check for check in checks if check.name.startswith(begins))
