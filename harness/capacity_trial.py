"""Whether a rate was held: the latency test, the backlog, and everything answered by the model as it should be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.confidence import limit_kept, samples_needed
from harness.slo_option import LatencyLimit

GROWTH_SHARE_MAX = 0.01
"""A backlog that grows faster than this share of the rate is growing (Theodolite's lag trend, with a relative bound:
Henning & Hasselbring, Empirical Software Engineering 27, 2022)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a capacity search; latencies in ms, lag in events, growth in events/s."""

    rate_per_s: float
    achieved_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    quantile_ms: float | None
    lag_max: int
    lag_growth_per_s: float
    lost: int
    fallback: int
    held: bool
    reasons: tuple[str, ...]
    folder: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def lag_growth_per_s(lag: npt.NDArray[np.int64]) -> float:
    """Slope of a line through the lag at the end of every second (least squares); 0 for fewer than three seconds."""
    if len(lag) < 3:
        return 0.0
    return float(np.polyfit(np.arange(len(lag)), lag.astype(np.float64), 1)[0])


def judge_trial(rate_per_s: float, results: Mapping[str, Any], folder: Path, limit: LatencyLimit) -> Point:
    """Judge a run folder. Not held: every reason in words."""
    measured = pq.read_table(folder / "decisions.parquet", columns=["measured", "response_ns"])
    response_ns = measured.filter(measured["measured"])["response_ns"].to_numpy()
    lag = _measured_lag(pq.read_table(folder / "timeline.parquet"), float(results["load"]["warmup_s"]))
    growth = lag_growth_per_s(lag)
    counts, latency = results["counts"], results["latency_ms"]["response"]
    reasons = (
        *_validity(results["verdict"]),
        *_latency(response_ns, limit),
        *_backlog(growth, rate_per_s),
        *_answers(counts),
    )
    return Point(
        rate_per_s=rate_per_s,
        achieved_per_s=float(results["load"]["achieved_per_s"]),
        p50_ms=latency["p50"],
        p99_ms=latency["p99"],
        quantile_ms=float(np.quantile(response_ns, limit.q)) / 1e6 if len(response_ns) else None,
        lag_max=int(lag.max(initial=0)),
        lag_growth_per_s=round(growth, 3),
        lost=int(counts["lost"]),
        fallback=int(counts["by_path"]["fallback"]),
        held=not reasons,
        reasons=reasons,
        folder=str(folder),
    )


def _measured_lag(timeline: pa.Table, warmup_s: float) -> npt.NDArray[np.int64]:
    """Lag by second after the warm-up, while events were still being sent."""
    seconds, sent = timeline["second"].to_numpy(), timeline["sent"].to_numpy()
    last = int(seconds[sent > 0].max(initial=0))
    chosen = (seconds >= warmup_s) & (seconds < last)
    found: npt.NDArray[np.int64] = timeline["lag"].to_numpy()[chosen]
    return found


def _validity(verdict: Mapping[str, Any]) -> list[str]:
    return [f"invalid: {reason}" for reason in verdict["reasons"]] if verdict["status"] == "invalid" else []


def _latency(response_ns: npt.NDArray[np.int64], limit: LatencyLimit) -> list[str]:
    over = int((response_ns > limit.limit_ms * 1e6).sum())
    if limit_kept(len(response_ns), over, limit.q) == "kept":
        return []
    needed = samples_needed(limit.q)
    if len(response_ns) < needed:
        return [f"{len(response_ns):,} samples are too few to show {limit}: at least {needed:,} are needed"]
    return [f"{limit} is not shown at 99% confidence: {over:,} of {len(response_ns):,} responses took longer"]


def _backlog(growth_per_s: float, rate_per_s: float) -> list[str]:
    if growth_per_s <= GROWTH_SHARE_MAX * rate_per_s:
        return []
    return [f"the backlog grew by {growth_per_s:,.1f} events/s"]


def _answers(counts: Mapping[str, Any]) -> list[str]:
    reasons = []
    if counts["lost"]:
        reasons.append(f"{counts['lost']:,} events were lost")
    if counts["by_path"]["fallback"]:
        reasons.append(f"{counts['by_path']['fallback']:,} events were decided by the fallback: quality did not hold")
    return reasons
