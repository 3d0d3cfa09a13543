"""Ranks of bins, and the shifts of a mean that no share shows."""

import numpy as np
import pytest

from harness.drift.batch import BlockEnd
from harness.drift.means import MeansWatch, ranks
from harness.drift.settings import BLOCKS_PER_DAY, Settings
from harness.drift.volume import rank_allowance
from streams.reference_bins import ReferenceBins

DAYS = 35
A_BLOCK = 150


def test_a_bin_ranks_by_its_value_and_by_what_lies_below() -> None:
    bins = ReferenceBins(edges=(1.0, 5.0), point_masses=(3.0,), counts=())
    found = ranks([bins], np.array([[[10, 20, 40, 30, 7, 0]]]))[0, 0]
    # ≤ 1, then 1–5, then the mass of 3 within it, then > 5; missing values and padding have no rank
    assert found[:4].tolist() == [0.05, 0.2, 0.8, 0.45]
    assert np.isnan(found[4:]).all()


def watched(shift: float, surge: float = 1.0, wander: float = 0.0) -> list[float]:
    """Days after the twenty-first on which a shift of everything (in spreads) was out of bounds."""
    random = np.random.default_rng(4)
    watch = MeansWatch(("amount",), 1, {}, Settings())
    told = []
    for block in range(DAYS * BLOCKS_PER_DAY):
        day = block / BLOCKS_PER_DAY
        values = random.normal(wander * day + (shift if day >= 21 else 0.0), 1, (A_BLOCK, 1))
        watch.take(values, (np.arange(A_BLOCK) % 2 - 1).astype(np.int16))
        found = watch.close(BlockEnd(block, 0, 0, surge))
        told += [day - 21] if any(excess.group == 0 for excess in found) else []
    return told


def test_a_small_shift_of_everything_is_out_of_bounds_within_a_week() -> None:
    told = watched(0.5)
    assert told
    assert 0 <= told[0] < 7


@pytest.mark.parametrize(("shift", "surge", "wander"), [(0.0, 1.0, 0.0), (0.0, 1.0, 0.02), (0.5, 1.5, 0.0)])
def test_chance_what_wanders_and_what_volume_does_are_no_shift(shift: float, surge: float, wander: float) -> None:
    assert watched(shift, surge, wander) == []


def test_a_volume_as_usual_or_less_allows_nothing() -> None:
    assert rank_allowance(1.0) == rank_allowance(0.5) == 0.0
    assert 0 < rank_allowance(1.2) < rank_allowance(1.5)


@pytest.mark.parametrize("until", [14 * BLOCKS_PER_DAY + 1, 17 * BLOCKS_PER_DAY - 3, 20 * BLOCKS_PER_DAY])
def test_where_events_are_few_the_burn_in_ends_whenever_there_are_enough(until: int) -> None:
    """The last ones that are needed to fit bins come in a block after the second week, in the middle of a day."""
    random = np.random.default_rng(5)
    watch, settings = MeansWatch(("amount",), 1, {}, Settings()), Settings()
    for block in range(until + 1):
        values = random.normal(0, 1, (A_BLOCK if block == until else settings.events_min // (2 * until), 1))
        values = np.concatenate([values, random.normal(0, 1, (settings.events_min, 1))]) if block == until else values
        watch.take(values, np.zeros(len(values), np.int16))
        assert watch.learned is None
        watch.close(BlockEnd(block, 0, 0, 1.0))
    assert watch.learned is not None
    assert watch.learned.days == 14
