"""How a load was held, also by several senders: their histograms add up to the whole's."""

import numpy as np
import pytest

from harness.latency import new_histogram, record
from harness.measures import Held, sender_results


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
