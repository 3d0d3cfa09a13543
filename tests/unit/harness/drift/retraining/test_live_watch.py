"""The watch of an answer is more wakeful than a person's, and still raises nothing where nothing drifts."""

import numpy as np
import pytest

from harness.drift.feed import Arrivals
from harness.drift.retraining.live_watch import WAKEFUL
from harness.drift.watch import watch
from streams.labels import NS_PER_DAY
from tests.unit.harness.drift.made import NAMES, ONSET_NS, stream

DELAY_NS = 7 * NS_PER_DAY
LIVES = {
    "stable": {},
    "payday": {"surge": (21, 23, 1.6)},
    "holiday": {"surge": (21, 33, 1.5)},
    "growth": {"newcomers": 150},
}


def arrivals(times: np.ndarray, bad: np.ndarray) -> Arrivals:
    return Arrivals.delayed(times, bad, np.where(bad, times + DELAY_NS, -1), DELAY_NS)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("life", LIVES)
def test_life_as_it_is_asks_for_no_answer(life: str, seed: int) -> None:
    batch = stream(seed, **LIVES[life])  # type: ignore[arg-type]
    bad = np.random.default_rng(seed).random(len(batch)) < 0.004
    assert watch(batch, NAMES, arrivals(batch.event_time_ns, bad), settings=WAKEFUL).alarms == ()


def test_fraud_that_goes_unseen_asks_for_one_once_its_labels_come() -> None:
    batch = stream(0)
    is_after = batch.event_time_ns >= ONSET_NS
    bad = np.random.default_rng(0).random(len(batch)) < np.where(is_after, 0.03, 0.004)
    found = watch(batch, NAMES, arrivals(batch.event_time_ns, bad), settings=WAKEFUL).alarms
    assert {alarm.monitor for alarm in found} >= {"missed", "label_rate"}
    assert min(alarm.event_time_ns for alarm in found) >= ONSET_NS + DELAY_NS
