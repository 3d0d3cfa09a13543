"""Delay, false alarms and blame, worked out by hand."""

from dataclasses import dataclass

import numpy as np
import pytest

from harness.drift.alarm import Alarm
from harness.drift.assess import assess, before_after
from streams.labels import NS_PER_DAY

TIMES = np.arange(1_000, dtype=np.int64) * NS_PER_DAY // 10  # ten events a day, a hundred days
BURN_IN_NS = 20 * NS_PER_DAY


@dataclass(frozen=True)
class Known:
    kind: str = "amount-inflation"
    is_control: bool = False
    onset_ns: int = 50 * NS_PER_DAY
    until_ns: int = 100 * NS_PER_DAY
    blamed: tuple[str, ...] = ("amount", "sum_")


def alarm(day: float, monitor: str = "csi", name: str = "amount", value: float = 0.5) -> Alarm:
    return Alarm(monitor, name, "all", int(day * 10), round(day * NS_PER_DAY), value, 0.25, "because")


def test_delay_in_events_and_days_and_each_monitors_own() -> None:
    alarms = [alarm(52.0, "psi_score", "score"), alarm(53.5)]
    (found,) = assess(alarms, alarms, [Known()], TIMES, BURN_IN_NS).drifts
    assert found.delay is not None
    assert (found.delay.events, found.delay.monitor) == (21, "psi_score")
    assert found.delay.days == pytest.approx(2.0)
    assert found.by_monitor["csi"].events == 36
    assert found.is_blamed_rightly
    assert [blamed.feature for blamed in found.blamed] == ["amount"]


def test_alarms_before_the_onset_are_false_and_counted_over_what_was_watched() -> None:
    alarms = [alarm(30.0, name="hour"), alarm(51.0)]
    found = assess(alarms, alarms, [Known()], TIMES, BURN_IN_NS)
    assert (found.false_alarms, found.events_watched) == (1, 300)
    assert found.false_alarms_per_100k == pytest.approx(100_000 / 300)
    assert [blamed.feature for blamed in found.drifts[0].blamed] == ["amount"]


def test_every_alarm_on_a_control_is_false() -> None:
    found = assess([alarm(60.0), alarm(70.0)], [], [Known("payday", is_control=True, blamed=())], TIMES, BURN_IN_NS)
    assert (found.false_alarms, found.events_watched) == (2, 800)
    assert found.drifts[0].delay is None
    assert found.drifts[0].is_control


def test_a_drift_unnoticed_or_blamed_on_something_else() -> None:
    nothing = assess([], [], [Known()], TIMES, BURN_IN_NS).drifts[0]
    assert (nothing.delay, nothing.is_blamed_rightly) == (None, False)
    wrong = [alarm(51.0, name="hour")]
    assert assess(wrong, wrong, [Known()], TIMES, BURN_IN_NS).drifts[0].is_blamed_rightly is False
    assert assess(wrong, wrong, [Known(blamed=())], TIMES, BURN_IN_NS).drifts[0].is_blamed_rightly is None


def test_of_two_drifts_the_later_one_has_what_comes_after_it() -> None:
    alarms = [alarm(51.0), alarm(81.0, name="hour")]
    first, second = assess(
        alarms, alarms, [Known("clock-shifted", onset_ns=80 * NS_PER_DAY, blamed=("hour",)), Known()], TIMES, BURN_IN_NS
    ).drifts
    assert (first.kind, second.kind) == ("amount-inflation", "clock-shifted")
    assert first.is_blamed_rightly
    assert second.is_blamed_rightly
    assert second.delay is not None
    assert second.delay.events == 11
    assert second.to_dict()["blamed"][0]["feature"] == "hour"


def test_a_feed_that_comes_again_is_blamed_on_its_repeats() -> None:
    alarms = [alarm(51.0, "repeats", "repeats")]
    assert assess(alarms, alarms, [Known("duplicate-feed")], TIMES, BURN_IN_NS).drifts[0].is_blamed_rightly


def test_quality_before_and_after_is_never_pooled() -> None:
    found = before_after({"pr_auc": 0.4, "recall": None}, {"pr_auc": 0.1, "recall": 0.5}, ["pr_auc", "recall", "k"])
    assert (found["pr_auc"].before, found["pr_auc"].after) == (0.4, 0.1)
    assert found["pr_auc"].lost == pytest.approx(0.3)
    assert found["recall"].lost is None
    assert found["k"].after is None


def test_no_events_are_no_rate() -> None:
    assert assess([], [], [], np.zeros(0, np.int64), BURN_IN_NS).false_alarms_per_100k is None


def test_of_drifts_that_begin_together_each_is_noticed_by_what_it_can_move() -> None:
    both = [Known(), Known("field-missing", blamed=("device",))]
    alarms = [alarm(51.0), alarm(53.0, "psi_score", "score")]
    first, second = assess(alarms, alarms, both, TIMES, BURN_IN_NS).drifts
    assert (first.delay and first.delay.days, second.delay and second.delay.days) == (1.0, 3.0)
    assert (first.beside, second.beside) == (0, 1)
    assert (first.is_blamed_rightly, second.is_blamed_rightly) == (True, False)


def test_an_alarm_about_a_feature_that_the_drift_leaves_alone_is_no_notice_of_it() -> None:
    for monitor in ("csi", "feature_means"):
        told = [alarm(51.0, monitor, "hour")]
        (found,) = assess(told, told, [Known()], TIMES, BURN_IN_NS).drifts
        assert (found.delay, found.beside, list(found.by_monitor)) == (None, 1, [monitor])
    (of_bad,) = assess([alarm(51.0, "bad_features", "hour")], [], [Known()], TIMES, BURN_IN_NS).drifts
    assert of_bad.delay is not None
