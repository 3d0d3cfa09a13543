"""Large arrays of which little is written between two copies: a mark for every few rows says what a copy has already.

Who writes to a row sets the mark of its group to 0; who copies the group sets it to 1. So a copy is brought up to date
by what was written since, and most of that may be copied beforehand, a little at a time: what is written again after
that is copied again.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.features.batch import Int64s, UInt8s
from models.features.room import roomy
from models.graph.kernel.layout import GROUP_BITS
from streams.kernels.compiled import compiled

GROUP = 1 << GROUP_BITS
"""Rows that one mark stands for. So many of whatever width are whole words of eight bytes, and are copied as such."""
WORD = 8
"""Marks that are looked at in one go."""
ALL_COPIED = np.uint64(0x0101010101010101)

UInt64s = npt.NDArray[np.uint64]


def marks_for(rows: int) -> UInt8s:
    """Marks for at least so many rows, whole words of them, of which none is copied; memory is taken as they are."""
    return roomy(-(-rows // (GROUP * WORD)) * WORD, 1, np.uint8).reshape(-1)


def note_written(copied: UInt8s, first: int, end: int) -> None:
    """Say that rows [first, end) were written to."""
    if first < end:
        copied[first >> GROUP_BITS : ((end - 1) >> GROUP_BITS) + 1] = 0


class Followed(NamedTuple):
    """Arrays by name, as long as each other, row by row about the same, and their marks: `copied` uint8 (`marks_for`),
    1 where all rows of a group stand in the copy as they are.

    There is one copy only. Rows behind the last whole group have no mark: they are copied every time.
    """

    arrays: Mapping[str, npt.NDArray[Any]]
    copied: UInt8s

    @property
    def groups(self) -> int:
        """Whole groups of rows."""
        return len(next(iter(self.arrays.values()))) >> GROUP_BITS

    def forget(self) -> None:
        """There is no copy any more: everything is to be copied."""
        self.copied[: self.groups] = 0

    def copy_groups(self, copies: Mapping[str, npt.NDArray[Any]], first: int, most: int) -> int:
        """Copy up to `most` groups, from group `first` on, that `copies` (of the same names and shapes) have not got;
        returns the group to go on from."""
        found = np.empty(most, np.int64)
        count, after = _claim(self.copied, self.copied.view(np.uint64), first, self.groups, found)
        if count:
            for name, array in self.arrays.items():
                _copy(_by_group(array, self.groups), _by_group(copies[name], self.groups), found[:count])
        return after

    def copy_rest(self, copies: Mapping[str, npt.NDArray[Any]]) -> None:
        """Copy the rows behind the last whole group."""
        first = self.groups * GROUP
        for name, array in self.arrays.items():
            copies[name][first:] = array[first:]


def _by_group(array: npt.NDArray[Any], groups: int) -> UInt64s:
    """The whole groups of an array's rows, each as a row of words."""
    width = GROUP * math.prod(array.shape[1:])
    return array[: groups * GROUP].reshape(groups, width).view(np.uint64)


@compiled
def _claim(copied: UInt8s, words: UInt64s, first: int, end: int, found: Int64s) -> tuple[int, int]:
    """Fill `found` with the groups in [first, end) that are not marked as copied, and mark them: how many they are, and
    the group after the last one looked at. `words` are the same marks, eight at a time."""
    count, group = 0, first
    while group < end and count < len(found):
        if group % WORD == 0 and words[group // WORD] == ALL_COPIED:
            group += WORD
            continue
        if copied[group] == 0:
            copied[group] = 1
            found[count] = group
            count += 1
        group += 1
    return count, min(group, end)


@compiled
def _copy(source: UInt64s, target: UInt64s, groups: Int64s) -> None:
    for place in range(len(groups)):
        group = groups[place]
        for word in range(source.shape[1]):
            target[group, word] = source[group, word]
