"""The columnar bootstrap against one that really repeats the drawn cards' events."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.quality.bootstrap import Draws, day_precisions, ranked_replicates, resampled
from harness.quality.cards import card_precision
from harness.quality.curves import average_precision, precision_recall
from tests.quality_case import Row, random_rows, scored_of


def repeated(rows: list[Row], draws: Draws, replicate: int) -> list[Row]:
    """The events of the drawn cards, a card drawn twice as two cards."""
    times = dict(zip(draws.names, draws.weights[replicate], strict=True))
    return [{**row, "card": f"{row['card']}#{copy}"} for row in rows for copy in range(times[row["card"]])]


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), size=st.integers(4, 80), k=st.integers(1, 12))
def test_it_equals_repeating_the_events(seed: int, size: int, k: int) -> None:
    rows = random_rows(seed, size)
    scored = scored_of(rows)
    draws = Draws.of(scored, seed, 3)
    found = day_precisions(scored, draws, k)
    ranked = ranked_replicates(scored.is_fraud, scored.score, draws)
    days = np.unique(scored.day).tolist()
    for replicate in range(3):
        again = scored_of(repeated(rows, draws, replicate))
        # a day none of whose cards was drawn has found nothing
        slow: dict[Any, float] = dict.fromkeys(days, 0.0)
        slow |= dict(zip(np.unique(again.day).tolist(), (d.precision for d in card_precision(again, k)), strict=True))
        assert found[replicate] == pytest.approx([slow[day] for day in days])
        if ranked is not None and again.is_fraud.any():
            expected = average_precision(again.is_fraud, again.score)
            assert ranked.average_precision[replicate] == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_every_card_drawn_once_gives_the_figures_themselves(ties: bool) -> None:
    scored = scored_of(random_rows(5, 300, ties=ties))
    draws = Draws.of(scored, 0, 1)
    draws.weights[:] = 1
    assert day_precisions(scored, draws, 7)[0] == pytest.approx([day.precision for day in card_precision(scored, 7)])
    ranked = ranked_replicates(scored.is_fraud, scored.score, draws)
    curve = precision_recall(scored.is_fraud, scored.score)
    assert ranked is not None
    assert curve is not None
    assert ranked.average_precision[0] == pytest.approx(average_precision(scored.is_fraud, scored.score))
    half = int(np.flatnonzero(curve.recall >= 0.5)[0])
    assert ranked.precision[0][24] == pytest.approx(curve.precision[half])


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    scored = scored_of(random_rows(6, 200))
    whole = day_precisions(scored, Draws.of(scored, 1, 50), 5)
    monkeypatch.setattr("harness.quality.bootstrap.BLOCK_CELLS", 300)
    assert np.array_equal(day_precisions(scored, Draws.of(scored, 1, 50), 5), whole)


def test_intervals_hold_the_figures_and_follow_the_seed() -> None:
    scored = scored_of(random_rows(7, 2_000))
    found = resampled(scored, 20, seed=1)
    caught = (scored.is_fraud & scored.flagged).sum() / scored.is_fraud.sum()
    assert found["intervals"]["recall"]["low"] < caught < found["intervals"]["recall"]["high"]
    area = average_precision(scored.is_fraud, scored.score)
    assert area is not None
    assert found["intervals"]["pr_auc"]["low"] < area < found["intervals"]["pr_auc"]["high"]
    assert set(found["scenarios"]) == {"a", "b"}
    assert len(found["days"]) == 3
    assert resampled(scored, 20, seed=1) == found
    assert resampled(scored, 20, seed=2)["intervals"] != found["intervals"]


def test_cards_with_many_events_widen_the_interval() -> None:
    """The same events on few cards say less than on many."""
    random = np.random.default_rng(3)
    caught = random.random(200) < 0.5
    wide, narrow = (
        resampled(
            scored_of(
                [
                    {
                        "card": f"c{n // size}",
                        "fraud": True,
                        "scenario": "a",
                        "score": 0.9 if caught[n // size] else 0.1,
                    }
                    for n in range(200)
                ]
            ),
            5,
            seed=0,
        )["intervals"]["recall"]
        for size in (20, 1)
    )
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])


@pytest.mark.parametrize(
    "rows", [[], [{"fraud": True}], [{"card": "a"}, {"card": "b"}]], ids=["none", "one", "genuine"]
)
def test_nothing_to_draw_is_no_interval(rows: list[Row]) -> None:
    assert resampled(scored_of(rows), 5, seed=0) == {}
