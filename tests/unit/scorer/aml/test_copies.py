"""Copies of a state that goes on: those that follow what was written, beside whole ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.graph.followed import Followed
from models.graph.kernel.layout import CELL_FROM, CELL_TO
from models.graph.link_ledger import LinkLedger
from rules.typologies.pack import SHIPPED, TypologyPack
from scorer.aml.assembly import load_packs
from scorer.aml.copies import Copies
from scorer.aml.raising import AlertRaiser
from scorer.aml.state_files import TransferState, followed_of, snapshot_of
from streams.labels import NS_PER_DAY
from tests.unit.models.graph.transfers import StreamShape, account_rows, account_table, fresh_state, random_stream

KEPT, PIECE = 50, 13
CROWDED = StreamShape(transfers=400, accounts=5, days=70.0)
SPREAD = StreamShape(transfers=400, accounts=150, days=100.0, late_share=0.3)

Arrays = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module", autouse=True)
def _short_trail() -> Iterator[None]:
    """A ring that a short stream goes round many times."""
    with pytest.MonkeyPatch.context() as patched:
        for module in ("trail", "raising"):
            patched.setattr(f"scorer.aml.{module}.PIECE", PIECE)
        yield


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    return load_packs(SHIPPED)


class Stream:
    """A state, a random stream it takes in, and copies of it."""

    def __init__(self, seed: int, shape: StreamShape, pack: TypologyPack) -> None:
        self.pack, self.known = pack, shape.known
        accounts = account_table(account_rows(seed, shape.known))
        raiser = AlertRaiser(pack, accounts, KEPT)
        self.state = TransferState(fresh_state(seed, shape), LinkLedger(), raiser, accounts)
        self.events, self.at, self.copies = random_stream(seed, shape), 0, Copies()

    def go_on(self, count: int) -> None:
        events = self.events[self.at : self.at + count]
        self.at += len(events)
        batch = self.state.graph.code_events(events)
        self.state.ledger.observe(batch, self.state.graph.compute(batch).status)
        sides = batch.cells[:, [CELL_FROM, CELL_TO]].ravel()
        ids = [event.event_id.ljust(12 + self.at // 40, "x") for event in events]  # longer ones come later
        self.state.raiser.pass_over(ids, batch.time_ns, np.where(sides < self.known, sides, -1).astype(np.int32))

    def close_day(self) -> None:
        """The links of a week are summed, those that come while they are being summed are kept as they are."""
        closing = self.state.ledger.begin_closing(self.state.graph.newest_ns // NS_PER_DAY)
        self.go_on(5)
        closing.week()
        self.state.ledger.end_closing(closing)

    def short_of_room(self) -> None:
        """The next block for a history makes the arena grow."""
        graph, store = self.state.graph, self.state.graph._store
        used = max(int(store.pool[0]), 64)
        graph._store = store._replace(arena=store.arena[:used].copy(), sums=store.sums[:used].copy())

    def whole(self) -> Arrays:
        arrays = snapshot_of(self.state.graph, self.state.ledger, self.state.raiser)[1]
        return {name: array.copy() for name, array in arrays.items()}

    def restart(self) -> None:
        settings, _ = snapshot_of(self.state.graph, self.state.ledger, self.state.raiser)
        self.state = TransferState.restore(settings, self.whole(), self.pack, self.state.accounts)

    def followed(self) -> list[Followed]:
        return followed_of(self.state.graph, self.state.ledger, self.state.raiser)

    def copy_ahead(self, most: int) -> None:
        self.copies.copy_ahead(self.followed(), most)

    def cut(self) -> Arrays:
        arrays = snapshot_of(self.state.graph, self.state.ledger, self.state.raiser)[1]
        return self.copies.take(arrays, self.followed())

    def check(self) -> None:
        expected, found = self.whole(), self.cut()
        assert list(found) == list(expected)
        for name, array in expected.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
            assert found[name].tobytes() == array.tobytes(), name


STEP = st.one_of(
    st.tuples(st.just("go_on"), st.integers(1, 80)),
    st.tuples(st.just("copy_ahead"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["check", "check", "widen", "restart", "short_of_room", "close_day"]), st.none()),
)


@given(st.integers(0, 20), st.sampled_from([CROWDED, SPREAD]), st.lists(STEP, max_size=30))
def test_a_copy_that_follows_is_a_whole_copy(
    pack: TypologyPack, seed: int, shape: StreamShape, steps: list[tuple[str, int | None]]
) -> None:
    stream = Stream(seed, shape, pack)
    for step, count in steps:
        if step == "widen":
            stream.copies.widen()
        else:
            getattr(stream, step)(*([] if count is None else [count]))
    stream.check()


@pytest.mark.parametrize("shape", [CROWDED, SPREAD])
def test_a_long_stream_with_all_copied_ahead(pack: TypologyPack, shape: StreamShape) -> None:
    stream = Stream(1, shape, pack)
    for number in range(200):
        stream.go_on(2)
        stream.copy_ahead(5)
        if number % 7 == 0:
            stream.check()
            stream.copies.widen()


def test_what_was_not_written_to_is_not_copied_again(pack: TypologyPack) -> None:
    stream = Stream(0, SPREAD, pack)
    stream.go_on(300)
    stream.cut()["arena"][8, 0] = stream.cut()["trail_time_ns"][8] = -7
    stream.copies.widen()
    stream.copy_ahead(1_000)
    again = stream.cut()
    assert again["arena"][8, 0] == again["trail_time_ns"][8] == -7
    stream.restart()
    stream.check()


def test_all_is_copied_ahead_in_turn_while_the_first_rows_are_written_again(pack: TypologyPack) -> None:
    stream = Stream(0, SPREAD, pack)
    stream.go_on(300)
    stream.cut()
    graph = stream.state.graph.followed()
    graph.forget()
    for _ in range(graph.groups // 3 + 1):
        stream.copy_ahead(3)
        graph.copied[:3] = 0
    assert graph.copied[3 : graph.groups].all()


def test_two_copies_of_one_state_are_each_whole_when_they_are_made_by_turns(pack: TypologyPack) -> None:
    stream = Stream(0, CROWDED, pack)
    stream.go_on(100)
    stream.check()
    stream.copies = Copies()
    stream.go_on(100)
    stream.check()


def test_copies_are_of_their_instant_and_find_their_memory_again() -> None:
    copies = Copies()
    array, nothing = np.arange(1_000, dtype=np.int64).reshape(-1, 2), np.zeros((0, 4), np.float32)
    first = copies.take({"a": array, "b": nothing}, [])
    array[0, 0] = 7
    assert first["a"][0, 0] == 0
    assert first["b"].shape == (0, 4)
    copies.widen()
    longer = np.arange(1_100, dtype=np.int64).reshape(-1, 2)
    again = copies.take({"a": longer, "b": nothing}, [])
    assert np.array_equal(again["a"], longer)
    assert np.shares_memory(again["a"], copies.take({"a": array, "b": nothing}, [])["a"])
