"""What a customer's scores come to, in any portions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aml.evidence import Evidence
from harness.quality.scored import NOT_RANKED

GIVEN = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), max_size=30)


def stands(rows: list[tuple[int, float]], cuts: list[int]) -> list[float]:
    evidence = Evidence(4)
    edges = sorted({0, *(cut for cut in cuts if cut < len(rows)), len(rows)})
    for begin, end in itertools.pairwise(edges):
        part = rows[begin:end]
        evidence.take(np.array([who for who, _ in part]), np.array([score for _, score in part]))
    return [float(value) for value in evidence.standing]


@given(GIVEN, st.lists(st.integers(1, 29), max_size=4))
@settings(max_examples=60, deadline=None)
def test_portions_and_order_change_nothing(rows: list[tuple[int, float]], cuts: list[int]) -> None:
    whole = stands(rows, [])
    assert stands(rows, cuts) == whole
    assert stands(sorted(rows), cuts) == whole


def test_four_of_some_suspicion_outweigh_one_that_stands_out() -> None:
    alone, several, nothing, none = stands([(0, 0.99), *4 * [(1, 0.3)], (2, 0.0)], [])
    assert several == pytest.approx(0.3)
    assert several > alone > nothing > 0.0
    assert none == NOT_RANKED


def test_a_fifth_score_counts_only_when_it_is_among_the_highest() -> None:
    known = [(0, 0.5), (0, 0.4), (0, 0.3), (0, 0.25)]
    four, lower, higher = (stands([*known, *more], [])[0] for more in ([], [(0, 0.2)], [(0, 0.6)]))
    assert four == lower < higher
