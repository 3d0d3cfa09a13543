"""Parts of a checkpoint made from a random stream."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.features.batch import FeatureBlock
from models.features.state import FeatureState
from scorer.checkpoint.chain import Part, PartitionFiles
from scorer.checkpoint.changes import CARD, RECENT_KINDS, Numbers, renumbered
from scorer.checkpoint.cutting import Cutting
from scorer.checkpoint.epochs import Identity, Progress
from scorer.checkpoint.writing import PartitionWriter
from streams.transaction import CardTransaction
from tests.unit.models.features.streams import VOCABULARY

IDENTITY = Identity("run.events", "run.scorer", "fraud-1", "f00d", "empty")
PARTITION = 3


def files_in(folder: Path, identity: Identity = IDENTITY, partition: int = PARTITION) -> PartitionFiles:
    return PartitionFiles(folder, identity, partition)


def follow(state: FeatureState, cutting: Cutting, events: Sequence[CardTransaction]) -> FeatureBlock:
    """Take events in as an engine does."""
    batch = state.code_events(events)
    cutting.before(batch.card)
    found = state.compute(batch)
    cutting.touched(batch.card, np.full(len(batch), PARTITION, np.int32))
    return found


def cut_all(cutting: Cutting, chunk: int = 3) -> None:
    while not cutting.copy(chunk):
        pass


def written(folder: Path, events: Sequence[CardTransaction], every: int) -> FeatureState:
    """Take the events in and write a part after each `every` of them; the state at the end."""
    state = FeatureState.empty(VOCABULARY)
    cutting = Cutting(state)
    writer = PartitionWriter(files_in(folder), state, None, np.zeros(0, np.int32))
    for start in range(0, len(events), every):
        end = min(start + every, len(events))
        follow(state, cutting, events[start:end])
        cutting.begin()
        cut_all(cutting)
        writer.write(cutting.take(), Progress(end, {("run.decisions", 0): end}))
    return state


def restored(part: Part | None) -> FeatureState:
    """A state of its own codes that holds what the part holds."""
    state = FeatureState.empty(VOCABULARY)
    for kind in (CARD, *RECENT_KINDS):
        state.codes_of(kind, ["somebody", "else"])
    if part is not None:
        names = part.changes.names
        codes = {kind: Numbers(state.codes_of(kind, names[kind])) for kind in RECENT_KINDS}
        cards = state.codes_of(CARD, names[CARD])
        state.put_cards(cards[part.changes.numbers], renumbered(part.changes.rows, codes))
    return state
