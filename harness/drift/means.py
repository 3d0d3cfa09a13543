"""Mean ranks of binned values in windows of event time: a small shift of everything, which no share shows by much.

A value's rank is its place among the burn-in's (0–1, of bins the middle), so that the mean is 0.5 at first whatever the
feature is measured in. What a window's mean may differ by is what the burn-in's days differed by, and what its weeks
did, carried on for as many weeks as lie between: what ages or wanders is no drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from harness.drift.batch import BlockEnd
from harness.drift.counts import CountsWatch, Excess, excesses
from harness.drift.kernel import Counts
from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK
from harness.drift.volume import rank_allowance
from streams.reference_bins import ReferenceBins

Floats = npt.NDArray[np.float64]
DAYS_PER_WEEK = BLOCKS_PER_WEEK // BLOCKS_PER_DAY
WINDOWS = (BLOCKS_PER_DAY, 3 * BLOCKS_PER_DAY, BLOCKS_PER_WEEK)
SHIFT_MIN = (0.12, 0.09, 0.06)
"""Of the mean rank, by window: in a week about a fifth of a spread, in less more; less does not matter."""
FEW_DAYS = 1.4
"""The spread of so few days may be found too small by about this factor."""
CLUSTERED = 1.5
"""Events of a card come together: days differ at least by so many times what independent events would."""
AMONG_GROUPS = 1.5
"""Two halves of a group's burn-in may agree by luck: times what those of all groups differ by in the mean."""
BEYOND_NOISE = 3.0
"""Halves differ by chance too: only what is more than so many times its variance is said of all groups."""
KEPT_MAX = 0.8
"""From here on too few days were seen to tell from a trend."""
LAG_MARGIN = 2.0
"""Times what the burn-in's two halves differed by, for every week that lies between."""


def ranks(bins: Sequence[ReferenceBins], counts: Counts) -> Floats:
    """Rank of each bin, float64 [..., C, B], by the shares that `counts` [..., C, B] give; NaN for that of missing
    values and for padding."""
    found = np.full(counts.shape, np.nan)
    for column, each in enumerate(bins):
        intervals = len(each.edges) + 1
        known = intervals + len(each.point_masses)
        ends = np.array([*each.edges, np.inf])
        # a point mass lies within its interval: in the middle of what is there, as far as bins can tell
        place = np.concatenate([2.0 * np.arange(intervals), 2.0 * np.searchsorted(ends, each.point_masses) + 1])
        order = np.argsort(place, kind="stable")
        held = counts[..., column, order].astype(np.float64)
        until = held.cumsum(axis=-1)
        found[..., column, order] = (until - held / 2) / np.maximum(until[..., -1:], 1)
        found[..., column, known:] = np.nan
    return found


def _kept_from_day_to_day(means: Floats) -> Floats:
    """Autocorrelation of daily means [days, ...] from one day to the next, 0 to `KEPT_MAX`: the mean of a week varies
    more where days resemble those before them."""
    apart = means - means.mean(axis=0)
    found = (apart[1:] * apart[:-1]).sum(axis=0) / np.maximum((apart**2).sum(axis=0), 1e-12)
    return np.asarray(np.clip(found, 0.0, KEPT_MAX))


@dataclass(frozen=True, slots=True)
class LearnedMeans:
    """What the burn-in taught of R groups and C columns: the `rank` of each bin [R, C, B] (0 where `is_known` is not
    so), `usual` means and `events` [R, C]; how far the mean of a single `day` lies from it, and that of a `week`'s day
    from the same weekday's; `wander`, what its halves differ by; and of how many `days`."""

    rank: Floats
    is_known: npt.NDArray[np.bool_]
    usual: Floats
    events: Counts
    day: Floats
    week: Floats
    wander: Floats
    days: int

    @classmethod
    def from_blocks(cls, bins: Sequence[ReferenceBins], blocks: Counts) -> "LearnedMeans":
        """From the counts of the burn-in's blocks, int64 [blocks, R, C, B]."""
        whole = blocks.sum(axis=0)
        rank = ranks(bins, whole)
        is_known, rank = ~np.isnan(rank), np.nan_to_num(rank)
        days = _whole_weeks(blocks)
        means, events = _means(days, rank, is_known)
        usual, learned = _means(whole, rank, is_known)
        variance = (whole * is_known * (rank - usual[..., np.newaxis]) ** 2).sum(axis=-1) / np.maximum(learned, 1)
        least = CLUSTERED**2 * variance / np.maximum(events.mean(axis=0), 1)
        half = len(days) // 2
        by_weekday = ((means[half : 2 * half] - means[:half]) ** 2 / 2).mean(axis=0)
        kept = _kept_from_day_to_day(means)
        held = np.sqrt((1 + kept) / (1 - kept))
        halves = [_means(part.sum(axis=0), rank, is_known)[0] for part in (days[:half], days[half : 2 * half])]
        return cls(
            rank=rank,
            is_known=is_known,
            usual=usual,
            events=learned,
            day=held * np.sqrt(np.maximum(means.var(axis=0, ddof=1), least)),
            week=held * np.sqrt(np.maximum(by_weekday, least)),
            wander=_wandered(means[: 2 * half], halves[1] - halves[0]),
            days=len(days),
        )

    def means(self, counts: Counts) -> tuple[Floats, Counts]:
        """Mean rank and number of the known values of counts [..., R, C, B]."""
        return _means(counts, self.rank, self.is_known)


def _whole_weeks(blocks: Counts) -> Counts:
    """Counts by day, int64 [days, R, C, B], of the last whole weeks of blocks that begin at midnight. Where events are
    few, bins come late, and the burn-in ends in the middle of a day."""
    count = len(blocks) // BLOCKS_PER_DAY
    days = blocks[: count * BLOCKS_PER_DAY].reshape(count, BLOCKS_PER_DAY, *blocks.shape[1:]).sum(axis=1)
    return np.asarray(days[count % DAYS_PER_WEEK :])


def _means(counts: Counts, rank: Floats, is_known: npt.NDArray[np.bool_]) -> tuple[Floats, Counts]:
    events = (counts * is_known).sum(axis=-1)
    return (counts * rank).sum(axis=-1) / np.maximum(events, 1), events


def _wandered(means: Floats, moved: Floats) -> Floats:
    """What the burn-in's halves differ by, [R, C], from its daily means [days, R, C] and how far the second half's mean
    lies from the first's."""
    half = len(means) // 2
    noise = (means[half:] - means[:half]).var(axis=0, ddof=1) / half
    beyond = np.sqrt(np.maximum(moved**2 - BEYOND_NOISE * noise, 0.0))
    # what happened to one group may happen to each
    return np.asarray(np.maximum(np.abs(moved), AMONG_GROUPS * np.sqrt((beyond**2).mean(axis=0))))


class MeansWatch(CountsWatch):
    """Watches the mean ranks of C columns in all groups."""

    WINDOWS: ClassVar[tuple[int, ...]] = WINDOWS
    learned: LearnedMeans | None = None
    """What the burn-in taught; None until it is over."""

    def learn(self, blocks: Counts) -> None:
        """Learn ranks, the days' spread, and what the weeks differ by."""
        self.learned = LearnedMeans.from_blocks(self._bins, blocks)
        watched = blocks.shape[1] * blocks.shape[2] * len(WINDOWS)
        self._z = -FEW_DAYS * float(ndtri(self._settings.chance(watched)))

    def judge(self, sums: Counts, end: BlockEnd) -> list[Excess]:
        """Every mean rank that left its bounds."""
        learned = self.learned
        if learned is None:
            return []
        means, events = learned.means(sums)
        enough = (events >= self._settings.events_min) & (learned.events >= self._settings.events_min)
        if not enough.any():
            return []
        thresholds = self._thresholds(learned) + self.allowed(rank_allowance(end.surge))
        shifts = np.abs(means - learned.usual)
        return excesses(shifts, thresholds, enough, WINDOWS)

    def _thresholds(self, learned: LearnedMeans) -> Floats:
        """[windows, R, C]: what matters at all, or may come by chance, whichever is more, above what was learned."""
        lengths = np.array(WINDOWS)[:, np.newaxis, np.newaxis] / BLOCKS_PER_DAY
        # whole weeks have every weekday once, less than a week lacks some
        spread = np.where(lengths < BLOCKS_PER_WEEK / BLOCKS_PER_DAY, learned.day, learned.week)
        by_chance = self._z * spread * np.sqrt(1 / lengths + 1 / learned.days)
        least = np.array(SHIFT_MIN)[:, np.newaxis, np.newaxis]
        return np.asarray(np.maximum(least, by_chance) + LAG_MARGIN * learned.wander * max(1.0, self.lag_weeks))
