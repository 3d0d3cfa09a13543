"""Keeps the checkpoints of a worker for transfers while it decides, and takes the stream over with the state it had."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

from numpy.typing import NDArray

from models.features.snapshot import PIECE_BYTES
from models.graph.followed import Followed
from scorer.aml.copies import Copies
from scorer.aml.state_files import TransferState
from scorer.aml.whole_files import PARTITION, Whole, WholeFiles
from scorer.checkpoint.answered import Answered
from scorer.checkpoint.epochs import Position, Progress
from scorer.checkpoint.keeping import Keep
from scorer.checkpoint.read_back import ReadBack
from scorer.checkpoint.writing import WRITE_LIMIT_S
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.giving_way import give_way
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

PAUSES_APART = 200
"""The next cut comes no sooner than so many times the pause of the one before: the larger a state, the rarer they are,
and no more than one transfer in 200 meets one."""

AHEAD_S = 1.0
"""For so long before a cut is due, what was written since the last one is copied ahead. Longer would copy more of it
twice: what is written again."""
AHEAD_GROUPS = 256
"""Groups of rows copied ahead between two micro-batches, which takes 0.1 ms. A hundred times in that second are
enough for all that 20,000 transfers have written to."""

REST_S, REST_S_MAX = 0.004, 0.02
"""After each mebibyte of a file, which takes some 2 ms: two thirds of a processor at least are left to others
meanwhile, and of a small state nine tenths."""
WRITTEN_OVER = 0.5
"""So much of the time between two cuts a file may take to be written: what else runs then is held up a little for long
rather than much for a moment."""


def rest_between(size_bytes: int, every_s: float) -> float:
    """The rest (s) after each piece of a file of this size, where one is due every `every_s` seconds."""
    pieces = 1 + size_bytes // PIECE_BYTES
    return max(REST_S, min(WRITTEN_OVER * every_s / pieces, REST_S_MAX))


class Holder(Protocol):
    """Holds the state of the stream (`scorer.aml.pipeline.TransferPipeline`)."""

    @property
    def busy(self) -> bool:
        """Whether something is being done beside it that belongs into the state."""

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The state at this instant (`scorer.aml.state_files.snapshot_of`); waits while `busy`."""

    def followed(self) -> Sequence[Followed]:
        """Those arrays of `snapshot` that tell what of them was written; costs nothing."""

    def begin_from(self, state: TransferState) -> None:
        """Go on from another state."""


@dataclass(slots=True, eq=False)
class _Cut:
    """A copy of the state that waits for the answers to what is in it."""

    whole: Whole
    begin_ns: int
    acknowledged: bool = False

    def acknowledge(self) -> None:
        self.acknowledged = True


class TransferCheckpoints:
    """A worker's checkpoints; all of it is called by the thread that decides, or while that waits (see
    `scorer.engines.keeping.Keeping`).

    A checkpoint holds the whole state, the offset of the next transfer, and where the answers to the transfers from
    there on begin in the answers' topics. It is cut between two micro-batches: what was written since the cut before is
    copied, most of it ahead, a little at a time. Another thread writes the copy when all answers to the transfers in it
    were acknowledged by the broker.
    """

    def __init__(
        self,
        keep: Keep,
        holder: Holder,
        restored: Callable[[Whole | None], TransferState],
        read_back: ReadBack,
        counters: Counters,
        clock_ns: ClockNs,
    ) -> None:
        """`restored` makes a state of a checkpoint's content or, for None, the one before the first transfer."""
        self.answered = Answered()
        self._keep = keep
        self._holder = holder
        self._restored = restored
        self._read_back = read_back
        self._counters = counters
        self._clock_ns = clock_ns
        self._files = WholeFiles(keep.directory, keep.identity, self._count_refused)
        self._copies = Copies()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint", initializer=give_way)
        self._writing: Future[bool] | None = None
        self._awaited = Event()
        self._cut: _Cut | None = None
        self._epoch, self._number = 0, 0
        self._next: int | None = None
        self._kept_at: int | None = None
        self._replay_end: int | None = None
        self._begins: Mapping[Position, int] = {}
        self._lost = False
        self._every_ns = round(keep.every_s * 1e9)
        self._due_ns = clock_ns() + self._every_ns
        self._reached: Callable[[], Mapping[Position, int]] = dict
        self._when_acknowledged: Callable[[Callable[[], None]], None] = lambda _: None

    def connect(
        self,
        reached: Callable[[], Mapping[Position, int]],
        when_acknowledged: Callable[[Callable[[], None]], None],
    ) -> None:
        """Take what an engine knows of acknowledgements."""
        self._reached, self._when_acknowledged = reached, when_acknowledged

    def close(self) -> None:
        """End the writing thread, once what it has is written."""
        self._pool.shutdown(wait=True)

    def restore(self, partitions: Iterable[int]) -> dict[int, int]:
        """Take the stream over: the state of its newest checkpoint, what was answered since to `answered`; the offset
        to read from.

        Raises `BadInputError` for a checkpoint of something else, `BrokerError` when the broker does not answer.
        """
        self._wait()
        self._lost = False
        if PARTITION not in partitions:
            return {}
        low, high = self._read_back.event_edges()[PARTITION]
        whole = self._files.read()
        self._next = self._kept_at = low if whole is None else self._start(whole.progress.offset, low, high)
        self._holder.begin_from(self._restored(whole))
        self._epoch, self._number = self._files.begin_epoch(whole), 0
        self._begins = {} if whole is None else whole.progress.answered
        if whole is not None:
            self._counters.restored += 1
            log.info("the state of transfers before offset %d is restored", self._next)
        self._copies.take(self._holder.snapshot()[1], self._holder.followed())  # so that the first cut finds its memory
        self.answered.clear()
        self._replay_end = high if self._next < high else None
        if self._replay_end is not None:
            self._read_back.into(self.answered, self._begins)
            log.info("replaying %d–%d; %d transfers are decided already", self._next, high, len(self.answered))
        self._counters.checkpoint_current_ns = self._clock_ns()
        return {PARTITION: self._next}

    def expects(self, partition: int, offset: int) -> bool:
        """Whether the message at this place is one that the state has not taken in yet."""
        return partition == PARTITION and self._next is not None and offset >= self._next

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the message at this place was put on the dead-letter topic already."""
        return self.answered.lettered(topic, partition, offset)

    def took(self, upto: int) -> None:
        """The state has taken in all messages before this offset."""
        self._next = upto
        if self._replay_end is not None and upto >= self._replay_end:
            self._replay_end = None
            self.answered.clear()

    def step(self) -> None:
        """Between micro-batches: a cut when it is time, a little of it ahead, or the next step of the one under way."""
        if self._lost or self._next is None or not self._idle:
            return
        if self._cut is None:
            now_ns = self._clock_ns()
            if now_ns >= self._due_ns and not self._holder.busy:
                self._begin()
            elif now_ns >= self._due_ns - AHEAD_S * 1e9:
                self._copies.copy_ahead(self._holder.followed(), AHEAD_GROUPS)
        elif self._cut.acknowledged:
            self._submit()

    def lose(self) -> None:
        """The stream went to another worker unseen: nothing more of it is written."""
        self._lost = True
        self._cut = None

    def finish(self, serve: Callable[[], object]) -> None:
        """Before the stream is given up, everything being acknowledged: write what has changed, and wait for it.
        `serve` lets the engine tell what is acknowledged."""
        if self._lost:
            return
        for _ in range(2):  # the cut under way, and what came after it
            self._wait()
            if self._cut is None and not self._begin():
                return
            serve()
            if self._cut is None or not self._cut.acknowledged:
                log.error("answers were not all acknowledged: the checkpoint before counts")
                return
            self._submit()
        self._wait()

    def give_up(self, partitions: Iterable[int]) -> None:
        """The stream is no longer this worker's."""
        self._wait()
        if PARTITION in partitions:
            self._cut = self._next = self._replay_end = None

    def _start(self, offset: int, low: int, high: int) -> int:
        if offset > high:
            raise BadInputError(
                f"the checkpoint in {self._keep.directory} is at offset {offset}, but the topic "
                f"{self._keep.identity.topic} ends at {high}: it is not the stream that it was made of; start with "
                "another --checkpoint-dir"
            )
        if offset < low:
            log.error("transfers %d–%d are no longer kept by the broker", offset, low - 1)
        return max(offset, low)

    def _begin(self) -> bool:
        """Copy what of the state is not copied yet; False when there is nothing new."""
        begin_ns = self._clock_ns()
        self._due_ns = begin_ns + self._every_ns
        if self._next is None or self._next == self._kept_at:
            self._counters.checkpoint_current_ns = begin_ns
            return False
        answered = dict(self._begins)
        if self._replay_end is None:
            for position, offset in self._reached().items():
                answered[position] = max(offset, answered.get(position, 0))
        settings, arrays = self._holder.snapshot()
        self._number += 1
        progress = Progress(self._next, answered)
        copies = self._copies.take(arrays, self._holder.followed())
        self._cut = _Cut(Whole(self._epoch, self._number, progress, settings, copies), begin_ns)
        self._kept_at = self._next
        self._when_acknowledged(self._cut.acknowledge)
        pause_ns = self._clock_ns() - begin_ns
        self._counters.checkpoint_pause_ns_max = max(self._counters.checkpoint_pause_ns_max, pause_ns)
        self._due_ns = begin_ns + max(self._every_ns, PAUSES_APART * pause_ns)
        return True

    def _submit(self) -> None:
        cut, self._cut = self._cut, None
        if cut is not None:
            self._writing = self._pool.submit(self._write, cut, self._copies)

    def _write(self, cut: _Cut, copies: Copies) -> bool:
        counters, before = self._counters, self._files.bytes_written
        rest_s = rest_between(sum(array.nbytes for array in cut.whole.arrays.values()), self._keep.every_s)
        try:
            # each rest leaves the processor to decisions, unless they wait for the file
            self._files.write(cut.whole, lambda: self._awaited.wait(rest_s))
        except Exception as error:  # a full disk must not end the decisions
            log.error("the checkpoint of transfers could not be written: %s; the one before counts", error)
            return False
        counters.checkpoints += 1
        counters.checkpoint_bytes += self._files.bytes_written - before
        counters.checkpoint_times.observe(self._clock_ns() - cut.begin_ns)
        counters.checkpoint_current_ns = cut.begin_ns
        copies.widen()
        return True

    @property
    def _idle(self) -> bool:
        """Whether nothing is being written; what could not be written is counted, and due again."""
        if self._writing is None:
            return True
        if not self._writing.done():
            return False
        if not self._writing.result():
            self._counters.checkpoint_failed += 1
            self._kept_at = None
        self._writing = None
        return True

    def _wait(self) -> None:
        if self._writing is not None:
            self._awaited.set()
            try:
                self._writing.exception(WRITE_LIMIT_S)
            except TimeoutError:
                log.error("a checkpoint was not written within %g s", WRITE_LIMIT_S)
                self._copies = Copies()  # what it is written from stays as it is
            self._awaited.clear()
        _ = self._idle

    def _count_refused(self) -> None:
        self._counters.checkpoint_refused += 1
