"""How a load was held, also by several senders: their histograms add up to the whole's; what the guards tell."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.latency import new_histogram, record
from harness.measures import Held, breaker_results, sender_results
from harness.stream import StreamOutcome


def held_by(events: int, *, late_from: int, late_ns: int) -> Held:
    schedule = np.arange(events, dtype=np.int64) * 1_000_000
    sent = schedule + 1_000 + 50_000
    sent[late_from:] += late_ns
    return Held(schedule=schedule, sent_ns=sent, start_ns=1_000, measured_from=events // 10)


def test_one_sender_is_not_told_apart() -> None:
    assert sender_results(held_by(100, late_from=100, late_ns=0), np.zeros(100, dtype=np.int32), 1) == []


@pytest.mark.parametrize("senders", [2, 3])
def test_senders_histograms_add_up(senders: int) -> None:
    held = held_by(3_000, late_from=2_990, late_ns=40_000_000)
    codes = (np.arange(3_000) % 7).astype(np.int32)
    found = sender_results(held, codes, senders)
    assert [each.sender for each in found] == list(range(senders))
    assert sum(each.events for each in found) == 2_700
    whole, merged = new_histogram(), new_histogram()
    delays = (held.sent_ns - held.schedule - held.start_ns)[held.measured_from :]
    record(whole, delays)
    for sender in range(senders):
        part = new_histogram()
        record(part, delays[codes[held.measured_from :] % senders == sender])
        merged.add(part)
    assert list(merged.counts) == list(whole.counts)
    assert max(each.schedule_delay_ms.max or 0.0 for each in found) == pytest.approx(40.05)


def test_events_never_sent_are_not_late() -> None:
    held = held_by(100, late_from=100, late_ns=0)
    held.sent_ns[50:] = 0
    assert sum(each.events for each in sender_results(held, np.arange(100, dtype=np.int32), 2)) == 40


def test_what_the_guards_tell_is_added_up_over_the_workers() -> None:
    def summary(worker: str, scored: int, rejected: int) -> dict[str, Any]:
        late = {"scored": scored, "failed": 1, "kept": scored, "not_kept": 0, "awaited": 0}
        return {"worker": worker, "model": {"late_scores": late, "bulkhead": {"rejected": rejected}}}

    counts = {"by_path": {"rules": 1, "model": 2, "fallback": 3}}
    told = [summary("worker-1", 5, 2), summary("worker-2", 7, 0), {"worker": "nightly"}]
    outcome = StreamOutcome(0, counts, {}, np.zeros(0, np.int64), 0, [], told, Path("none"))
    found = breaker_results(outcome)
    assert (found.late_scores, found.late_failed, found.late_not_kept, found.bulkhead_rejected) == (12, 2, 0, 2)
    assert found.fallback_events == 3
    silent = breaker_results(replace(outcome, scorers=[{"worker": "theirs"}]))
    assert (silent.late_scores, silent.bulkhead_rejected) == (None, None)
