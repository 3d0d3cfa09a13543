"""Real card data against pandas' own rolling windows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.features.batch import Vocabulary
from models.features.catalog import FEATURE_INDEX
from models.features.state import FeatureState

ROOT = Path(__file__).parents[4]
HANDBOOK = ROOT.parent / "shared" / "data" / "handbook_card_transactions.parquet"
CUSTOMERS_MAX = 100


@pytest.mark.realdata
@pytest.mark.skipif(
    not HANDBOOK.exists(), reason="the Fraud Detection Handbook's transactions are not beside this repository"
)
def test_counts_and_means_are_those_of_pandas() -> None:
    columns = ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TX_AMOUNT"]
    table = pq.read_table(HANDBOOK, columns=columns, filters=pc.field("CUSTOMER_ID") < CUSTOMERS_MAX)
    frame = table.to_pandas().sort_values("TX_DATETIME", kind="stable").reset_index(drop=True)
    frame["minor"] = np.rint(frame["TX_AMOUNT"] * 100).astype(np.int64)
    events = pa.table(
        {
            "event_id": pa.array(frame["TRANSACTION_ID"].astype(str)),
            "event_time_ns": pa.array(frame["TX_DATETIME"].astype("datetime64[ns]").astype(np.int64)),
            "card_id": pa.array(frame["CUSTOMER_ID"].astype(str)),
            "amount_minor": pa.array(frame["minor"]),
        }
    )
    state = FeatureState.empty(Vocabulary((), ()))
    values = state.compute(state.code_table(events)).values
    by_card = frame.set_index("TX_DATETIME").groupby("CUSTOMER_ID")["minor"]
    order = np.lexsort((frame.index, frame["CUSTOMER_ID"]))
    for window, name in (("24h", "24h"), ("7D", "7d"), ("30D", "30d")):
        counts, sums = by_card.rolling(window).count().to_numpy(), by_card.rolling(window).sum().to_numpy()
        np.testing.assert_array_equal(values[order, FEATURE_INDEX[f"count_{name}"]], counts)
        np.testing.assert_array_equal(values[order, FEATURE_INDEX[f"sum_{name}"]], (sums / 100).astype(np.float32))
        means = (sums / 100 / counts).astype(np.float32)
        np.testing.assert_array_equal(values[order, FEATURE_INDEX[f"mean_{name}"]], means)
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) > 10_000
