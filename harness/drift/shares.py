"""Shares of bins in windows of event time against the stream's own burn-in, with thresholds that the burn-in taught.

A window of a stable stream differs from the burn-in by chance, by the time of day and week, by clusters (a card's
events come together), and by the past that features carry along (thirty days' windows, ages): the χ² threshold knows
only of chance. So the burn-in's own windows are held against the rest of it, and several times the most that was seen
goes on top of the limit; what two of its weeks differ by is taken to grow with the weeks since.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from harness.drift.batch import BlockEnd
from harness.drift.kernel import BinTable, Counts
from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK, Settings
from harness.drift.volume import surge_allowance
from streams.reference_bins import EPSILON, ReferenceBins, psi, shares

Floats = npt.NDArray[np.float64]
WINDOWS = (BLOCKS_PER_DAY, BLOCKS_PER_WEEK)
"""Whole days, so that no window lacks an hour of the day, and whole weeks, so that none lacks a weekday."""
AGEING = 1.5
"""What two weeks differ by grows with the weeks between them: as they do for what wanders (a random walk's variance),
as their square for what only ages; this is between."""
LAG_WEEKS_MAX = 8.0
"""From here on a threshold grows no further: what wanders in two weeks has come to its bounds."""


@dataclass(frozen=True, slots=True)
class Excess:
    """An index above its threshold: of which column and group (0: all), in a window of how many blocks."""

    column: int
    group: int
    value: float
    threshold: float
    blocks: int


def index_of(reference: Floats, window: Floats) -> Floats:
    """PSI along the last axis of two arrays of shares, as `streams.reference_bins.psi` has it for one row."""
    before, now = np.maximum(reference, EPSILON), np.maximum(window, EPSILON)
    return np.asarray(((now - before) * np.log(now / before)).sum(axis=-1))


def _shares(counts: Counts) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))


def _with_all(counts: Counts) -> Counts:
    """The row of the ungrouped replaced by that of all."""
    whole = counts.copy()
    whole[0] = counts.sum(axis=0)
    return whole


@dataclass(frozen=True, slots=True)
class Learned:
    """What the burn-in taught: its `shares` [R, C, B] and `events` [R, C]; `spread` [windows, R, C], the most that a
    window of it differed from the rest."""

    shares: Floats
    events: Counts
    spread: Floats

    @classmethod
    def from_blocks(cls, blocks: Counts) -> "Learned":
        """From the counts of the burn-in's blocks, int64 [blocks, R, C, B], row 0 already that of all."""
        whole = blocks.sum(axis=0)
        until = np.concatenate([np.zeros_like(blocks[:1]), blocks.cumsum(axis=0)])
        spread = np.zeros((len(WINDOWS), *whole.shape[:2]))
        for place, length in enumerate(WINDOWS):
            for start in range(0, len(blocks) - length + 1, 2):
                window = until[start + length] - until[start]
                np.maximum(spread[place], index_of(_shares(whole - window), _shares(window)), out=spread[place])
        if spread.shape[1] > 1:
            # two weeks of a group say little: what happened to one of them may happen to each
            spread[:, 1:] = spread[:, 1:].max(axis=1, keepdims=True)
        return cls(_shares(whole), whole.sum(axis=-1), spread)


class SharesWatch:
    """Watches C columns in all groups. Bins are the given ones (of a bundle or a warm state) as long as the stream's
    first events fill them alike, else they are fitted on those."""

    def __init__(
        self, columns: Sequence[str], groups: int, given: Mapping[str, Mapping[str, Any]], settings: Settings
    ) -> None:
        self._columns = tuple(columns)
        self._rows = groups + 1
        self._given = given
        self._settings = settings
        self._sample: list[tuple[int, Floats, npt.NDArray[np.int64]]] = []
        self._sampled = 0
        self._table: BinTable | None = None
        self._counts: Counts = np.zeros((0, 0, 0), np.int64)
        self._blocks: deque[Counts] = deque()
        self._closed = 0
        self._sums: Counts = np.zeros((0, 0, 0, 0), np.int64)
        self._learned: Learned | None = None
        self._quantiles: Floats = np.zeros(0)

    @property
    def learned(self) -> Learned | None:
        """What the burn-in taught; None until it is over."""
        return self._learned

    def take(self, values: npt.NDArray[np.floating[Any]], group: npt.NDArray[np.int16]) -> None:
        """Count float [n, C] values of the present block; `group` [n] is −1 where unknown."""
        rows = group.astype(np.int64) + 1
        if self._table is None:
            self._sample.append((self._closed, values.astype(np.float32), rows))
            self._sampled += len(values)
            if self._sampled >= self._settings.sample_events:
                self._fit()
            return
        self._table.count_into(self._counts, values, rows)

    def close(self, end: BlockEnd) -> list[Excess]:
        """The present block is over: every index above its threshold, once the burn-in is."""
        self._closed += 1
        if self._table is None:
            if self._closed < self._settings.burn_in_blocks or self._sampled < self._settings.events_min:
                return []
            self._fit()
        else:
            self._blocks.append(_with_all(self._counts))
            self._counts = np.zeros_like(self._counts)
        if self._learned is None:
            if self._closed >= self._settings.burn_in_blocks:
                self._learn()
            return []
        self._slide()
        return self._judge(self._learned, end)

    def _fit(self) -> None:
        """Fit the bins and count what was kept back, in the blocks it came in."""
        sample = np.concatenate([values for _, values, _ in self._sample])
        bins = [self._bins(name, sample[:, place]) for place, name in enumerate(self._columns)]
        self._table = BinTable.of(bins)
        shape = (self._rows, len(bins), self._table.size)
        until = [np.zeros(shape, np.int64) for _ in range(self._closed + 1)]
        for block, values, rows in self._sample:
            self._table.count_into(until[block], values, rows)
        self._blocks.extend(_with_all(counts) for counts in until[:-1])
        self._counts = until[-1]
        self._sample = []
        chance = self._settings.chance(len(bins) * self._rows * len(WINDOWS))
        self._quantiles = np.asarray(chdtri(np.arange(1, self._table.size + 1), chance))

    def _bins(self, name: str, values: Floats) -> ReferenceBins:
        if name in self._given:
            given = ReferenceBins.from_dict(self._given[name])
            if psi(given.shares, shares(given.count(values))) <= self._settings.limit_short:
                return given
        return ReferenceBins.fit(values)

    def _learn(self) -> None:
        blocks = np.stack(self._blocks)
        self._learned = Learned.from_blocks(blocks)
        self._blocks = deque(blocks[-max(WINDOWS) :])
        self._sums = np.stack([blocks[-length:].sum(axis=0) for length in WINDOWS])

    def _slide(self) -> None:
        for place, length in enumerate(WINDOWS):
            self._sums[place] += self._blocks[-1] - self._blocks[-1 - length]
        self._blocks.popleft()

    def _judge(self, learned: Learned, end: BlockEnd) -> list[Excess]:
        events = self._sums[..., 0, :].sum(axis=-1)
        enough = events >= self._settings.events_min
        if not enough.any():
            return []
        values = index_of(learned.shares, _shares(self._sums))
        thresholds = self._thresholds(learned) + surge_allowance(end.surge)
        over = (values > thresholds) & enough[..., np.newaxis]
        return [
            Excess(column, group, float(values[at]), float(thresholds[at]), WINDOWS[place])
            for at in zip(*(index.tolist() for index in np.nonzero(over)), strict=True)
            for place, group, column in (at,)
        ]

    def _thresholds(self, learned: Learned) -> Floats:
        """[windows, R, C]: the convention's limit or the χ² threshold, whichever is more, above what was learned."""
        settings = self._settings
        events = np.maximum(self._sums[..., 0, :].sum(axis=-1), 1)[..., np.newaxis]
        filled = np.count_nonzero((self._sums > 0) | (learned.shares > 0), axis=-1)
        by_chance = self._quantiles[np.maximum(filled - 1, 1) - 1] * (1 / np.maximum(learned.events, 1) + 1 / events)
        lag = min(LAG_WEEKS_MAX, (self._closed - settings.burn_in_blocks / 2) / BLOCKS_PER_WEEK)
        taught = learned.spread[-1] * max(1.0, lag) ** AGEING
        limits = np.full((len(WINDOWS), self._rows, 1), settings.limit_short)
        limits[-1, 0] = settings.limit_week
        spread = np.stack([taught + learned.spread[0], taught])
        return np.asarray(np.maximum(limits, by_chance) + settings.margin * spread)
