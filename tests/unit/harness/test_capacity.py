import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity import Search, Trial, find_capacity, rounded
from streams.errors import BadInputError


class Server:
    """Holds every rate up to a limit; the first try of every rate in `unlucky` fails."""

    def __init__(self, limit_per_s: float, unlucky: frozenset[int] = frozenset()) -> None:
        self.limit_per_s, self.unlucky, self.tried = limit_per_s, unlucky, 0

    def __call__(self, rate_per_s: float) -> Trial:
        self.tried += 1
        held = rate_per_s <= self.limit_per_s and self.tried not in self.unlucky
        return Trial(rate_per_s, held, () if held else ("too slow",))


@given(limit=st.floats(26.0, 190_000.0), start=st.floats(30.0, 5_000.0), resolution=st.floats(0.01, 0.5))
def test_the_limit_is_found_to_the_resolution(limit: float, start: float, resolution: float) -> None:
    search = Search(start_per_s=start, resolution=resolution)
    found = find_capacity(Server(limit), search)
    assert found.rate_per_s is not None
    assert not found.at_least
    assert found.rate_per_s <= limit
    failed = min(trial.rate_per_s for trial in found.trials if not trial.held)
    assert failed > limit
    assert failed / found.rate_per_s <= 1.0 + resolution or rounded((failed * found.rate_per_s) ** 0.5) in (
        failed,
        found.rate_per_s,
    )


@given(unlucky=st.frozensets(st.integers(1, 40), max_size=6))
def test_one_bad_run_does_not_matter(unlucky: frozenset[int]) -> None:
    alone = frozenset(n for n in unlucky if n - 1 not in unlucky)
    found = find_capacity(Server(3_000.0, alone), Search())
    assert found.rate_per_s == find_capacity(Server(3_000.0), Search()).rate_per_s


def test_rates_double_then_close_in() -> None:
    found = find_capacity(Server(1_700.0), Search(start_per_s=500.0, resolution=0.2))
    assert [trial.rate_per_s for trial in found.trials] == [500.0, 1_000.0, 2_000.0, 2_000.0, 1_410.0, 1_680.0]
    assert found.rate_per_s == 1_680.0


def test_nothing_held_is_said() -> None:
    found = find_capacity(Server(1.0), Search())
    assert found.rate_per_s is None
    assert found.trials[-1].rate_per_s == Search().lowest_per_s


def test_everything_held_is_a_lower_bound() -> None:
    found = find_capacity(Server(1e9), Search(highest_per_s=5_000.0))
    assert found.rate_per_s == 5_000.0
    assert found.at_least


@pytest.mark.parametrize("bad", [{"start_per_s": 0.0}, {"start_per_s": 1e9}, {"resolution": 0.0}, {"resolution": 2.0}])
def test_a_search_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInputError):
        Search(**bad)
