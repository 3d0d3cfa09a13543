"""Shares of bins in windows of event time against the stream's own burn-in, with thresholds that the burn-in taught.

A window of a stable stream differs from the burn-in by chance, by the time of day and week, by clusters (a card's
events come together), and by the past that features carry along (thirty days' windows, ages): the χ² threshold knows
only of chance. So the burn-in's own windows are held against the rest of it, and several times the most that was seen
goes on top of the limit; what two of its weeks differ by is taken to grow with the weeks since.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from harness.drift.batch import BlockEnd
from harness.drift.counts import CountsWatch, Excess, excesses
from harness.drift.kernel import Counts
from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK
from harness.drift.volume import surge_allowance

Floats = npt.NDArray[np.float64]
WINDOWS = (BLOCKS_PER_DAY, BLOCKS_PER_WEEK)
"""Whole days, so that no window lacks an hour of the day, and whole weeks, so that none lacks a weekday."""
AGEING = 1.5
"""What two weeks differ by grows with the weeks between them: as they do for what wanders (a random walk's variance),
as their square for what only ages; this is between."""
LAG_WEEKS_MAX = 8.0
"""From here on a threshold grows no further: what wanders in two weeks has come to its bounds."""


SHARE_MIN = 0.005
"""A smaller share counts as this: a bin that a few keys leave as they age, or come to, is no drift."""


def index_of(reference: Floats, window: Floats, least: float = SHARE_MIN) -> Floats:
    """PSI along the last axis of two arrays of shares; with `least` = EPSILON as `streams.reference_bins` has it."""
    before, now = np.maximum(reference, least), np.maximum(window, least)
    return np.asarray(((now - before) * np.log(now / before)).sum(axis=-1))


def _shares(counts: Counts) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))


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


class SharesWatch(CountsWatch):
    """Watches C columns in all groups. Bins are the given ones (of a bundle or a warm state) as long as the stream's
    first events fill them alike, else they are fitted on those."""

    WINDOWS: ClassVar[tuple[int, ...]] = WINDOWS
    learned: Learned | None = None
    """What the burn-in taught; None until it is over."""

    def learn(self, blocks: Counts) -> None:
        """Learn shares and their spread."""
        self.learned = Learned.from_blocks(blocks)
        chance = self._settings.chance(blocks.shape[2] * self._rows * len(WINDOWS))
        self._quantiles = np.asarray(chdtri(np.arange(1, blocks.shape[3] + 1), chance))

    def judge(self, sums: Counts, end: BlockEnd) -> list[Excess]:
        """Every index above its threshold."""
        learned = self.learned
        events = sums[..., 0, :].sum(axis=-1)
        enough = events >= self._settings.events_min
        if learned is None or not enough.any():
            return []
        values = index_of(learned.shares, _shares(sums))
        thresholds = self._thresholds(learned) + self.allowed(surge_allowance(end.surge))
        return excesses(values, thresholds, enough[..., np.newaxis], WINDOWS)

    def _thresholds(self, learned: Learned) -> Floats:
        """[windows, R, C]: the convention's limit or the χ² threshold, whichever is more, above what was learned."""
        settings = self._settings
        events = np.maximum(self._sums[..., 0, :].sum(axis=-1), 1)[..., np.newaxis]
        filled = np.count_nonzero((self._sums > 0) | (learned.shares > 0), axis=-1)
        by_chance = self._quantiles[np.maximum(filled - 1, 1) - 1] * (1 / np.maximum(learned.events, 1) + 1 / events)
        lag = min(LAG_WEEKS_MAX, self.lag_weeks)
        taught = learned.spread[-1] * max(1.0, lag) ** AGEING
        limits = np.full((len(WINDOWS), self._rows, 1), settings.limit_short)
        limits[-1, 0] = settings.limit_week
        spread = np.stack([taught + learned.spread[0], taught])
        return np.asarray(np.maximum(limits, by_chance) + settings.margin * spread)
