"""What a worker has done so far: plain counts, written by the engine's thread and read by the health endpoint."""

from bisect import bisect_left
from dataclasses import dataclass, field

from streams.decision import OUTCOMES, PATHS

STAGE_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the stage histograms, in seconds; the last bucket is unbounded."""


@dataclass(slots=True)
class StageHistogram:
    """How long one stage took, per micro-batch: bucket counts and the sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(STAGE_BOUNDS_S) + 1))
    sum_ns: int = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration."""
        self.counts[bisect_left(STAGE_BOUNDS_S, duration_ns / 1e9)] += 1
        self.sum_ns += duration_ns


@dataclass(slots=True)
class Counters:
    """Totals since the start. Every event taken is decided, repeated or replayed; what is no event is dead-lettered.

    `replayed`: events taken a second time after a restart or rebalance, whose decisions were out already.
    `given_up`: decisions made and not sent, their partitions being another worker's by then; that one decides them.
    `restored`: partitions taken over with their state; `checkpoints`: parts written, `checkpoint_bytes`: all files of
    theirs, `checkpoint_refused`: files that were damaged, `checkpoint_failed`: cards whose part could not be written
    (of transfers: checkpoints that could not),
    `checkpoint_pause_ns_max`: the longest time the deciding thread gave to them at once, `checkpoint_times`: from each
    cut to its last byte on disk, `checkpoint_current_ns`: the last instant (monotonic clock) at which all that was
    known then is on disk by now; None where no checkpoints are kept.

    `alerts`: raw alerts that rules raised about customers (money laundering); `findings`: what investigators sent back,
    `findings_suspicious` of them against the customer. `stale_tables`: events decided with
    another day's table than theirs, or with none. `explained`: explanations handed over; `explain_failed`: decisions
    that stay without one; `explain_waiting`: rows handed to the explaining thread and not done; `explain_waits`: how
    often the deciding thread waited for it.
    """

    taken: int = 0
    decided: int = 0
    dead_lettered: int = 0
    repeated: int = 0
    replayed: int = 0
    given_up: int = 0
    late: int = 0
    too_late: int = 0
    batches: int = 0
    by_path: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    by_outcome: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    stages: dict[str, StageHistogram] = field(default_factory=dict)
    table_wait_ns: int = 0
    table_wait_ns_max: int = 0
    tables_installed: int = 0
    tables_missed: int = 0
    stale_tables: int = 0
    explained: int = 0
    explain_failed: int = 0
    explain_waiting: int = 0
    explain_waits: int = 0
    explain_wait_ns: int = 0
    restored: int = 0
    checkpoints: int = 0
    checkpoint_failed: int = 0
    checkpoint_pause_ns_max: int = 0
    checkpoint_bytes: int = 0
    checkpoint_refused: int = 0
    checkpoint_times: StageHistogram = field(default_factory=StageHistogram)
    checkpoint_current_ns: int | None = None
    alerts: int = 0
    findings: int = 0
    findings_suspicious: int = 0
    findings_unreadable: int = 0
    lag: int | None = None

    def observe_stage(self, stage: str, duration_ns: int) -> None:
        """Count one micro-batch's time in a stage."""
        histogram = self.stages.get(stage)
        if histogram is None:
            histogram = self.stages.setdefault(stage, StageHistogram())
        histogram.observe(duration_ns)

    def observe_table_wait(self, duration_ns: int) -> None:
        """Count the time a micro-batch waited for a day table."""
        self.table_wait_ns += duration_ns
        self.table_wait_ns_max = max(self.table_wait_ns_max, duration_ns)
