"""Which events a protocol leaves out of the measures: those of cards whose fraud is already known."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.quality.scored import codes_of
from streams.labels import NS_PER_DAY


def known_compromised(
    events: pa.Table, labels: pa.Table, since_ns: int, label_delay_days: int
) -> npt.NDArray[np.bool_]:
    """bool[n], one entry an event: its card had a fraud that is known by then.

    As the Fraud Detection Handbook prepares its test sets (chapter 3, "Defining a training and a test set"): a fraud of
    calendar day f (not before the day of `since_ns`, the start of training) is known from day
    f + `label_delay_days` + 1 on. `events` and `labels` are row for row, and must reach back to `since_ns` (history and
    stream together).
    """
    card, names = codes_of(events["card_id"])
    day = events["event_time_ns"].to_numpy() // NS_PER_DAY
    counts = labels["is_fraud"].to_numpy() & (day >= since_ns // NS_PER_DAY)
    first_fraud = np.full(len(names), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(first_fraud, card[counts], day[counts])
    return np.asarray(first_fraud[card] <= day - label_delay_days - 1, dtype=bool)
