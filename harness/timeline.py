"""timeline.parquet: one row a second of the run, for the report's curves over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.decision import PATHS
from streams.stored_rows import StoredRows

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


class _Seconds:
    """What is gathered over blocks of rows: counts by second, and response times, eight bytes a decision."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._sent, self._decided = _Tally(), _Tally()
        self._by_path = {path: _Tally() for path in PATHS}
        self._response_ns: dict[int, list[npt.NDArray[np.int64]]] = {}

    def add(self, rows: pa.Table) -> None:
        """Count rows of decisions.parquet."""
        self._sent.add(_seconds(rows["sent_ns"].to_numpy(), self._start_ns))
        answered = rows.filter(rows["received_ns"].is_valid())
        decided = _seconds(answered["received_ns"].to_numpy(), self._start_ns)
        self._decided.add(decided)
        path = answered["path"].cast(pa.string())
        for name, tally in self._by_path.items():
            tally.add(decided[pc.equal(path, name).fill_null(False).to_numpy()])
        order = np.argsort(decided, kind="stable")
        response_ns, cuts = answered["response_ns"].to_numpy()[order], np.flatnonzero(np.diff(decided[order])) + 1
        for second, values in zip(np.unique(decided).tolist(), np.split(response_ns, cuts), strict=False):
            self._response_ns.setdefault(second, []).append(values)

    @property
    def length(self) -> int:
        """Seconds until the last thing that happened."""
        return max(len(self._sent.counts), len(self._decided.counts))

    def percentiles(self) -> list[Any]:
        """P50 and P99 in ms by second; None where nothing was decided."""
        return [
            np.percentile(np.concatenate(self._response_ns[second]), [50, 99]) / 1e6
            if second in self._response_ns
            else (None, None)
            for second in range(self.length)
        ]

    def counted(self) -> dict[str, npt.NDArray[np.int64]]:
        """Counts by second: sent, decided, and by path."""
        tallies = {"sent": self._sent, "decided": self._decided} | self._by_path
        return {name: tally.until(self.length) for name, tally in tallies.items()}


class _Tally:
    """Counts by second, as many as have come."""

    def __init__(self) -> None:
        self.counts = np.zeros(0, np.int64)

    def add(self, seconds: npt.NDArray[np.int64]) -> None:
        found = np.bincount(seconds, minlength=len(self.counts))
        found[: len(self.counts)] += self.counts
        self.counts = found

    def until(self, length: int) -> npt.NDArray[np.int64]:
        return np.concatenate([self.counts, np.zeros(length - len(self.counts), np.int64)])


def _by_second(samples: Sequence[Sample], start_ns: int) -> dict[int, Sample]:
    return {max(0, (sample.at_ns - start_ns) // NS_PER_S): sample for sample in samples}


def build_timeline(decisions: Path, start_ns: int, samples: Sequence[Sample]) -> pa.Table:
    """Per second since `start_ns`: sent, decided (by receipt), by path, response percentiles in ms, lag, breaker.

    Lag is what had been sent and not answered at the end of the second.
    """
    seconds = _Seconds(start_ns)
    for rows in StoredRows(decisions).blocks(["sent_ns", "received_ns", "response_ns", "path"]):
        seconds.add(rows)
    length, seen = seconds.length, _by_second(samples, start_ns)
    counted, percentiles = seconds.counted(), seconds.percentiles()
    columns: dict[str, Any] = {
        "second": np.arange(length),
        **counted,
        "lag": np.cumsum(counted["sent"]) - np.cumsum(counted["decided"]),
        "uncommitted": [seen[s].uncommitted if s in seen else None for s in range(length)],
        "p50_ms": [p[0] for p in percentiles],
        "p99_ms": [p[1] for p in percentiles],
        "breaker_state": [seen[s].breaker if s in seen else None for s in range(length)],
    }
    return pa.table(columns, schema=TIMELINE_SCHEMA)
