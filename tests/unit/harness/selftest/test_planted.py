from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.selftest.planted import WAIT_S, Misbehaviour, Plan
from streams.codec import decode_decision

CARDS = 3


def events(count: int) -> list[bytes]:
    return [msgspec.json.encode({"event_id": f"e{n}", "card_id": f"c{n % CARDS}", "more": 1}) for n in range(count)]


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000

    def __call__(self) -> int:
        return self.now_ns


class Played:
    def __init__(self, plan: Plan) -> None:
        self.clock = Clock()
        self.sent: list[tuple[bytes, bytes]] = []
        self.misbehaviour = Misbehaviour(plan, self.clock, lambda key, value: self.sent.append((key, value)))

    def play(self, count: int) -> "Played":
        self.misbehaviour.take(events(count), self.clock.now_ns)
        self.misbehaviour.emit()
        self.misbehaviour.finish()
        return self

    @property
    def answered(self) -> list[str]:
        found = []
        for _, value in self.sent:
            try:
                found.append(decode_decision(value).event_id)
            except msgspec.ValidationError:
                found.append("garbled")
        return found


def test_without_a_plan_everything_is_answered_once_and_in_order() -> None:
    assert Played(Plan()).play(9).answered == [f"e{n}" for n in range(9)]


def test_answers_wait_for_their_delay() -> None:
    played = Played(Plan(delay_ms=2.0))
    played.misbehaviour.take(events(2), 1_000)
    played.clock.now_ns = 1_000 + 1_999_999
    played.misbehaviour.emit()
    assert played.sent == []
    assert played.misbehaviour.patience_s == pytest.approx(1e-9)
    played.clock.now_ns += 1
    played.misbehaviour.emit()
    assert played.answered == ["e0", "e1"]
    decision = decode_decision(played.sent[0][1])
    assert (decision.taken_ns, decision.emitted_ns) == (1_000, 2_001_000)
    assert played.misbehaviour.patience_s == WAIT_S


def test_a_swapped_event_comes_after_the_next_of_its_card() -> None:
    assert Played(Plan(swapped=frozenset({"e1"}))).play(6).answered == ["e0", "e2", "e3", "e4", "e1", "e5"]


def test_a_swapped_event_without_a_next_one_comes_at_the_end() -> None:
    assert Played(Plan(swapped=frozenset({"e4"}))).play(6).answered[-1] == "e4"


ids = st.frozensets(st.sampled_from([f"e{n}" for n in range(30)]), max_size=8)


@given(lose=ids, twice=ids, garbled=ids, swapped=ids, unknown=st.integers(0, 4), delay_ms=st.floats(0.0, 5.0))
def test_every_event_gets_exactly_what_was_planned(
    lose: frozenset[str],
    twice: frozenset[str],
    garbled: frozenset[str],
    swapped: frozenset[str],
    unknown: int,
    delay_ms: float,
) -> None:
    plan = Plan(delay_ms=delay_ms, lose=lose, twice=twice, garbled=garbled, swapped=swapped, unknown=unknown)
    found = Counter(Played(plan).play(30).answered)
    assert found.pop("garbled", 0) == len(garbled - lose)
    assert sum(count for name, count in found.items() if name.startswith("nobody")) == unknown
    for event_id in (f"e{n}" for n in range(30)):
        silent = event_id in lose or event_id in garbled
        assert found[event_id] == (0 if silent else 2 if event_id in twice else 1)
