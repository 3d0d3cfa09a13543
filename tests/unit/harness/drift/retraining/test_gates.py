"""Each gate opens for what is as good, and stays shut for what is worse."""

import numpy as np
import pytest

from harness.drift.retraining.both import Both
from harness.drift.retraining.gates.backtest import backtest
from harness.drift.retraining.gates.canary import canary
from harness.drift.retraining.gates.latency import latency
from harness.drift.retraining.gates.segments import segments
from harness.drift.retraining.gates.shadow import shadow
from harness.drift.retraining.gates.stability import stability
from harness.drift.retraining.held import Held
from harness.drift.retraining.settings import AnswerSettings
from tests.unit.harness.drift.retraining.made import Floats, held

NOW_NS = 7
SETTINGS = AnswerSettings()
N = 2_000


def scores(seed: int = 0) -> tuple[Floats, np.ndarray]:
    """A model's scores, and frauds that it mostly sees."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(N) < 0.04
    return np.clip(0.02 * rng.random(N) + fraud * rng.random(N), 0, 1), fraud


def compared(candidate: Floats | None = None) -> Held:
    champion, fraud = scores()
    flagged = champion >= np.quantile(champion, 0.97)
    return held(champion if candidate is None else candidate, champion, fraud, flagged)


def shuffled() -> Floats:
    return np.random.default_rng(1).permutation(scores()[0])


def test_the_backtest_passes_the_champion_itself_and_stops_what_learnt_nothing() -> None:
    same, bad = backtest(compared(), 20, NOW_NS, SETTINGS), backtest(compared(shuffled()), 20, NOW_NS, SETTINGS)
    assert same.passed
    assert same.evidence["champion"] == same.evidence["candidate"]
    assert not bad.passed
    assert bad.evidence["candidate"]["pr_auc"] < 0.5 * bad.evidence["champion"]["pr_auc"]
    assert "worse in precision_at_k and pr_auc" in bad.why


def test_a_backtest_with_few_frauds_shows_nothing() -> None:
    rows = compared()
    few = rows.only(~rows.champion.is_fraud)
    assert not backtest(few, 20, NOW_NS, SETTINGS).passed


def test_no_segment_may_lose_what_was_caught() -> None:
    champion, fraud = scores()
    one_sided = np.where(np.arange(N) < N // 2, 0.0, champion)
    found = segments(compared(one_sided), NOW_NS, SETTINGS)
    assert not found.passed
    assert found.why == "worse in student"
    assert segments(compared(), NOW_NS, SETTINGS).passed
    assert sum(row["frauds"] for row in found.evidence["segments"]) == int(fraud.sum())


def test_stability_looks_at_bands_that_decide_and_not_at_how_the_rest_is_spread() -> None:
    champion, _ = scores()
    small = np.where(champion < 0.01, champion / 100, champion)
    assert stability(champion, small, NOW_NS, SETTINGS).passed
    assert not stability(champion, np.clip(champion * 20, 0, 1), NOW_NS, SETTINGS).passed
    assert not stability(champion[:50], champion[:50], NOW_NS, SETTINGS).passed


def test_latency_is_a_ratio() -> None:
    assert latency(100.0, 140.0, 32, NOW_NS, SETTINGS).passed
    assert not latency(100.0, 160.0, 32, NOW_NS, SETTINGS).passed


def both(other: Floats, other_flagged: np.ndarray | None = None, fell_back: int = 0) -> Both:
    champion, _ = scores()
    flagged = champion > 0.1
    return Both(champion, other, flagged, flagged if other_flagged is None else other_flagged, np.arange(N) < fell_back)


def test_the_shadow_must_answer_agree_and_flood_nobody() -> None:
    champion, _ = scores()
    assert shadow(both(champion), NOW_NS, SETTINGS).passed
    silent = np.where(np.arange(N) < N // 10, np.nan, champion)
    assert "90.0% answered" in shadow(both(silent), NOW_NS, SETTINGS).why
    assert "rank correlation" in shadow(both(shuffled()), NOW_NS, SETTINGS).why
    assert "alerts" in shadow(both(champion, champion > 0.01), NOW_NS, SETTINGS).why
    refused = shadow(both(np.full(N, np.nan)), NOW_NS, SETTINGS, "it has other features")
    assert (refused.passed, refused.why) == (False, "it has other features")


@pytest.mark.parametrize(("fell_back", "passed"), [(0, True), (N // 200, True), (N // 10, False)])
def test_the_canary_must_answer_in_time(fell_back: int, passed: bool) -> None:
    champion, _ = scores()
    assert canary(both(champion, fell_back=fell_back), NOW_NS, SETTINGS).passed is passed


def test_a_canary_that_alerts_on_nothing_is_stopped() -> None:
    champion, _ = scores()
    few = both(champion)
    silent = Both(few.score, few.other, np.zeros(N, bool), few.other_flagged, few.fell_back)
    assert not canary(silent, NOW_NS, SETTINGS).passed
