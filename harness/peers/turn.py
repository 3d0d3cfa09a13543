"""One turn: a contender at a rate, started afresh; what it answered, how soon, and what that cost."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from rich.console import Console

from harness.footprint import Footprint
from harness.measures import Held
from harness.panel import PlainLines
from harness.peers.contenders import Contender
from harness.peers.ground import Feeds
from harness.scorers import Reach
from harness.slo_option import LatencyLimit
from harness.stream import StreamOutcome, stream_once
from harness.verdict import ACHIEVED_SHARE_MIN
from streams.brokers import Broker
from streams.errors import RiskbenchError

MB = 1e6
FAR = 10.0
"""A quantile that is so many times its limit."""
_SCORERS = ("scorer worker-1", "own scorer")


@dataclass(frozen=True, slots=True)
class Turn:
    """Response times in ms, those of lost events as the time-out; `quantile_ms` is the one that the limit is of.

    Cost is of the contender's own process: processor seconds for a million answers, its largest memory (MB), and by how
    much that grew, for a million answers. Figures are absent where the turn broke off. `held`, or `why` not;
    `by_harness`: load or broker were the limit. Of `compared` decisions `differing` differ from the reference's.
    """

    contender: str
    rate_per_s: float
    held: bool
    why: str | None = None
    by_harness: bool = False
    achieved_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    quantile_ms: float | None = None
    events: int = 0
    lost: int = 0
    cpu_s_per_million: float | None = None
    memory_mb: float | None = None
    memory_growth_mb_per_million: float | None = None
    compared: int = 0
    differing: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where turns are made."""

    broker: Broker
    feeds: Feeds
    limit: LatencyLimit
    work: Path
    logs: Path
    token: str

    def play(self, contender: Contender, rate_per_s: float, number: int) -> tuple[Turn, Path | None]:
        """Make a turn; returns it and its decisions (None where it broke off)."""
        reach = self._reach(contender, number)
        decisions = self.work / f"decisions-{number}.parquet"
        plan = self.feeds.plan(rate_per_s, decisions)
        try:
            quiet = PlainLines(Console(quiet=True))
            outcome = stream_once(plan, contender.setup, reach, self.broker.connection, quiet, keep=False)
        except RiskbenchError as error:  # also what a peer says against its input
            return Turn(contender.name, rate_per_s, held=False, why=f"broke off: {str(error).strip()}"), None
        finally:
            shutil.rmtree(reach.work, ignore_errors=True)
        schedule = np.load(plan.feed / "schedule.npy")
        held = Held(schedule, outcome.sent_ns, outcome.start_ns, plan.measured_from)
        return measured(contender.name, rate_per_s, outcome, held, self.limit), decisions

    def is_far(self, turn: Turn) -> bool:
        """Whether a turn failed so far beyond the limit that another one would too: a backlog, not a bad moment."""
        return not turn.held and turn.quantile_ms is not None and turn.quantile_ms > FAR * self.limit.limit_ms

    def _reach(self, contender: Contender, number: int) -> Reach:
        name = f"peers-{self.token}-{number}-{contender.name}"
        return Reach(
            bootstrap_servers=self.broker.connection.bootstrap_servers,
            kafka_config=None,
            prefix=name,
            work=self.work / name,
            logs=self.logs / f"{number:03}-{contender.name}",
            settle_broker=self.broker.settle,
        )


def measured(name: str, rate_per_s: float, outcome: StreamOutcome, held: Held, limit: LatencyLimit) -> Turn:
    """The figures of a finished stream, judged."""
    rows = pq.read_table(outcome.decisions, columns=["measured", "response_ns"])
    response = rows.filter(rows["measured"])["response_ns"].to_numpy()
    counts = outcome.counts
    why, by_harness = judged(response, int(counts["lost"]), held, limit)
    answered = max(int(counts["decided"]), 1)
    cost = _cost(outcome.footprints)
    return Turn(
        contender=name,
        rate_per_s=rate_per_s,
        held=why is None,
        why=why,
        by_harness=by_harness,
        achieved_per_s=round(held.achieved_per_s, 1),
        p50_ms=quantile_ms(response, 0.5),
        p99_ms=quantile_ms(response, 0.99),
        p999_ms=quantile_ms(response, 0.999),
        quantile_ms=quantile_ms(response, limit.q),
        events=len(response),
        lost=int(counts["lost"]),
        cpu_s_per_million=round(cost.cpu_s / answered * 1e6, 2),
        memory_mb=round(cost.memory_max_bytes / MB, 1),
        memory_growth_mb_per_million=round((cost.memory_end_bytes - cost.memory_start_bytes) / MB / answered * 1e6, 1),
    )


def judged(response_ns: npt.NDArray[np.int64], lost: int, held: Held, limit: LatencyLimit) -> tuple[str | None, bool]:
    """Why the rate was not held (None: it was), and whether that is the harness's doing."""
    if held.achieved_per_s < ACHIEVED_SHARE_MIN * held.scheduled_per_s:
        return f"only {held.achieved_per_s:,.0f} of {held.scheduled_per_s:,.0f} events/s could be sent", True
    if lost:
        return f"{lost:,} events were not answered in time", False
    reached = quantile_ms(response_ns, limit.q)
    if reached is None or reached > limit.limit_ms:
        return f"P{100 * limit.q:g} is {reached or 0.0:,.1f} ms", False
    return None, False


def quantile_ms(values_ns: npt.NDArray[np.int64], q: float) -> float | None:
    """An order statistic in ms; None of nothing."""
    return round(float(np.quantile(values_ns, q, method="inverted_cdf")) / 1e6, 3) if len(values_ns) else None


def _cost(footprints: Sequence[Footprint]) -> Footprint:
    """The contender's own process; the nightly job is beside every one, and the same."""
    found = [each for each in footprints if each.name in _SCORERS]
    return found[0] if found else Footprint("", 0, 0.0, 0, 0, 0)
