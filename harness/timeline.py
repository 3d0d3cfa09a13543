"""timeline.parquet: one row a second of the run, for the report's curves over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from streams.decision import PATHS

NS_PER_S = 1_000_000_000

TIMELINE_SCHEMA = pa.schema(
    [
        pa.field("second", pa.int64(), nullable=False),
        pa.field("sent", pa.int64(), nullable=False),
        pa.field("decided", pa.int64(), nullable=False),
        pa.field("lag", pa.int64(), nullable=False),
        pa.field("uncommitted", pa.int64()),
        pa.field("p50_ms", pa.float64()),
        pa.field("p99_ms", pa.float64()),
        *[pa.field(path, pa.int64(), nullable=False) for path in PATHS],
        pa.field("breaker_state", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen from outside at one moment (ns, monotonic): events whose offsets the scorer's group had not yet
    committed (it commits about once a second, so this is not what waits), the breaker's state, how many workers did
    not say how they are, how many messages the scorer had refused, and how many events it had left alone because they
    came again."""

    at_ns: int
    uncommitted: int | None
    breaker: str | None
    silent: int = 0
    dead_lettered: int = 0
    ignored: int = 0


def _seconds(times_ns: npt.NDArray[np.int64], start_ns: int) -> npt.NDArray[np.int64]:
    return np.maximum((times_ns - start_ns) // NS_PER_S, 0)


def _percentiles(seconds: npt.NDArray[np.int64], response_ns: npt.NDArray[np.int64], length: int) -> list[Any]:
    order = np.argsort(seconds, kind="stable")
    cuts = np.searchsorted(seconds[order], np.arange(length + 1))
    found: list[Any] = []
    for second in range(length):
        values = response_ns[order[cuts[second] : cuts[second + 1]]]
        found.append(np.percentile(values, [50, 99]) / 1e6 if len(values) else (None, None))
    return found


def _by_second(samples: Sequence[Sample], start_ns: int) -> dict[int, Sample]:
    return {max(0, (sample.at_ns - start_ns) // NS_PER_S): sample for sample in samples}


def build_timeline(decisions: Path, start_ns: int, samples: Sequence[Sample]) -> pa.Table:
    """Per second since `start_ns`: sent, decided (by receipt), by path, response percentiles in ms, lag, breaker.

    Lag is what had been sent and not answered at the end of the second.
    """
    rows = pq.read_table(decisions, columns=["sent_ns", "received_ns", "response_ns", "path"])
    sent = _seconds(rows["sent_ns"].to_numpy(), start_ns)
    received = rows["received_ns"].drop_null().to_numpy()
    answered = rows.filter(rows["received_ns"].is_valid())
    decided = _seconds(received, start_ns)
    length = int(max(sent.max(initial=-1), decided.max(initial=-1))) + 1
    seen = _by_second(samples, start_ns)
    percentiles = _percentiles(decided, answered["response_ns"].to_numpy(), length)
    path = np.array(answered["path"].cast(pa.string()).to_pylist(), dtype=object)
    sent_in, decided_in = np.bincount(sent, minlength=length), np.bincount(decided, minlength=length)
    columns: dict[str, Any] = {
        "second": np.arange(length),
        "sent": sent_in,
        "decided": decided_in,
        "lag": np.cumsum(sent_in) - np.cumsum(decided_in),
        "uncommitted": [seen[s].uncommitted if s in seen else None for s in range(length)],
        "p50_ms": [p[0] for p in percentiles],
        "p99_ms": [p[1] for p in percentiles],
        **{name: np.bincount(decided[path == name], minlength=length) for name in PATHS},
        "breaker_state": [seen[s].breaker if s in seen else None for s in range(length)],
    }
    return pa.table(columns, schema=TIMELINE_SCHEMA)
