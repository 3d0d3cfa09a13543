"""What the instrument costs itself: processor time to account for one answer."""

import time
from pathlib import Path

import numpy as np

from harness.accounts import Accounts
from harness.collector import Collector
from harness.decision_rows import EventTimes, open_rows
from harness.feed import write_feed
from harness.latency import HIGHEST_NS, LatencyLog, measure_latency
from harness.progress import Live
from harness.selftest.bench import event_ids, no_dispositions, plain_events
from harness.selftest.findings import Finding, at_most, exactly
from streams.codec import encode
from streams.decision import Decision

ANSWERS = 20_000
BATCH = 500
SHARE_MAX = 0.5
RATE_PER_S = 20_000.0


def prove_extremes(log: LatencyLog) -> list[Finding]:
    """Negative and overflowing values are counted, never clipped or dropped in silence; the rest is recorded."""
    log.add("extremes", np.array([-5, -1, 0, 1, 1_000_000, HIGHEST_NS, HIGHEST_NS + 1]))
    recorded = log.series["extremes"].total.total_count
    return [
        exactly("extremes", "negative values counted", 2, log.negative),
        exactly("extremes", "overflowing values counted", 1, log.overflow),
        exactly("extremes", "values recorded", 4, int(recorded)),
    ]


def prove_recorder(folder: Path) -> list[Finding]:
    """At 20,000 answers a second, collecting and recording take at most half of one core."""
    folder.mkdir(parents=True)
    schedule = np.arange(ANSWERS, dtype=np.int64) * 50_000
    write_feed(folder / "feed", plain_events(ANSWERS, 200), no_dispositions(), schedule)
    accounts = Accounts.open(folder / "feed", 0, 10**10)
    times = EventTimes(accounts.intended_ns, accounts.intended_ns, 0)
    answers = [
        (
            int(at) + 1_000_000,
            encode(Decision(event_id=name, outcome="approve", score=0.0, taken_ns=int(at), emitted_ns=int(at))),
        )
        for name, at in zip(event_ids(ANSWERS), schedule, strict=True)
    ]
    began = time.process_time()
    with open_rows(folder / "decisions.parquet") as writer:
        collector = Collector(accounts, times, writer, Live.create(folder / "live"))
        for start in range(0, ANSWERS, BATCH):
            collector.take(answers[start : start + BATCH])
        collector.write()
    collected = time.process_time()
    measure_latency(folder / "decisions.parquet", 0, None)
    recorded = time.process_time()
    per_answer_us = [1e6 * (end - start) / ANSWERS for start, end in ((began, collected), (collected, recorded))]
    bound_us = SHARE_MAX * 1e6 / RATE_PER_S
    return [
        at_most("recorder", "collecting one answer", "µs", bound_us, per_answer_us[0]),
        at_most("recorder", "recording one answer", "µs", bound_us, per_answer_us[1]),
    ]
