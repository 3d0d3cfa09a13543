"""Rates of rare things (a rule's hits, alerts, bad labels) in windows of event time against the stream's own burn-in.

Hits come in clusters (what one fraudster does, many cards show), so their count varies more than a Poisson's: the
burn-in says how much more (the dispersion). Bounds are those of a count with it, by Anscombe's square root.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from harness.drift.batch import BlockEnd
from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK, Settings

Floats = npt.NDArray[np.float64]
WINDOWS = (BLOCKS_PER_DAY, 3 * BLOCKS_PER_DAY, BLOCKS_PER_WEEK)
PSEUDO_HITS = 0.5
"""What never happened in the burn-in is rare, not impossible."""
FEW_DAYS = 1.5
"""A dispersion estimated from two weeks may be too small by about this factor."""
DISPERSION_MIN = 2.0
"""Of what is too rare for the burn-in to tell: hits of people who know each other come together."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A rate out of its bounds: of which column and group (0: all); `ratio`, `bound` are times the burn-in's rate."""

    column: int
    group: int
    ratio: float
    bound: float
    hits: float
    expected: float
    blocks: int

    @property
    def is_fall(self) -> bool:
        """Fewer than before."""
        return self.ratio < 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an alarm takes besides being no chance: `factor` times the rate (or one `factor`-th of it), and `hits_min`
    hits (in a fall: that many expected); a rise also at least `rate_min` of what could hit. `windows` in
    blocks, at most as long as the burn-in; `dispersion_min`: times a Poisson's variance, at least;
    `blocks_a_look`: labels are looked at once a day."""

    factor: float = 2.0
    hits_min: int = 20
    rate_min: float = 0.0
    windows: tuple[int, ...] = WINDOWS
    dispersion_min: float = DISPERSION_MIN
    blocks_a_look: int = 1


class RatesWatch:
    """Watches R rates in all groups: hits [1 + G, R] an exposure [1 + G, R], block by block."""

    def __init__(self, columns: int, groups: int, bounds: Bounds, settings: Settings) -> None:
        self._shape = (groups + 1, columns)
        self._bounds = bounds
        self._settings = settings
        self._windows = bounds.windows
        self._z = -float(ndtri(bounds.blocks_a_look * settings.chance(columns * (groups + 1) * len(self._windows))))
        self._counts = np.zeros((2, *self._shape))
        self._blocks: deque[Floats] = deque()
        self._begun = False
        self._sums = np.zeros((len(self._windows), 2, *self._shape))
        self._rate: Floats | None = None
        self._exposed: Floats = np.zeros(self._shape)
        self._dispersion: Floats = np.full(self._shape, bounds.dispersion_min)

    def hit(self, column: npt.NDArray[np.integer[Any]], group: npt.NDArray[np.int16]) -> None:
        """Count hits: a column and a group (−1: unknown) each."""
        np.add.at(self._counts[0], (group.astype(np.int64) + 1, column), 1)

    def expose(self, group: npt.NDArray[np.int16]) -> None:
        """Count what could have hit any column, by its group."""
        self._counts[1] += np.bincount(group + np.int16(1), minlength=self._shape[0])[:, np.newaxis]

    def close(self, end: BlockEnd) -> list[Departure]:
        """The present block is over: every rate out of its bounds, once the burn-in is over; it begins with the first
        block in which anything could have hit."""
        self._begun = self._begun or bool(self._counts[1].any())
        if not self._begun:
            return []
        block = self._counts
        block[:, 0] = block.sum(axis=1)
        self._blocks.append(block)
        self._counts = np.zeros_like(block)
        if self._rate is None:
            if len(self._blocks) == self._settings.burn_in_blocks:
                self._learn(np.stack(self._blocks))
            return []
        for place, length in enumerate(self._windows):
            self._sums[place] += block - self._blocks[-1 - length]
        self._blocks.popleft()
        is_look = (end.block + 1) % self._bounds.blocks_a_look == 0
        return self._judge(self._rate, end) if is_look else []

    def _learn(self, blocks: Floats) -> None:
        hits, exposed = blocks.sum(axis=0)
        self._rate = (hits + PSEUDO_HITS) / np.maximum(exposed, 1)
        self._exposed = exposed
        for length in (BLOCKS_PER_DAY, BLOCKS_PER_WEEK):
            windows = blocks.reshape(-1, length, *blocks.shape[1:]).sum(axis=1)
            expected = np.maximum(self._rate * windows[:, 1], 1e-9)
            pearson = ((windows[:, 0] - expected) ** 2 / expected).sum(axis=0) / max(1, len(windows) - 1)
            self._dispersion = np.maximum(self._dispersion, FEW_DAYS * pearson)
        self._blocks = deque(blocks[-max(self._windows) :])
        self._sums = np.stack([blocks[-length:].sum(axis=0) for length in self._windows])

    def _judge(self, rate: Floats, end: BlockEnd) -> list[Departure]:
        hits, exposed = self._sums[:, 0], self._sums[:, 1]
        expected = rate * exposed
        likely = (hits >= self._bounds.hits_min) | (expected >= self._bounds.hits_min)
        if not likely.any():
            return []
        # the reference is itself a sample: its variance adds to the window's
        noise = 1 + exposed / np.maximum(self._exposed, 1)
        half, root = self._z * np.sqrt(self._dispersion * noise) / 2, np.sqrt(expected)
        factor = self._bounds.factor * max(1.0, end.surge) ** 2
        high = np.maximum(np.maximum((root + half) ** 2, expected * factor), exposed * self._bounds.rate_min)
        low = np.minimum(np.maximum(root - half, 0) ** 2, expected / factor)
        rises = (hits > high) & (hits >= self._bounds.hits_min)
        falls = (hits < low) & (expected >= self._bounds.hits_min)
        found = []
        for place, group, column in zip(*(index.tolist() for index in np.nonzero(rises | falls)), strict=True):
            at = (place, group, column)
            usual, bound = float(expected[at]), float((high if rises[at] else low)[at])
            ratio = float(hits[at]) / usual
            found.append(Departure(column, group, ratio, bound / usual, float(hits[at]), usual, self._windows[place]))
        return found
