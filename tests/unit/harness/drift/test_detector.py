"""The monitors on whole streams: silent where nothing drifts, soon heard where something does, right in their blame."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.drift.alarm import Alarm
from harness.drift.batch import Batch
from harness.drift.blame import blame, in_words
from harness.drift.detector import Detector
from harness.drift.feed import Arrivals
from harness.drift.watch import watch
from streams.labels import NS_PER_DAY
from tests.unit.harness.drift.made import NAMES, ONSET_NS, after, stream, with_feature

SEEDS = range(5)
SURGES = {"payday": (21, 23, 1.6), "holiday": (21, 33, 1.5)}
DELAY_NS = 7 * NS_PER_DAY


def labels(batch: Batch, bad: np.ndarray) -> Arrivals:
    """Every bad event is reported after a week."""
    return Arrivals.delayed(batch.event_time_ns, bad, np.where(bad, batch.event_time_ns + DELAY_NS, -1), DELAY_NS)


def days_after_onset(alarm: Alarm) -> float:
    return (alarm.event_time_ns - ONSET_NS) / NS_PER_DAY


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stable_stream_raises_nothing(seed: int) -> None:
    batch = stream(seed)
    bad = np.random.default_rng(seed).random(len(batch)) < 0.004
    assert watch(batch, NAMES, labels(batch, bad)).alarms == ()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("surge", SURGES)
def test_more_genuine_events_raise_nothing(surge: str, seed: int) -> None:
    assert watch(stream(seed, surge=SURGES[surge]), NAMES).alarms == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_new_customers_raise_nothing(seed: int) -> None:
    assert watch(stream(seed, newcomers=250), NAMES).alarms == ()


SHIFTS: dict[str, tuple[Callable[[Batch], Batch], str, str, float]] = {
    "cents for units": (lambda b: with_feature(b, "amount", after(b), lambda x: 100 * x), "csi", "amount", 1.0),
    "amounts double": (lambda b: with_feature(b, "amount", after(b), lambda x: 2 * x), "csi", "amount", 7.0),
    "recoded": (lambda b: with_feature(b, "category_code", after(b), lambda x: 11 - x), "csi", "category_code", 2.0),
    "missing": (lambda b: with_feature(b, "amount", after(b, 0.2), np.nan), "csi", "amount", 2.0),
    "clock": (lambda b: with_feature(b, "hour", after(b), lambda x: (x + 6) % 24), "csi", "hour", 3.0),
    "habits": (lambda b: with_feature(b, "habit_30d", after(b), lambda x: x + 1.5), "csi", "habit_30d", 2.0),
    "scores rise": (lambda b: replace(b, score=np.where(after(b), b.score**0.8, b.score)), "psi_score", "score", 3.0),
    "three times the alerts": (
        lambda b: replace(b, outcome=np.where(after(b, 0.02), np.int8(1), b.outcome)),
        "adwin_alert_rate",
        "alert_rate",
        10.0,
    ),
    "fed twice": (
        lambda b: replace(b, content=np.where(after(b, 0.3), np.roll(b.content, 1), b.content)),
        "repeats",
        "repeats",
        1.0,
    ),
    "a rule ceases": (lambda b: without_rule(b, 0), "rule_hits", "velocity", 7.0),
}


def without_rule(batch: Batch, rule: int) -> Batch:
    kept = (batch.hit_rule != rule) | ~after(batch)[batch.hit_row]
    return replace(batch, hit_row=batch.hit_row[kept], hit_rule=batch.hit_rule[kept])


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_shift_is_found_soon_and_by_its_monitor(shift: str) -> None:
    change, monitor, name, days_max = SHIFTS[shift]
    found = watch(change(stream(7)), NAMES).alarms
    assert found, "nothing was noticed"
    assert min(days_after_onset(alarm) for alarm in found) >= 0
    of_it = [alarm for alarm in found if (alarm.monitor, alarm.name) == (monitor, name)]
    assert of_it, [alarm.why for alarm in found]
    assert days_after_onset(of_it[0]) <= days_max


def test_the_blame_falls_on_what_was_shifted() -> None:
    batch = stream(7)
    detector = watch(with_feature(batch, "amount", after(batch), lambda x: 100 * x), NAMES)
    assert [found.feature for found in blame(detector.worst)] == ["amount"]
    assert "amount (CSI" in in_words(detector.worst)
    assert in_words(()) == "no alarm"


def test_a_shift_of_one_group_names_the_group() -> None:
    batch = stream(7, a_day=3_000)
    students = after(batch) & (batch.group == 1)
    found = watch(with_feature(batch, "amount", students, lambda x: 100 * x), NAMES).alarms
    assert {alarm.group for alarm in found} >= {"student"}
    assert "family" not in {alarm.group for alarm in found}


def test_labels_speak_once_they_arrive_and_not_before() -> None:
    batch = stream(7)
    bad = np.random.default_rng(3).random(len(batch)) < np.where(after(batch), 0.016, 0.004)
    found = [alarm for alarm in watch(batch, NAMES, labels(batch, bad)).alarms if alarm.monitor == "label_rate"]
    assert found
    assert 7 <= days_after_onset(found[0]) <= 14


def test_precision_that_falls_is_told() -> None:
    batch = stream(7, a_day=5_000)
    random = np.random.default_rng(3)
    alert = random.random(len(batch)) < 0.02
    bad = alert & (random.random(len(batch)) < np.where(after(batch), 0.1, 0.5))
    found = watch(replace(batch, outcome=alert.astype(np.int8)), NAMES, labels(batch, bad)).alarms
    assert any(alarm.monitor == "precision" and alarm.is_fall for alarm in found)


def test_bad_events_that_look_otherwise_are_told_and_blamed() -> None:
    batch = stream(7)
    bad = np.random.default_rng(3).random(len(batch)) < 0.012
    shifted = with_feature(batch, "amount", bad & after(batch), 0.5)
    found = [alarm for alarm in watch(shifted, NAMES, labels(shifted, bad)).alarms if alarm.monitor == "bad_features"]
    assert [alarm.name for alarm in found] == ["amount"]
    assert 7 <= days_after_onset(found[0]) <= 17
    assert [each.feature for each in blame(found)] == ["amount"]
    same = watch(batch, NAMES, labels(batch, bad)).alarms
    assert same == ()


def test_the_size_of_micro_batches_changes_nothing() -> None:
    batch = stream(7)
    shifted = with_feature(batch, "category_code", after(batch), 3)
    small, large = (watch(shifted, NAMES, micro_batch=size).alarms for size in (97, 60_000))
    assert small == large
    assert small


def with_times(batch: Batch, lines: np.ndarray) -> Batch:
    """Only some of the events, in new places."""
    hit = np.isin(batch.hit_row, lines)
    columns = {
        name: getattr(batch, name)[lines]
        for name in ("event_time_ns", "score", "is_model", "outcome", "path", "features", "group", "key", "content")
    }
    rows = np.searchsorted(lines, batch.hit_row[hit]).astype(np.int32)
    return replace(batch, **columns, ordinal=np.arange(len(lines)), hit_row=rows, hit_rule=batch.hit_rule[hit])


@pytest.mark.parametrize("seed", SEEDS)
def test_hours_that_a_feed_lacks_are_no_drift_of_the_hour(seed: int) -> None:
    batch = stream(seed)
    days = (batch.event_time_ns - ONSET_NS) / NS_PER_DAY
    is_down = (days > 2.3) & (days < 2.8)
    ends = days < 17.55
    found = watch(with_times(batch, np.flatnonzero(~is_down & ends)), NAMES).alarms
    assert [alarm for alarm in found if alarm.name == "hour"] == []


def test_a_small_shift_of_everything_is_found_by_its_mean_where_an_index_is_blind() -> None:
    batch = stream(7, a_day=5_000)
    detector = watch(with_feature(batch, "amount", after(batch), lambda x: 1.35 * x), NAMES)
    assert {(alarm.monitor, alarm.name) for alarm in detector.alarms} == {("feature_means", "amount")}
    assert 0 <= days_after_onset(detector.alarms[0]) <= 7
    assert "amount (mean rank moved by 0." in in_words(detector.worst)


def test_an_alarm_is_told_once_and_labels_of_unknown_events_are_nothing() -> None:
    batch = stream(7)
    detector = Detector(NAMES)
    assert detector.labels_arrived(np.array([5]), np.array([True]), ONSET_NS) == []
    raised = [
        alarm
        for piece in with_feature(batch, "amount", after(batch), 0.0).micro_batches(500)
        for alarm in detector.feed(piece)
    ]
    raised += detector.labels_arrived(np.array([10**7]), np.array([True]), int(batch.event_time_ns[-1]))

    assert tuple(raised) == detector.alarms
    assert len({(alarm.monitor, alarm.name, alarm.group) for alarm in raised}) == len(raised)


def test_a_stream_shorter_than_the_burn_in_says_nothing() -> None:
    batch = stream(7)
    first = batch.between(0, int(np.searchsorted(batch.event_time_ns, ONSET_NS - 8 * NS_PER_DAY)))
    assert watch(with_feature(first, "amount", np.ones(len(first), np.bool_), 0.0), NAMES).alarms == ()


def test_decisions_without_features_or_scores_are_watched_for_the_rest() -> None:
    batch = stream(7)
    bare = replace(batch, features=np.zeros((len(batch), 0), np.float32), score=np.full(len(batch), np.nan))
    doubled = replace(bare, content=np.where(after(bare, 0.3), np.roll(bare.content, 1), bare.content))
    names = replace(NAMES, features=())
    assert {alarm.monitor for alarm in watch(doubled, names).alarms} == {"repeats"}
