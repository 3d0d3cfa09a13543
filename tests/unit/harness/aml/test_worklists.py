"""Worklists against a slow walk through the days; their replicates against the worklists of each drawing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aml.ranking import customer_scores, day_end_ns, days_of
from harness.aml.spread import circles, draw_customers, worklist_replicates
from harness.aml.truth import NEVER, Truth
from harness.aml.worklists import ceiling, work
from harness.quality.bootstrap import Draws
from streams.errors import BadInputError
from tests.unit.harness.aml.made import DAY, at, scored, small_truth

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", "f", "shop", "stranger"]),
        st.integers(0, 3),
        st.integers(0, 23),
        st.sampled_from([0.0, 0.2, 0.45, 0.7, 0.97]),  # no two sets of them weigh the same
    ),
    min_size=1,
    max_size=25,
)


def standing_of(scores: Sequence[float]) -> float:
    """The weighed log-odds of the four highest, the lowest in place of those that lack."""
    kept = [min(max(score, 1e-6), 1 - 1e-6) for score in [*scores, 0.0, 0.0, 0.0, 0.0]]
    highest = sorted((math.log(score / (1 - score)) for score in kept), reverse=True)
    return round(4 * highest[0] + 2 * highest[1] + highest[2] + highest[3], 9)


def slow_lists(table: pa.Table, truth: Truth, k: int, tie: Mapping[str, int]) -> list[list[str]]:
    looked_at: set[str] = set()
    lists = []
    for day in days_of(truth):
        given: dict[str, list[float]] = {}
        for row in table.to_pylist():
            name = row["customer_id"]
            if name in truth.customer_names and name not in looked_at and row["event_time_ns"] <= day_end_ns(day):
                given.setdefault(name, []).append(row["score"])
        stands = {name: standing_of(scores) for name, scores in given.items()}
        chosen = sorted(stands, key=lambda name: (-stands[name], tie[name]))[:k]
        looked_at |= set(chosen)
        lists.append(chosen)
    return lists


@given(rows=ROWS, k=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_as_a_slow_walk_says(rows: list[tuple[str, int, float, float]], k: int) -> None:
    from harness.quality.cards import tie_order

    truth, table = small_truth(), scored(*rows)
    tie = dict(zip(truth.customer_names, tie_order(truth.customer_names).tolist(), strict=True))
    expected = slow_lists(table, truth, k, tie)
    worked = work(customer_scores(table, truth), truth, k)
    since = dict(zip(truth.customer_names, truth.suspicious_from_ns.tolist(), strict=True))
    for number, (made, names) in enumerate(zip(worked.lists, expected, strict=True)):
        now = day_end_ns(DAY + number)
        assert made.listed == len(names)
        assert made.found == sum(since[name] <= now for name in names)
        assert {n for n, w in zip(truth.customer_names, worked.listed_ns, strict=True) if w == now} == set(names)
    best_possible = ceiling(worked, truth)
    if worked.precision is not None:
        assert best_possible is not None
        assert worked.precision <= best_possible + 1e-12


@given(rows=ROWS, k=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_a_drawing_of_everybody_once_is_the_stream_itself(rows: list[tuple[str, int, float, float]], k: int) -> None:
    truth = small_truth()
    scores = customer_scores(scored(*rows), truth)
    component = circles(truth)
    once = Draws(component, [str(c) for c in range(component.max() + 1)], np.ones((1, component.max() + 1), np.int32))
    worked = work(scores, truth, k)
    precision, lift = worklist_replicates(scores, truth, k, once)
    for found, expected in ((precision, worked.precision), (lift, worked.lift)):
        assert (np.isnan(found[0]) and expected is None) or found[0] == pytest.approx(expected)


def copied(truth: Truth, weights: np.ndarray) -> tuple[Truth, list[int]]:
    """The truth in which every customer is there as often as it was drawn; and whose copy each is."""
    of = [place for place, times in enumerate(weights) for _ in range(int(times))]
    names = [f"{truth.customer_names[place]}-{number}" for number, place in enumerate(of)]
    return replace(truth, customer_names=names, suspicious_from_ns=truth.suspicious_from_ns[of]), of


def test_a_customer_drawn_twice_takes_two_places() -> None:
    truth = small_truth()
    table = scored(("a", 0, 5, 0.9), ("shop", 0, 6, 0.8), ("d", 2, 6, 0.7), ("f", 2, 6, 0.6), ("c", 3, 1, 0.95))
    scores = customer_scores(table, truth)
    draws = draw_customers(truth, seed=3, replicates=30)
    precision, lift = worklist_replicates(scores, truth, 2, draws)
    for number, weights in enumerate(draws.weights[:, draws.card]):
        whole, of = copied(truth, weights)
        rows = [(place, row) for place, row in enumerate(of)]
        customers = {
            name: [copy for copy, mine in rows if truth.customer_names[mine] == name] for name in set("abcdef")
        }
        customers["shop"] = [copy for copy, mine in rows if truth.customer_names[mine] == "shop"]
        again = [
            (whole.customer_names[copy], row) for row in table.to_pylist() for copy in customers[row["customer_id"]]
        ]
        if not again:
            continue
        drawn = pa.table(
            {
                "customer_id": pa.array([name for name, _ in again], pa.string()),
                "event_time_ns": [row["event_time_ns"] for _, row in again],
                "score": [row["score"] for _, row in again],
            }
        )
        worked = work(customer_scores(drawn, whole), whole, 2)
        assert precision[number] == pytest.approx(worked.precision)
        assert lift[number] == pytest.approx(worked.lift) if worked.lift is not None else np.isnan(lift[number])


def test_patterns_in_common_are_drawn_together() -> None:
    truth = small_truth()
    of = dict(zip(truth.customer_names, circles(truth).tolist(), strict=True))
    assert of["a"] == of["b"] == of["c"]
    assert of["d"] == of["e"]
    assert len({of["a"], of["d"], of["f"], of["shop"]}) == 4


def test_an_alert_before_laundering_began_is_false_and_final() -> None:
    truth = small_truth()
    worked = work(customer_scores(scored(("d", 0, 4, 0.9), ("d", 2, 9, 0.99)), truth), truth, 1)
    assert [day.found for day in worked.lists] == [0, 0, 0, 0]
    assert [day.listed for day in worked.lists] == [1, 0, 0, 0]
    assert (worked.found_ns == NEVER).all()


def test_strangers_are_counted_and_wrong_scores_refused() -> None:
    truth = small_truth()
    assert customer_scores(scored(("stranger", 0, 4, 0.9), ("a", 0, 4, 0.9)), truth).unknown == 1
    with pytest.raises(BadInputError, match=r"row 2 of the scored alerts has score 1\.5"):
        customer_scores(scored(("a", 0, 4, 0.9), ("a", 0, 5, 1.5)), truth)


def test_the_day_ends_before_midnight() -> None:
    assert day_end_ns(DAY) == at(1) - 1
