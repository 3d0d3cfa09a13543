"""Whether something falls behind: the slope of a straight line through it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROWTH_SHARE_MAX = 0.01
"""A backlog that grows faster than this share of the rate is growing (Theodolite's lag trend, with a relative bound:
Henning & Hasselbring, Empirical Software Engineering 27, 2022). So is a delay that grows faster than this share of the
time."""
SECONDS_MIN = 3
EXPLANATIONS_MIN = 20


def lag_growth_per_s(lag: npt.NDArray[np.int64]) -> float | None:
    """Slope of a line through the lag at the end of every second (least squares); None for fewer than three seconds."""
    if len(lag) < SECONDS_MIN:
        return None
    return float(np.polyfit(np.arange(len(lag)), lag.astype(np.float64), 1)[0])


def measured_lag(timeline: Path, warmup_s: float) -> npt.NDArray[np.int64]:
    """Lag by second of a timeline.parquet after the warm-up, while events were still being sent."""
    rows = pq.read_table(timeline, columns=["second", "sent", "lag"])
    seconds, sent = rows["second"].to_numpy(), rows["sent"].to_numpy()
    last = int(seconds[sent > 0].max(initial=0))
    chosen = (seconds >= warmup_s) & (seconds < last)
    found: npt.NDArray[np.int64] = rows["lag"].to_numpy()[chosen]
    return found


def explanation_growth(explanations: Path) -> float:
    """By how many seconds a second the delay from decision to explanation grows, over the measured rows of an
    explanations.parquet; 0 where they are too few to say, or the scorer does not say when."""
    if not explanations.is_file():
        return 0.0
    rows = pq.read_table(explanations, columns=["measured", "decided_ns", "emitted_ns"])
    rows = rows.filter(pc.and_(rows["measured"], pc.is_valid(pc.add(rows["decided_ns"], rows["emitted_ns"]))))
    decided = rows["decided_ns"].to_numpy()
    if len(decided) < EXPLANATIONS_MIN or decided.min() == decided.max():
        return 0.0
    delay = rows["emitted_ns"].to_numpy() - decided
    return float(np.polyfit((decided - decided.min()) / 1e9, delay / 1e9, 1)[0])
