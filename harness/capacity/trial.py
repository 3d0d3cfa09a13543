"""Whether a rate was held: the latency test, the backlog, everything answered, and answered as well as at a lower rate.

A rate that was not held is either the scorer's limit, or that of what measures it: the load process that could not send
on time, the broker that the null scorer finds too slow as well, a run too short. The two are told apart, for only the
first says anything about the scorer.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.capacity.growth import GROWTH_SHARE_MAX, explanation_growth, lag_growth_per_s, measured_lag
from harness.capacity.sameness import Sameness, compare_outcomes
from harness.confidence import limit_kept, samples_needed
from harness.explanations import EXPLANATIONS_FILE
from harness.latency_results import Floor
from harness.results import Results
from harness.scenario import Slo
from harness.slo_option import LatencyLimit
from harness.verdict import ACHIEVED_SHARE_MIN, Judged, contract_problems, quality_problems

NS_PER_MS = 1e6
Limit = Literal["scorer", "harness"]
"""What kept a rate from being held: the scorer, or load, broker and measuring time."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a capacity search; latencies in ms, lag in events, growth in events/s.

    `quantile_ms` is the quantile the limit speaks of. `shared` events were decided in an earlier, slower run too,
    `changed` of them otherwise (None: there was none to compare with). `floor_…` is the null scorer's, measured beside
    every further run of a rate. `folder` is the run's, within the search's; None where the run broke off.
    """

    rate_per_s: float
    scheduled_per_s: float
    achieved_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    quantile_ms: float | None
    schedule_delay_p99_ms: float | None
    table_wait_max_ms: float | None
    explanation_p99_ms: float | None
    floor_p50_ms: float | None
    floor_p99_ms: float | None
    lag_max: int
    lag_growth_per_s: float | None
    lost: int
    fallback: int
    shared: int | None
    changed: int | None
    precision_at_k: float | None
    held: bool
    limited_by: Limit | None
    reasons: tuple[str, ...]
    folder: str | None
    took_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Responses:
    """Response times of the measured events in ns; `unhurried_ns` without what the load process was late by. The
    longest wait for a day table is None where the scorer does not say."""

    response_ns: npt.NDArray[np.int64]
    unhurried_ns: npt.NDArray[np.int64]
    table_wait_max_ms: float | None

    @classmethod
    def read(cls, decisions: Path) -> "_Responses":
        columns = ["measured", "response_ns", "intended_ns", "sent_ns", "stage_table_wait_ns"]
        rows = pq.read_table(decisions, columns=columns)
        rows = rows.filter(rows["measured"])
        response = rows["response_ns"].to_numpy()
        late = rows["sent_ns"].to_numpy() - rows["intended_ns"].to_numpy()
        waited = rows["stage_table_wait_ns"].drop_null().to_numpy()
        return cls(response, response - np.maximum(late, 0), float(waited.max()) / NS_PER_MS if len(waited) else None)


def judge_trial(results: Results, folder: Path, limit: LatencyLimit, slower: Path | None) -> Point:
    """Judge a finished run folder. `slower` is the decisions.parquet of a run at a lower rate that was held; every
    reason for which this one was not is said."""
    decisions = folder / "decisions.parquet"
    responses = _Responses.read(decisions)
    lag = measured_lag(folder / "timeline.parquet", results.load.warmup_s)
    growth = lag_growth_per_s(lag)
    same = compare_outcomes(slower, decisions) if slower is not None else None
    floor = results.latency_ms.floor
    slow = _slow(responses, limit)
    excuse = _not_the_scorer(responses, limit, floor) if slow else []
    harness = [
        *_load(results),
        *_too_little(responses.response_ns, limit, growth),
        *(slow + excuse if excuse else []),
    ]
    scorer = [
        *([] if excuse else slow),
        *_backlog(results, folder, growth),
        *_answers(results),
        *_otherwise(same),
    ]
    found = results.latency_ms
    return Point(
        rate_per_s=results.load.target_per_s,
        scheduled_per_s=results.load.scheduled_per_s,
        achieved_per_s=results.load.achieved_per_s,
        p50_ms=found.response.p50,
        p99_ms=found.response.p99,
        quantile_ms=_quantile_ms(responses.response_ns, limit.q),
        schedule_delay_p99_ms=results.load.schedule_delay_ms.p99,
        table_wait_max_ms=responses.table_wait_max_ms,
        explanation_p99_ms=found.explanation.p99 if found.explanation else None,
        floor_p50_ms=floor.response.p50 if floor else None,
        floor_p99_ms=floor.response.p99 if floor else None,
        lag_max=int(lag.max(initial=0)),
        lag_growth_per_s=None if growth is None else round(growth, 3),
        lost=results.counts.lost,
        fallback=results.counts.by_path.fallback,
        shared=same.shared if same else None,
        changed=same.changed if same else None,
        precision_at_k=results.quality.get("precision_at_k"),
        held=not harness and not scorer,
        limited_by=_limited_by(harness, scorer),
        reasons=(*harness, *scorer),
        folder=folder.name,
    )


def broken_off(rate_per_s: float, why: str) -> Point:
    """A run that did not come to its end: a process died, or never got ready."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("p50_ms", "p99_ms", "quantile_ms", "schedule_delay_p99_ms", "table_wait_max_ms", "explanation_p99_ms",
         "floor_p50_ms", "floor_p99_ms", "lag_growth_per_s", "shared", "changed", "precision_at_k")
    )  # fmt: skip
    zero: dict[str, Any] = dict.fromkeys(("scheduled_per_s", "achieved_per_s", "lag_max", "lost", "fallback"), 0)
    return Point(rate_per_s=rate_per_s, held=False, limited_by="scorer", reasons=(f"the run broke off: {why}",),
                 folder=None, **nothing, **zero)  # fmt: skip


def _limited_by(harness: list[str], scorer: list[str]) -> Limit | None:
    """What the harness could not do explains whatever else went wrong."""
    if harness:
        return "harness"
    return "scorer" if scorer else None


def _quantile_ms(values_ns: npt.NDArray[np.int64], q: float) -> float | None:
    return round(float(np.quantile(values_ns, q, method="inverted_cdf")) / NS_PER_MS, 6) if len(values_ns) else None


def _load(results: Results) -> list[str]:
    """What load process and broker did not do. Lateness alone is no reason: it counts in the response times."""
    load, counts, reasons = results.load, results.counts, []
    if load.achieved_per_s < ACHIEVED_SHARE_MIN * load.scheduled_per_s:
        reasons.append(
            f"only {load.achieved_per_s:,.0f} of {load.scheduled_per_s:,.0f} events/s could be sent on this machine"
        )
    if counts.undelivered:
        reasons.append(f"{counts.undelivered:,} messages were not taken by the broker")
    if results.latency_ms.negative:
        reasons.append(f"{results.latency_ms.negative:,} negative latencies: the clocks do not agree")
    return reasons


def _over(values_ns: npt.NDArray[np.int64], limit: LatencyLimit) -> int:
    return int(np.count_nonzero(values_ns > limit.limit_ms * NS_PER_MS))


def _too_little(response_ns: npt.NDArray[np.int64], limit: LatencyLimit, growth: float | None) -> list[str]:
    reasons, needed = [], samples_needed(limit.q)
    if len(response_ns) < needed:
        reasons.append(f"{len(response_ns):,} samples are too few to show {limit}: at least {needed:,} are needed")
    if growth is None:
        reasons.append("too few seconds were measured to see whether the backlog grows")
    return reasons


def _slow(responses: _Responses, limit: LatencyLimit) -> list[str]:
    count, over = len(responses.response_ns), _over(responses.response_ns, limit)
    finding = limit_kept(count, over, limit.q)
    if finding == "kept" or count < samples_needed(limit.q):
        return []
    words = "is broken" if finding == "broken" else "cannot be shown"
    waited = responses.table_wait_max_ms or 0.0
    tables = f", and some waited for the nightly job, up to {waited:,.0f} ms" if waited > limit.limit_ms / 2.0 else ""
    return [f"{limit} {words}: {over:,} of {count:,} responses took longer{tables}"]


def _not_the_scorer(responses: _Responses, limit: LatencyLimit, floor: Floor | None) -> list[str]:
    """Why a limit that was not kept says nothing about the scorer."""
    unhurried = responses.unhurried_ns
    if limit_kept(len(unhurried), _over(unhurried, limit), limit.q) == "kept":
        return [f"the load process was late: counted from when events were really sent, {limit} is kept"]
    if floor is None:
        return []
    if floor.lost:
        return [f"the null scorer at this rate lost {floor.lost:,} events too"]
    known = {0.999: floor.response.p999, 0.99: floor.response.p99, 0.9: floor.response.p90, 0.5: floor.response.p50}
    q, value = next((q, value) for q, value in known.items() if q <= limit.q + 1e-9)
    if value is not None and value > limit.limit_ms:
        return [f"the null scorer at this rate is no faster: its P{100 * q:g} is {value:,.1f} ms"]
    return []


def _backlog(results: Results, folder: Path, growth: float | None) -> list[str]:
    reasons = []
    if growth is not None and growth > GROWTH_SHARE_MAX * results.load.target_per_s:
        reasons.append(f"the backlog grew by {growth:,.1f} events/s")
    behind = explanation_growth(folder / EXPLANATIONS_FILE)
    if behind > GROWTH_SHARE_MAX:
        reasons.append(f"explanations fell behind by {behind * 1e3:,.0f} ms a second")
    return reasons


def _otherwise(same: Sameness | None) -> list[str]:
    if same is None or same.holds:
        return []
    return [
        f"{same.changed:,} of {same.shared:,} events were decided otherwise than at a lower rate, where "
        f"{same.flagged:,} were flagged in either"
    ]


def _answers(results: Results) -> list[str]:
    """Nothing lost, nothing answered badly, nothing decided by less than the scorer has, no limit of quality broken."""
    counts, reasons = results.counts, []
    missing = counts.lost - counts.dead_lettered
    if missing > 0:
        reasons.append(f"{missing:,} of {counts.sent:,} events were lost")
    reasons += contract_problems(counts)
    if counts.by_path.fallback:
        reasons.append(f"{counts.by_path.fallback:,} events were decided by the fallback")
    late_tables = sum(int(scorer.get("tables_missed") or 0) for scorer in results.scorers)
    if late_tables:
        reasons.append(f"{late_tables:,} day tables came too late, and older ones were used")
    slo = Slo.model_validate(results.slo)
    judged = Judged(slo, results.load, counts, results.latency_ms, results.quality, results.drift)
    return [*reasons, *quality_problems(judged)]
