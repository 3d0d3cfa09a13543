"""Latency as histograms: response, service and schedule delay in ns, by path and stage, in one-second intervals.

Response time runs from the intended instant, so a stall delays everything that was due in it (coordinated omission does
not arise), and a lost event counts at the time-out. HdrHistogram with three significant digits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from hdrh.histogram import HdrHistogram

from harness.decision_rows import STAGES, column_of, measured_batches
from streams.decision import PATHS

Int64s = npt.NDArray[np.int64]
HIGHEST_NS = 86_400_000_000_000
DIGITS = 3
PERCENTILES = (50.0, 90.0, 99.0, 99.9)
NS_PER_S = 1_000_000_000
S_PER_MINUTE = 60
_SUB_BUCKET_MASK = 2047
_HALF_MAGNITUDE = 10


def new_histogram() -> Any:
    """1 ns to a day, three significant digits."""
    return HdrHistogram(1, HIGHEST_NS, DIGITS)


def bucket_indices(values: Int64s) -> Int64s:
    """HdrHistogram's index of each value's counter (2,048 linear steps, then each power of two in 1,024)."""
    bits = np.frexp((values | _SUB_BUCKET_MASK).astype(np.float64))[1].astype(np.int64)
    shift = bits - (_HALF_MAGNITUDE + 1)
    return ((shift + 1) << _HALF_MAGNITUDE) + (values >> shift) - (1 << _HALF_MAGNITUDE)


def record(histogram: Any, values: Int64s) -> tuple[int, int]:
    """Record `values` (ns). Returns how many were negative and how many above a day: neither is recorded."""
    negative, over = int((values < 0).sum()), int((values > HIGHEST_NS).sum())
    if negative or over:
        values = values[(values >= 0) & (values <= HIGHEST_NS)]
    if len(values) == 0:
        return negative, over
    indices, counts = np.unique(bucket_indices(values), return_counts=True)
    counters = np.ctypeslib.as_array(histogram.counts)
    counters[indices] += counts.astype(counters.dtype)
    histogram.total_count += len(values)
    histogram.min_value = min(histogram.min_value, int(values.min()))
    histogram.max_value = max(histogram.max_value, int(values.max()))
    return negative, over


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A distribution in ms; None where nothing was recorded."""

    count: int
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float | None


def summarise(histogram: Any) -> Percentiles:
    """Percentiles in ms, exact to three digits; the maximum is exact."""
    if histogram.total_count == 0:
        return Percentiles(0, None, None, None, None, None)
    found = histogram.get_percentile_to_value_dict(list(PERCENTILES))
    highest = histogram.max_value
    p50, p90, p99, p999 = (min(found[p], highest) / 1e6 for p in PERCENTILES)
    return Percentiles(int(histogram.total_count), p50, p90, p99, p999, highest / 1e6)


@dataclass(slots=True)
class Series:
    """One tag: the whole, and the interval being filled."""

    total: Any = field(default_factory=new_histogram)
    interval: Any = field(default_factory=new_histogram)


class LatencyLog:
    """Records by tag and writes an HdrHistogram log (format 1.2) of one-second intervals, tagged."""

    def __init__(self, log: TextIO | None = None) -> None:
        self.series: dict[str, Series] = {}
        self.negative = 0
        self.overflow = 0
        self.minutes: list[Percentiles] = []
        self._minute = new_histogram()
        self._log = log
        if log is not None:
            log.write("#[Histogram log format version 1.2]\n#[values in nanoseconds, times in seconds of the run]\n")
            log.write('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')

    def add(self, tag: str, values: Int64s, *, part: bool = False) -> None:
        """Record values under a tag, in the open interval. `part`: they are part of another tag's, which has counted
        the impossible among them."""
        if len(values) == 0:
            return
        series = self.series.setdefault(tag, Series())
        # twice, because adding one histogram to another loses the exact maximum
        record(series.total, values)
        negative, over = record(series.interval, values)
        if not part:
            self.negative += negative
            self.overflow += over

    def close_interval(self, second: int) -> None:
        """Write every tag's interval that has values as second `second` of the run, and start the next."""
        for tag, series in self.series.items():
            interval = series.interval
            if interval.total_count == 0:
                continue
            if self._log is not None:
                payload = interval.encode().decode("ascii")
                self._log.write(f"Tag={tag},{second:.3f},1.000,{interval.max_value / 1e6:.3f},{payload}\n")
            interval.reset()

    def add_to_minute(self, response: Int64s) -> None:
        """Record response times in the open minute, beside what `add` does."""
        record(self._minute, response)

    def close_minute(self) -> None:
        """Keep the open minute's percentiles, and start the next."""
        self.minutes.append(summarise(self._minute))
        self._minute.reset()

    def percentiles(self, tag: str) -> Percentiles:
        """Percentiles of a tag over everything recorded."""
        return summarise(self.series[tag].total if tag in self.series else new_histogram())


def _add_rows(log: LatencyLog, batch: pa.RecordBatch) -> None:
    response, _ = column_of(batch, "response_ns")
    log.add("response", response)
    log.add_to_minute(response)
    sent, _ = column_of(batch, "sent_ns")
    intended, _ = column_of(batch, "intended_ns")
    log.add("schedule_delay", sent - intended)
    service, served = column_of(batch, "service_ns")
    log.add("service", service[served])
    for path in PATHS:
        chosen = pc.equal(batch.column("path"), path).fill_null(False).to_numpy(zero_copy_only=False)
        log.add(f"response.{path}", response[chosen], part=True)
        log.add(f"service.{path}", service[chosen & served], part=True)
    for stage in STAGES:
        took, given = column_of(batch, f"stage_{stage}_ns")
        log.add(f"stage.{stage}", took[given])


def _by_second(batch: pa.RecordBatch, start_ns: int, last: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows of the same second of receipt; rows never received belong to the last second seen."""
    received, valid = column_of(batch, "received_ns")
    seconds = np.where(valid, (received - start_ns) // NS_PER_S, -1)
    seconds = np.maximum.accumulate(np.maximum(seconds, last))
    cuts = np.flatnonzero(np.diff(seconds)) + 1
    for rows in np.split(np.arange(len(seconds)), cuts):
        if len(rows):
            yield int(seconds[rows[0]]), batch.slice(int(rows[0]), len(rows))


COLUMNS = (
    "measured",
    "path",
    "intended_ns",
    "sent_ns",
    "received_ns",
    "response_ns",
    "service_ns",
    *(f"stage_{stage}_ns" for stage in STAGES),
)


def measure_latency(decisions: Path, start_ns: int, log_file: Path | None) -> LatencyLog:
    """Latencies of the measured rows of a decisions.parquet, read a row group at a time, logged to `log_file`.

    `start_ns` is the run's start (monotonic); intervals are seconds since then, by time of receipt, and minutes whole
    ones from the first measured second on.
    """
    with (log_file or Path("/dev/null")).open("w", encoding="ascii") as handle:
        log = LatencyLog(handle if log_file else None)
        current, first = 0, None
        for measured in measured_batches(decisions, COLUMNS):
            for second, rows in _by_second(measured, start_ns, current):
                first = second if first is None else first
                if second != current:
                    log.close_interval(current)
                    for _ in range(len(log.minutes), (second - first) // S_PER_MINUTE):
                        log.close_minute()
                    current = second
                _add_rows(log, rows)
        log.close_interval(current)
        if first is not None and (current + 1 - first) // S_PER_MINUTE > len(log.minutes):
            log.close_minute()
    return log
