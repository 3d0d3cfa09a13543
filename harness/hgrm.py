"""Percentile distributions as text (.hgrm), for HdrHistogram's own plotters."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

HGRM_TAGS = ("response", "service", "schedule_delay")
TICKS_PER_HALF_DISTANCE = 5
NS_PER_MS = 1e6


def write_hgrm(folder: Path, series: Iterable[tuple[str, Any]]) -> list[Path]:
    """Write `latency-<tag>.hgrm` (ms) for each tagged histogram of ns that holds anything."""
    written = []
    for tag, histogram in series:
        if histogram.total_count == 0:
            continue
        path = folder / f"latency-{tag}.hgrm"
        with path.open("wb") as file:
            histogram.output_percentile_distribution(file, NS_PER_MS, TICKS_PER_HALF_DISTANCE)
        written.append(path)
    return written
