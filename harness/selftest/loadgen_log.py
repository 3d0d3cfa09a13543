"""What MLPerf LoadGen says of a run: the percentiles of its summary, and each sample's instants from its trace.

In the Server scenario LoadGen counts a sample's latency from its scheduled instant to its completion, whenever it was
issued (`SampleComplete` in LoadGen's loadgen.cc): the same response time as ours, taken by other code.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streams.errors import RunInvalidError

SUMMARY, TRACE = "mlperf_log_summary.txt", "mlperf_log_trace.json"
PERCENTS = (50.0, 90.0, 99.0)
"""Those that are held against ours."""
Int64s = npt.NDArray[np.int64]
_PERCENTILE = re.compile(r"^(\d+\.\d+) percentile latency \(ns\)\s*: (\d+)$", re.MULTILINE)
# line by line, because the trace as a whole is not always JSON: LoadGen quotes some of its own words twice
_SAMPLE = re.compile(
    r'^\{"name":"Sample",[^{]*"ph":"b",[^{]*"ts":(?P<ts>-?\d+\.\d{3}),"args":\{"sample_seq":(?P<number>\d+),[^}]*'
    r'"issue_start_ns":(?P<delay>-?\d+),"complete_ns":(?P<latency>-?\d+)\}',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class LoadgenLog:
    """Samples in the order they were asked for, int64 [n] in ns: when each was scheduled and issued, on LoadGen's clock
    from the origin of its trace, and its latency. `percentile_ns`: the summary's, by percent."""

    scheduled_ns: Int64s
    issued_ns: Int64s
    latency_ns: Int64s
    percentile_ns: dict[float, int]


def read_loadgen(folder: Path) -> LoadgenLog:
    """The logs of a finished run. Raises `RunInvalidError` when they are missing, damaged or not of every sample."""
    try:
        summary, trace = ((folder / name).read_text(encoding="utf-8") for name in (SUMMARY, TRACE))
    except (OSError, UnicodeDecodeError) as error:
        raise RunInvalidError(f"MLPerf LoadGen's logs in {folder} cannot be read: {error}") from error
    percentiles = {float(percent): int(value) for percent, value in _PERCENTILE.findall(summary)}
    samples = list(_SAMPLE.finditer(trace))
    number, delay, latency = (_column(samples, name) for name in ("number", "delay", "latency"))
    # microseconds with three digits: nanoseconds once the point is taken out
    scheduled = np.array([int(sample["ts"].replace(".", "")) for sample in samples], np.int64)
    order = np.argsort(number)
    if (
        not samples
        or not percentiles.keys() >= set(PERCENTS)
        or not np.array_equal(number[order], np.arange(len(samples)))
    ):
        raise RunInvalidError(f"MLPerf LoadGen's logs in {folder} do not hold every sample of a finished run")
    return LoadgenLog(scheduled[order], (scheduled + delay)[order], latency[order], percentiles)


def _column(samples: list[re.Match[str]], name: str) -> Int64s:
    return np.array([int(sample[name]) for sample in samples], np.int64)
