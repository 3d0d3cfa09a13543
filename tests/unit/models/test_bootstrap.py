"""Bootstrap figures against resampled tables measured the plain way."""

import numpy as np
import pytest

from models.bootstrap import Scored, _card_precision, intervals, weighted_average_precision
from models.bundle import Bundle
from models.metrics import average_precision, card_precision


def events(rng: np.random.Generator, count: int = 3_000, cards: int = 120) -> Scored:
    labels = rng.random(count) < 0.05
    scores = np.round(rng.random(count) + 0.4 * labels, 2)
    return Scored(rng.integers(0, cards, count), np.sort(rng.integers(0, 5, count)), labels, scores, 7, 0.9)


def test_a_weighted_figure_is_that_of_the_repeated_rows() -> None:
    rng = np.random.default_rng(4)
    scored = events(rng)
    times = rng.integers(0, 4, (6, 120)).astype(float)
    precision = weighted_average_precision(scored, scored.cards.astype(np.intp), times)
    cards = _card_precision(scored, scored.cards.astype(np.intp), times)
    for row, drawn in enumerate(times.astype(int)):
        copies = np.repeat(np.arange(len(scored.cards)), drawn[scored.cards])
        assert precision[row] == pytest.approx(average_precision(scored.labels[copies], scored.scores[copies]))
        # each copy of a card is a card of its own, next to its like in the order of codes
        twins = [(card, twin) for card in range(120) for twin in range(drawn[card])]
        parts = [np.flatnonzero(scored.cards == card) for card, _ in twins]
        rows = np.concatenate(parts)
        codes = np.repeat(np.arange(len(twins)), [len(part) for part in parts])
        expected = card_precision(codes, scored.days[rows], scored.labels[rows], scored.scores[rows], scored.k)
        assert cards[row] == pytest.approx(expected.mean)


def test_intervals_hold_the_figure_and_follow_the_seed() -> None:
    scored = events(np.random.default_rng(8))
    found = intervals(scored, seed=3)
    assert found == intervals(scored, seed=3)
    assert found != intervals(scored, seed=4)
    figure = average_precision(scored.labels, scored.scores)
    low, high = found["average_precision"].low, found["average_precision"].high
    assert low is not None
    assert high is not None
    assert low < figure < high
    assert high - low < 0.4


def test_a_mean_of_independent_cards_has_the_known_width() -> None:
    """One event a card, all alerted: the precision is a plain share, whose standard error is known."""
    rng = np.random.default_rng(2)
    count = 2_000
    labels = rng.random(count) < 0.3
    scored = Scored(np.arange(count), np.zeros(count, np.int64), labels, np.full(count, 0.5), 5, 0.5)
    found = intervals(scored, seed=1)["alert_precision"]
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.21 / count), rel=0.15)


def test_nothing_to_find_has_no_interval() -> None:
    nothing = np.zeros(10, dtype=np.bool_)
    found = intervals(Scored(np.arange(10), np.zeros(10, np.int64), nothing, np.full(10, 0.1), 5, 0.5), seed=1)
    assert found["average_precision"].low is None
    assert found["alert_recall"].high is None


def test_the_bundle_has_intervals(bundle: Bundle) -> None:
    metrics = bundle.manifest["metrics"]
    for name in ("average_precision", "card_precision_at_k", "alert_recall", "alert_precision"):
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
