"""Keeps a worker's checkpoints while it decides, and takes partitions over with the state they had."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.features.batch import Int32s, Vocabulary
from models.features.card_rows import CardRows
from models.features.state import FeatureState
from scorer.checkpoint.answered import Answered
from scorer.checkpoint.chain import Part, PartitionFiles
from scorer.checkpoint.changes import CARD, RECENT_KINDS, Numbers, renumbered
from scorer.checkpoint.cutting import Cutting
from scorer.checkpoint.epochs import Identity, Position, Progress
from scorer.checkpoint.read_back import ReadBack
from scorer.checkpoint.writing import CheckpointWriter, Cut, PartitionWriter
from scorer.clock import ClockNs
from scorer.counters import Counters
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

CARDS_PER_STEP = 128
"""Cards copied between two micro-batches."""
NO_CARDS = np.zeros(0, np.int32)
"""Of a micro-batch without events."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Where checkpoints are, what they belong to, how often one is made."""

    directory: Path
    identity: Identity
    every_s: float


@dataclass(slots=True)
class _Cutting:
    """A cut under way, made at the instant `begin_ns`."""

    progress: dict[int, Progress]
    begin_ns: int
    copied: bool = False
    acknowledged: bool = False

    def acknowledge(self) -> None:
        self.acknowledged = True


class Checkpoints:
    """A worker's checkpoints; all of it is called by the thread that decides, or while that waits.

    A checkpoint of a partition holds the cards that its events have changed since the warm state, the offset of the
    next event, and where the answers to the events from there on begin in the answers' topics. It is written only when
    all answers to the events in it were acknowledged by the broker.
    """

    def __init__(
        self,
        keep: Keep,
        state: FeatureState,
        warm_state: Callable[[], FeatureState | None],
        read_back: ReadBack,
        counters: Counters,
        clock_ns: ClockNs,
    ) -> None:
        self.answered = Answered()
        self._keep = keep
        self._state = state
        self._warm_state = warm_state
        self._warm_cards = state.cards
        self._read_back = read_back
        self._counters = counters
        self._clock_ns = clock_ns
        self._cutting = Cutting(state)
        self._writer = CheckpointWriter(counters, clock_ns)
        self._cut: _Cutting | None = None
        self._next: dict[int, int] = {}
        self._cut_at: dict[int, int] = {}
        self._replaying: dict[int, int] = {}
        self._begins: dict[Position, int] = {}
        self._held: dict[int, tuple[int, int] | None] = {}
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
        """Tell what an engine knows: where its acknowledged answers end (the next offset by topic and partition), and
        how to be called when all that was handed over until now is acknowledged."""
        self._reached, self._when_acknowledged = reached, when_acknowledged

    def start(self) -> None:
        """Begin to write; what is compiled is loaded now, so that no event has to wait for it."""
        self._counters.checkpoint_current_ns = self._clock_ns()
        rehearse_copying(self._state.vocabulary)
        self._writer.start()

    def close(self) -> None:
        """End the writing thread, once what it has is written."""
        self._writer.close()

    def restore(self, partitions: Iterable[int]) -> dict[int, int]:
        """Take partitions over: their cards into the state, what was answered already to `answered`; the offsets to
        read them from.

        Raises `BadInputError` for a checkpoint of something else, `BrokerError` when the broker does not answer.
        """
        chosen = sorted(partitions)
        self._writer.wait()
        self._lost = False
        edges = self._read_back.event_edges()
        parts = {partition: self._files(partition).read() for partition in chosen}
        self._next = {each: self._start(each, parts[each], edges[each]) for each in chosen}
        self._cut_at = dict(self._next)
        for partition, part in parts.items():
            self._take_over(partition, part)
        self._begins = _earliest(list(parts.values()))
        self.answered.clear()
        self._replaying = {each: edges[each][1] for each in chosen if self._next[each] < edges[each][1]}
        if self._replaying:
            self._read_back.into(self.answered, self._begins)
            told = ", ".join(f"{each}: {self._next[each]}–{end}" for each, end in self._replaying.items())
            log.info("replaying partitions %s; %d events are decided already", told, len(self.answered))
        return dict(self._next)

    @property
    def busy(self) -> bool:
        """Whether a checkpoint is being made."""
        return self._cut is not None or not self._writer.idle

    def expects(self, partition: int, offset: int) -> bool:
        """Whether the message at this place is one that the state has not taken in yet."""
        return offset >= self._next.get(partition, offset + 1)

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the message at this place was put on the dead-letter topic already."""
        return self.answered.lettered(topic, partition, offset)

    def before(self, cards: Int32s) -> None:
        """The state is about to take in events of these cards."""
        self._cutting.before(cards)

    def took(self, cards: Int32s, places: Sequence[int], partitions: Sequence[int], offsets: Sequence[int]) -> None:
        """It has. Of the messages taken, `partitions` and `offsets` say whence each came (in the order of the offsets);
        the events are those at `places`, of these cards."""
        if partitions and partitions.count(partitions[0]) == len(partitions):  # mostly: then nothing is looked at twice
            whence = np.full(len(places), partitions[0], np.int32)
            self._next[partitions[0]] = offsets[-1] + 1
        else:
            whence = np.array(partitions, np.int32)[places]
            self._next.update((at, offset + 1) for at, offset in dict(zip(partitions, offsets, strict=True)).items())
        self._cutting.touched(cards, whence)
        if self._replaying:
            self._replaying = {each: end for each, end in self._replaying.items() if self._next[each] < end}
            if not self._replaying:
                self.answered.clear()

    def step(self) -> None:
        """Between micro-batches: a little work on the cut under way, or a new one when it is time."""
        self._count_written()
        cut = self._cut
        if self._lost:
            return
        if cut is None:
            if self._clock_ns() >= self._due_ns and self._writer.idle:
                self._begin()
        elif not cut.copied:
            begin_ns = self._clock_ns()
            cut.copied = self._cutting.copy(CARDS_PER_STEP)
            pause_ns = self._clock_ns() - begin_ns
            self._counters.checkpoint_pause_ns_max = max(self._counters.checkpoint_pause_ns_max, pause_ns)
        elif cut.acknowledged:
            self._submit(cut)

    def lose(self) -> None:
        """The partitions went to another worker unseen: nothing more of them is written, and what the state holds of
        them is not what they will be taken over with."""
        self._lost = True
        self._held.clear()
        self._abandon()

    def finish(self, serve: Callable[[], object]) -> None:
        """Before partitions are given up, everything being acknowledged: write what has changed, and wait for it.

        `serve` lets the engine tell what is acknowledged.
        """
        if self._lost:
            return
        for _ in range(2):  # the cut under way, and what came after it
            self._count_written()
            if self._cut is None and not self._begin():
                break
            serve()
            if not self._complete():
                return
        self._count_written()
        if self._writer.idle and self._counters.checkpoint_failed == 0:
            self._held |= {partition: writer.newest for partition, writer in self._writer.writers.items()}

    def give_up(self, partitions: Iterable[int]) -> None:
        """These partitions are no longer this worker's."""
        self._writer.wait()
        self._abandon()
        for partition in partitions:
            self._next.pop(partition, None)
            self._replaying.pop(partition, None)
            self._writer.writers.pop(partition, None)

    def _files(self, partition: int) -> PartitionFiles:
        return PartitionFiles(self._keep.directory, self._keep.identity, partition, self._count_refused)

    def _count_refused(self) -> None:
        self._counters.checkpoint_refused += 1

    def _start(self, partition: int, part: Part | None, edges: tuple[int, int]) -> int:
        low, high = edges
        if part is None:
            return low
        offset = part.progress.offset
        if offset > high:
            raise BadInputError(
                f"the checkpoint of partition {partition} in {self._keep.directory} is at offset {offset}, but the "
                f"topic {self._keep.identity.topic} ends at {high}: it is not the stream that it was made of; "
                "start with another --checkpoint-dir"
            )
        if offset < low:
            log.error("partition %d: events %d–%d are no longer kept by the broker", partition, offset, low - 1)
        return max(offset, low)

    def _take_over(self, partition: int, part: Part | None) -> None:
        newest = None if part is None else (part.epoch, part.number)
        unchanged = partition in self._held and self._held.pop(partition) == newest
        if not unchanged:
            self._reset(self._cutting.cards_of(partition))
        cards = NO_CARDS
        if part is not None:
            cards = self._state.codes_of(CARD, part.changes.names[CARD])
            if not unchanged:
                self._put(cards, part)
            self._cutting.own(cards, partition)
            self._counters.restored += 1
            log.info("partition %d: %d cards restored, at offset %d", partition, len(cards), part.progress.offset)
        self._writer.writers[partition] = PartitionWriter(self._files(partition), self._state, part, cards)

    def _put(self, cards: Int32s, part: Part) -> None:
        names = part.changes.names
        codes = {kind: Numbers(self._state.codes_of(kind, names[kind])) for kind in RECENT_KINDS}
        self._state.put_cards(cards[part.changes.numbers], renumbered(part.changes.rows, codes))

    def _reset(self, cards: Int32s) -> None:
        """Put cards back to the warm state: what this worker knew of them may not be what their checkpoint knows."""
        if len(cards) == 0:
            return
        self._cutting.forget(cards)
        known = cards[cards < self._warm_cards]
        new = cards[cards >= self._warm_cards]
        self._state.put_cards(new, CardRows.none(len(new)))
        warm = self._warm_state() if len(known) else None
        if warm is not None:  # its codes are ours: this state began as a copy of it
            self._state.put_cards(known, warm.take_cards(known))

    def _begin(self) -> bool:
        """Begin a cut; False when there is nothing new."""
        now_ns = self._clock_ns()
        self._due_ns = now_ns + self._every_ns
        moved = {each: at for each, at in self._next.items() if at != self._cut_at.get(each)}
        if not moved:
            self._counters.checkpoint_current_ns = now_ns
            return False
        self._cut_at |= moved
        answered = dict(self._begins)
        if not self._replaying:
            for position, offset in self._reached().items():
                answered[position] = max(offset, answered.get(position, 0))
        self._cut = _Cutting({each: Progress(at, answered) for each, at in moved.items()}, now_ns)
        self._cutting.begin()
        self._when_acknowledged(self._cut.acknowledge)
        return True

    def _submit(self, cut: _Cutting) -> None:
        self._cut = None
        self._writer.submit(Cut(self._cutting.take(), cut.progress, cut.begin_ns))

    def _complete(self) -> bool:
        """Finish the cut under way at once; False, said in the log, when its answers are not all acknowledged."""
        cut = self._cut
        if cut is None:
            return True
        while not self._cutting.copy(CARDS_PER_STEP):
            pass
        if not cut.acknowledged:
            log.error("answers were not all acknowledged: the checkpoint before counts")
            self._abandon()
            return False
        self._writer.wait()
        self._submit(cut)
        return self._writer.wait()

    def _abandon(self) -> None:
        """Give the cut under way up; its cards belong to the next one."""
        cut = self._cut
        if cut is None:
            return
        self._cut = None
        while not self._cutting.copy(CARDS_PER_STEP):
            pass
        self._cutting.put_back(self._cutting.take())
        for partition in cut.progress:
            self._cut_at.pop(partition, None)

    def _count_written(self) -> None:
        failed = self._writer.failed()
        if failed:
            self._counters.checkpoint_failed += sum(len(part.codes) for part in failed)
            self._cutting.put_back(failed)
            self._cut_at.clear()


def rehearse_copying(vocabulary: Vocabulary) -> None:
    """Copy a card of a scratch state and put it back, so that what is compiled for it is loaded."""
    state = FeatureState.empty(vocabulary)
    cards = state.codes_of(CARD, ["rehearsal"])
    cutting = Cutting(state)
    cutting.touched(cards, np.zeros(1, np.int32))
    cutting.begin()
    cutting.before(cards)
    while not cutting.copy(1):
        pass
    for copied in cutting.take():
        state.put_cards(copied.codes, copied.rows)


def _earliest(parts: Sequence[Part | None]) -> dict[Position, int]:
    """The places from which on all answers stand to the events that these parts do not hold."""
    if any(part is None for part in parts):
        return {}
    held = [part.progress.answered for part in parts if part is not None]
    named = set.intersection(*(set(answered) for answered in held)) if held else set()
    return {position: min(answered[position] for answered in held) for position in named}
