"""Writes cuts to disk on a thread of its own, one at a time."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.features.batch import Int32s
from models.features.card_rows import CardRows, joined
from models.features.state import FeatureState
from scorer.checkpoint.chain import Part, PartitionFiles
from scorer.checkpoint.changes import CARD, KINDS, RECENT_KINDS, Changes, Numbers, renumbered
from scorer.checkpoint.cutting import Copied
from scorer.checkpoint.epochs import Progress
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.giving_way import give_way

log = logging.getLogger("riskbench.scorer")

MERGE_ROWS_MIN = 4_096
"""Parts are put together when they hold more cards than the whole before them, and than this."""
WRITE_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What is to be written: copies of cards, and how far each partition had come at the instant `cut_ns`."""

    copied: list[Copied]
    progress: Mapping[int, Progress]
    cut_ns: int


class PartitionWriter:
    """Writes one partition's parts, in an epoch of its own."""

    def __init__(self, files: PartitionFiles, state: FeatureState, follows: Part | None, cards: Int32s) -> None:
        """`cards` are the codes of the cards of `follows`, in the order of their numbers."""
        self._files = files
        self._state = state
        self._numbers = {kind: Numbers() for kind in KINDS}
        if follows is not None:
            self._numbers[CARD] = Numbers.given(cards)
            for kind in RECENT_KINDS:
                self._numbers[kind] = Numbers.given(state.codes_of(kind, follows.changes.names[kind]))
        self._epoch = files.begin_epoch(follows)
        self._number = 0
        self._follows = None if follows is None else (follows.epoch, follows.number)
        self._whole_rows = 0 if follows is None else len(follows.changes.numbers)
        self._since_rows = 0

    @property
    def bytes_written(self) -> int:
        """Of all files so far."""
        return self._files.bytes_written

    @property
    def newest(self) -> tuple[int, int] | None:
        """Epoch and number of the newest part there is; None when there is none."""
        return (self._epoch, self._number) if self._number else self._follows

    def write(self, copied: Sequence[Copied], progress: Progress) -> None:
        """Write the next part; and all in one file when the parts have become many. Raises `OSError`."""
        codes = np.concatenate([np.zeros(0, np.int32), *(part.codes for part in copied)])
        rows = joined([part.rows for part in copied])
        first = {kind: numbers.count for kind, numbers in self._numbers.items()}
        new = {kind: self._number_new(kind, codes if kind == CARD else _used(kind, rows)) for kind in KINDS}
        changes = Changes(self._numbers[CARD].of(codes), renumbered(rows, self._numbers), first, new)
        try:
            self._files.write(Part(self._epoch, self._number + 1, progress, changes))
        except OSError:
            for kind, numbers in self._numbers.items():
                numbers.take_back(first[kind])
            raise
        self._number += 1
        self._since_rows += len(codes)
        if self._since_rows > max(self._whole_rows, MERGE_ROWS_MIN):
            whole = self._files.write_whole(self._epoch, self._number)
            self._whole_rows, self._since_rows = self._since_rows if whole is None else whole, 0

    def _number_new(self, kind: str, codes: Int32s) -> list[str]:
        new = self._numbers[kind].new_among(codes)
        self._numbers[kind].give(new)
        return self._state.names_of(kind, new)


class CheckpointWriter:
    """The writing thread, which counts what it writes. `writers` by partition; they may be changed by others only while
    nothing is being written."""

    def __init__(self, counters: Counters, clock_ns: ClockNs) -> None:
        self.writers: dict[int, PartitionWriter] = {}
        self._counters = counters
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._cut: Cut | None = None
        self._failed: list[Copied] = []
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, once what it has is written."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=WRITE_LIMIT_S)

    @property
    def idle(self) -> bool:
        """Whether nothing is being written."""
        return self._cut is None

    def submit(self, cut: Cut) -> None:
        """Hand over a cut; nothing must be being written."""
        with self._changed:
            self._cut = cut
            self._changed.notify_all()

    def wait(self, limit_s: float = WRITE_LIMIT_S) -> bool:
        """Wait until idle; False, with an error in the log, when that takes longer."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._cut is None, limit_s)
        if not done:
            log.error("a checkpoint was not written within %g s", limit_s)
        return done

    def failed(self) -> list[Copied]:
        """Copies that could not be written, since the last call."""
        if not self._failed:
            return []
        failed, self._failed = self._failed, []
        return failed

    def _run(self) -> None:
        give_way()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._cut is not None or self._ending)
                cut = self._cut
            if cut is None:
                return
            self._write(cut)
            with self._changed:
                self._cut = None
                self._changed.notify_all()

    def _write(self, cut: Cut) -> None:
        counters, whole = self._counters, True
        for partition, progress in cut.progress.items():
            copied = [part for part in (_of_partition(part, partition) for part in cut.copied) if len(part.codes)]
            writer = self.writers.get(partition)
            if writer is None:
                continue
            before = writer.bytes_written
            try:
                writer.write(copied, progress)
                counters.checkpoints += 1
            except Exception as error:  # a full disk must not end the decisions
                words = "the checkpoint of partition %d could not be written: %s; the one before counts"
                log.error(words, partition, error)
                self._failed = [*self._failed, *copied]
                whole = False
            counters.checkpoint_bytes += writer.bytes_written - before
            time.sleep(0)  # whoever decides goes first
        if whole:
            counters.checkpoint_times.observe(self._clock_ns() - cut.cut_ns)
            counters.checkpoint_current_ns = cut.cut_ns


def _used(kind: str, rows: CardRows) -> Int32s:
    count, start, end = RECENT_KINDS[kind]
    return rows.recent[:, start:end][np.arange(end - start) < rows.cards[:, count][:, None]]


def _of_partition(copied: Copied, partition: int) -> Copied:
    mine = np.flatnonzero(copied.partitions == partition)
    if len(mine) == len(copied.codes):
        return copied
    return Copied(copied.codes[mine], copied.partitions[mine], copied.rows.chosen(mine))
