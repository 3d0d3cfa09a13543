"""The way up a ladder, and the turns of several contenders."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.peers.climb import BELOW, TRIES, Climb, Ladder, turns
from streams.errors import BadInputError

RATES = (1_000.0, 2_000.0, 4_000.0, 8_000.0)


def climbed(capacity_per_s: float, refine: int = 1) -> tuple[Climb, list[float]]:
    climb, tried = Climb(Ladder(RATES, refine)), []
    while (rate := climb.next_rate()) is not None:
        tried.append(rate)
        climb.record(rate, held=rate <= capacity_per_s)
    return climb, tried


def test_goes_up_to_the_first_rate_that_fails_twice_and_once_between() -> None:
    climb, tried = climbed(3_000.0)
    assert tried == [1_000.0, 2_000.0, 4_000.0, 4_000.0, 2_830.0]
    assert (climb.capacity_per_s, climb.not_held_per_s) == (2_830.0, 4_000.0)


def test_holds_the_whole_ladder() -> None:
    climb, tried = climbed(1e9)
    assert tried == list(RATES)
    assert (climb.capacity_per_s, climb.not_held_per_s) == (8_000.0, None)


def test_goes_down_by_halves_below_the_ladder_and_then_gives_up() -> None:
    climb, tried = climbed(300.0, refine=0)
    assert tried == [1_000.0] * 2 + [500.0] * 2 + [250.0]
    assert climb.capacity_per_s == 250.0
    climb, tried = climbed(1.0)
    assert tried[-1] == RATES[0] / BELOW
    assert climb.capacity_per_s is None


def test_one_failure_may_be_the_machines() -> None:
    climb = Climb(Ladder((1_000.0,), 0))
    climb.record(1_000.0, held=False)
    assert climb.next_rate() == 1_000.0
    climb.record(1_000.0, held=True)
    assert climb.next_rate() is None
    assert (climb.capacity_per_s, climb.not_held_per_s) == (1_000.0, None)


def test_a_failure_by_far_is_not_tried_again() -> None:
    climb = Climb(Ladder(RATES, 0), held={1_000.0})
    climb.record(2_000.0, held=False, by_far=True)
    assert climb.next_rate() is None
    assert (climb.capacity_per_s, climb.not_held_per_s) == (1_000.0, 2_000.0)


def test_a_contender_that_is_given_up_has_no_turn_left() -> None:
    assert Climb(Ladder(RATES, 1), given_up=True).next_rate() is None


@given(st.floats(1.0, 20_000.0), st.integers(0, 6))
def test_always_ends_with_the_capacity_between_held_and_not_held(capacity_per_s: float, refine: int) -> None:
    climb, tried = climbed(capacity_per_s, refine)
    assert max(Counter(tried).values()) <= TRIES
    assert climb.capacity_per_s is None or climb.capacity_per_s <= capacity_per_s
    assert climb.not_held_per_s is None or climb.not_held_per_s > capacity_per_s
    assert climb.refined <= refine


def test_turns_are_interleaved_and_the_order_changes() -> None:
    climbs = [Climb(Ladder((1_000.0, 2_000.0), 0)) for _ in range(3)]
    seen = []
    for place, rate in turns(climbs):
        seen.append((place, rate))
        climbs[place].record(rate, held=True)
    assert [place for place, _ in seen] == [0, 1, 2, 1, 2, 0]
    assert [rate for _, rate in seen] == [1_000.0] * 3 + [2_000.0] * 3


@pytest.mark.parametrize("rates", [(), (2_000.0, 1_000.0), (1_000.0, 1_000.0), (1.0, 2.0)])
def test_refuses_what_is_no_ladder(rates: tuple[float, ...]) -> None:
    with pytest.raises(BadInputError, match="--rates"):
        Ladder(rates, 1)
