"""Cards taken out of a state and put into another one: what they say next is the same to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.card_rows import CardRows, joined
from models.features.coding import ID_KINDS
from models.features.state import FeatureState
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream, same_bits

SHAPE = StreamShape(events=300, cards=9)


def twin_of(state: FeatureState) -> FeatureState:
    """An empty state with the same codes."""
    twin = FeatureState.empty(VOCABULARY)
    for kind in ID_KINDS:
        interner = state._coder.interners[kind]
        twin.codes_of(kind, interner.strings())
    return twin


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 300), chunk=st.integers(1, 9))
def test_cards_go_on_in_another_state_as_if_they_had_stayed(seed: int, cut: int, chunk: int) -> None:
    events = random_stream(seed, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    state.compute(state.code_events(events[:cut]))
    state.code_events(events)
    twin = twin_of(state)
    cards = np.random.default_rng(seed).permutation(state.cards).astype(np.int32)
    parts = [cards[at : at + chunk] for at in range(0, len(cards), chunk)]
    for codes in parts:
        twin.put_cards(codes, state.take_cards(codes))
    rest = events[cut:]
    assert same_bits(state.compute(state.code_events(rest)), twin.compute(twin.code_events(rest)))


def test_put_over_what_is_there_and_the_memory_of_the_old_is_used_again() -> None:
    events = random_stream(3, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    state.compute(state.code_events(events))
    cards = np.arange(state.cards, dtype=np.int32)
    rows = state.take_cards(cards)
    for _ in range(4):
        state.put_cards(cards, rows)
    used = int(state._store.pool[0])
    for _ in range(50):
        state.put_cards(cards, rows)
    assert int(state._store.pool[0]) == used
    again = state.take_cards(cards)
    np.testing.assert_array_equal(again.entries, rows.entries)
    np.testing.assert_array_equal(np.delete(again.cards, 0, 1), np.delete(rows.cards, 0, 1))


def test_cards_that_are_put_back_empty_have_seen_nothing() -> None:
    events = random_stream(4, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    first = state.compute(state.code_events(events))
    cards = np.arange(state.cards, dtype=np.int32)
    state.put_cards(cards, CardRows.none(len(cards)))
    assert same_bits(state.compute(state.code_events(events)), first)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1], [], [2, 2]])
def test_rows_joined_and_chosen_keep_their_events(order: list[int]) -> None:
    events = random_stream(5, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    state.compute(state.code_events(events))
    parts = [state.take_cards(np.array([code], np.int32)) for code in range(4)]
    chosen = joined(parts).chosen(np.array(order, np.intp))
    expected = joined([parts[code] for code in order])
    for name in ("cards", "recent", "met", "entries", "ends"):
        np.testing.assert_array_equal(getattr(chosen, name), getattr(expected, name))
