"""Counts of binned values in windows of event time: what watches shares and what watches means are made of.

Bins are fitted on the stream's first events, or are those given while these fill them alike. Blocks of event time are
counted apart; the burn-in's blocks teach what is usual, later ones are judged in sliding windows of whole days.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.drift.batch import BlockEnd
from harness.drift.kernel import BinTable, Counts
from harness.drift.season import CALENDAR, HOURS
from harness.drift.settings import BLOCKS_PER_WEEK, Settings
from harness.drift.volume import LULL_MAX
from streams.reference_bins import ReferenceBins, psi, shares

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Excess:
    """A quantity above its threshold: of which column and group (0: all), in a window of how many blocks."""

    column: int
    group: int
    value: float
    threshold: float
    blocks: int


def excesses(
    values: npt.NDArray[np.float64],
    thresholds: npt.NDArray[np.float64],
    is_judged: npt.NDArray[np.bool_],
    windows: Sequence[int],
) -> list[Excess]:
    """Every value [windows, 1 + G, C] above its threshold that `is_judged`; `windows` are their lengths in blocks."""
    over = np.nonzero((values > thresholds) & is_judged)
    return [
        Excess(column, group, float(values[place, group, column]), float(thresholds[place, group, column]), length)
        for place, group, column in zip(*(index.tolist() for index in over), strict=True)
        for length in (windows[place],)
    ]


def with_all(counts: Counts) -> Counts:
    """The row of the ungrouped replaced by that of all."""
    whole = counts.copy()
    whole[0] = counts.sum(axis=0)
    return whole


class CountsWatch:
    """Counts C columns in all groups; a subclass learns from the burn-in's blocks and judges windows of `WINDOWS`
    blocks (the longest last). After a day that lacks events, calendar features are judged by whole weeks only."""

    WINDOWS: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self, columns: Sequence[str], groups: int, given: Mapping[str, Mapping[str, Any]], settings: Settings
    ) -> None:
        self._columns = tuple(columns)
        self._is_calendar = np.array([name in CALENDAR for name in columns], np.bool_)
        self._counts_events = np.array([name not in HOURS for name in columns], np.float64)
        self._rows = groups + 1
        self._given = given
        self._settings = settings
        self._sample: list[tuple[int, Floats, npt.NDArray[np.int64]]] = []
        self._sampled = 0
        self._bins: tuple[ReferenceBins, ...] = ()
        self._table: BinTable | None = None
        self._counts: Counts = np.zeros((0, 0, 0), np.int64)
        self._blocks: deque[Counts] = deque()
        self._closed = 0
        self._sums: Counts = np.zeros((0, 0, 0, 0), np.int64)
        self._is_taught = False

    def learn(self, blocks: Counts) -> None:
        """From the burn-in's blocks, int64 [blocks, 1 + G, C, B]; row 0 is all."""
        raise NotImplementedError

    def judge(self, sums: Counts, end: BlockEnd) -> list[Excess]:
        """What of the windows' counts, int64 [windows, 1 + G, C, B], is above its threshold."""
        raise NotImplementedError

    def take(self, values: Floats, group: npt.NDArray[np.int16]) -> None:
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
        """The present block is over: everything above its threshold, once the burn-in is over."""
        self._closed += 1
        if self._table is None:
            if self._closed < self._settings.burn_in_blocks or self._sampled < self._settings.events_min:
                return []
            self._fit()
        else:
            self._blocks.append(with_all(self._counts))
            self._counts = np.zeros_like(self._counts)
        if not self._is_taught:
            if self._closed >= self._settings.burn_in_blocks:
                self._end_burn_in()
            return []
        for place, length in enumerate(self.WINDOWS):
            self._sums[place] += self._blocks[-1] - self._blocks[-1 - length]
        self._blocks.popleft()
        found = self.judge(self._sums, end)
        if end.lull >= LULL_MAX:
            return found
        return [each for each in found if each.blocks >= BLOCKS_PER_WEEK or not self._is_calendar[each.column]]

    @property
    def lag_weeks(self) -> float:
        """Weeks from the middle of the burn-in to now."""
        return (self._closed - self._settings.burn_in_blocks / 2) / BLOCKS_PER_WEEK

    def allowed(self, by_volume: float) -> Floats:
        """What the volume may move each column by, float64 [C]: of a busy day the hours are those of any other."""
        return self._counts_events * by_volume

    def _fit(self) -> None:
        """Fit the bins and count what was kept back, in the blocks it came in."""
        sample = np.concatenate([values for _, values, _ in self._sample])
        self._bins = tuple(self._bins_of(name, sample[:, place]) for place, name in enumerate(self._columns))
        self._table = BinTable.of(self._bins)
        shape = (self._rows, len(self._bins), self._table.size)
        until = [np.zeros(shape, np.int64) for _ in range(self._closed + 1)]
        for block, values, rows in self._sample:
            self._table.count_into(until[block], values, rows)
        self._blocks.extend(with_all(counts) for counts in until[:-1])
        self._counts = until[-1]
        self._sample = []

    def _bins_of(self, name: str, values: Floats) -> ReferenceBins:
        if name in self._given:
            given = ReferenceBins.from_dict(self._given[name])
            if psi(given.shares, shares(given.count(values))) <= self._settings.limit_short:
                return given
        return ReferenceBins.fit(values)

    def _end_burn_in(self) -> None:
        blocks = np.stack(self._blocks)
        self.learn(blocks)
        self._is_taught = True
        self._blocks = deque(blocks[-max(self.WINDOWS) :])
        self._sums = np.stack([blocks[-length:].sum(axis=0) for length in self.WINDOWS])
