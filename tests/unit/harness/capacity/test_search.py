from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity.search import Capacity, Finder, Search, Trial, rounded
from streams.errors import BadInputError


class Server:
    """Holds every rate up to a limit, but for the trials in `unlucky` and `lucky` (by number, from 1)."""

    def __init__(
        self, limit_per_s: float, unlucky: frozenset[int] = frozenset(), lucky: frozenset[int] = frozenset()
    ) -> None:
        self.limit_per_s, self.unlucky, self.lucky = limit_per_s, unlucky, lucky
        self.tried: list[tuple[float, int]] = []

    def __call__(self, rate_per_s: float, run_of_rate: int) -> Trial:
        self.tried.append((rate_per_s, run_of_rate))
        number = len(self.tried)
        held = (rate_per_s <= self.limit_per_s and number not in self.unlucky) or number in self.lucky
        return Trial(rate_per_s, held, () if held else ("too slow",))

    @property
    def rates(self) -> list[float]:
        return [rate for rate, _ in self.tried]


def find(run: Callable[[float, int], Trial], search: Search | None = None) -> Capacity:
    return Finder(run, search or Search()).find()


@given(limit=st.floats(26.0, 190_000.0), start=st.floats(30.0, 5_000.0), resolution=st.floats(0.01, 0.5))
def test_the_limit_is_found_to_the_resolution(limit: float, start: float, resolution: float) -> None:
    found = find(Server(limit), Search(start_per_s=start, resolution=resolution))
    assert found.rate_per_s is not None
    assert found.not_held_per_s is not None
    assert found.rate_per_s <= limit < found.not_held_per_s
    middle = rounded((found.not_held_per_s * found.rate_per_s) ** 0.5)
    close = found.not_held_per_s / found.rate_per_s <= 1.0 + resolution
    assert close or middle in (found.not_held_per_s, found.rate_per_s)
    assert (found.runs_held, found.runs, found.complete) == (2, 2, True)


@given(
    limit=st.floats(10.0, 300_000.0),
    noise=st.floats(0.0, 0.6),
    seed=st.integers(0, 2**32),
    resolution=st.floats(0.01, 0.5),
)
def test_noise_never_keeps_the_search_from_ending(limit: float, noise: float, seed: int, resolution: float) -> None:
    rng = np.random.default_rng(seed)
    record: dict[float, list[bool]] = {}

    def run(rate_per_s: float, run_of_rate: int) -> Trial:
        held = bool(rate_per_s * np.exp(noise * rng.standard_normal()) <= limit)
        record.setdefault(rate_per_s, []).append(held)
        assert run_of_rate == len(record[rate_per_s])
        return Trial(rate_per_s, held, () if held else ("too slow",))

    search = Search(resolution=resolution)
    found = find(run, search)
    runs = sum(map(len, record.values()))
    halvings = 1 + np.log2(np.log(2) / np.log1p(resolution)) if resolution < 1 else 1
    bracket = np.log2(search.highest_per_s / search.lowest_per_s) + 4
    assert runs <= 3 * (bracket + 4 * (halvings + 1))
    assert max(map(len, record.values())) <= 3
    fallen = [rate for rate, outcomes in record.items() if outcomes.count(False) >= 2]
    assert found.not_held_per_s == min(fallen, default=None)
    if found.rate_per_s is not None:
        assert record[found.rate_per_s].count(True) == found.runs_held == 2
        assert all(found.rate_per_s < rate for rate in fallen)


@given(unlucky=st.frozensets(st.integers(1, 60), max_size=8))
def test_one_bad_run_of_a_rate_does_not_matter(unlucky: frozenset[int]) -> None:
    alone: list[int] = []
    for number in sorted(unlucky):
        if not alone or number - alone[-1] > 40:  # never two within one search's runs of a rate
            alone.append(number)
    found = find(Server(3_000.0, frozenset(alone)))
    assert found.rate_per_s == find(Server(3_000.0)).rate_per_s


def test_rates_double_then_close_in_then_the_answer_is_run_again() -> None:
    server = Server(1_700.0)
    found = find(server, Search(start_per_s=500.0, resolution=0.2))
    assert server.rates == [500.0, 1_000.0, 2_000.0, 2_000.0, 1_410.0, 1_680.0, 1_680.0]
    assert [number for _, number in server.tried] == [1, 1, 1, 2, 1, 1, 2]
    assert (found.rate_per_s, found.not_held_per_s) == (1_680.0, 2_000.0)


def test_a_rate_that_was_held_by_luck_does_not_stand() -> None:
    server = Server(1_200.0, lucky=frozenset({5}))  # the first run of 1,410
    found = find(server, Search(start_per_s=500.0, resolution=0.2))
    assert server.rates[4] == 1_410.0
    assert (found.rate_per_s, found.not_held_per_s) == (1_190.0, 1_410.0)


def test_below_a_start_that_was_held_by_luck_the_search_goes_on() -> None:
    found = find(Server(200.0, lucky=frozenset({1})), Search(start_per_s=500.0, resolution=0.5))
    assert found.rate_per_s is not None
    assert 100.0 < found.rate_per_s <= 200.0


def test_nothing_held_is_said() -> None:
    server = Server(1.0)
    found = find(server)
    assert found.rate_per_s is None
    assert found.not_held_per_s == server.rates[-1] == Search().lowest_per_s


def test_everything_held_is_a_lower_bound() -> None:
    found = find(Server(1e9), Search(highest_per_s=5_000.0))
    assert found.rate_per_s == 5_000.0
    assert found.not_held_per_s is None


def test_one_rate_alone_can_be_tried() -> None:
    search = Search(start_per_s=500.0, lowest_per_s=500.0, highest_per_s=500.0)
    held, failed = Server(1e9), Server(1.0)
    assert find(held, search).rate_per_s == 500.0
    assert find(failed, search).rate_per_s is None
    assert held.rates == failed.rates == [500.0, 500.0]


def test_what_a_stopped_search_knows() -> None:
    server = Server(1_700.0)

    def run(rate_per_s: float, run_of_rate: int) -> Trial:
        if len(server.tried) == 5:
            raise KeyboardInterrupt
        return server(rate_per_s, run_of_rate)

    finder = Finder(run, Search(start_per_s=500.0))
    with pytest.raises(KeyboardInterrupt):
        finder.find()
    assert finder.so_far() == Capacity(1_410.0, 2_000.0, 1, 1, complete=False)


@pytest.mark.parametrize("bad", [{"start_per_s": 0.0}, {"start_per_s": 1e9}, {"resolution": 0.0}, {"resolution": 2.0}])
def test_a_search_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInputError):
        Search(**bad)
