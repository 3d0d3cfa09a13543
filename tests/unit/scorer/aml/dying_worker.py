"""A worker for transfers on a broker made of lists, which may die at any instant."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rules.typologies.pack import TypologyPack
from scorer.aml.keeping import TransferCheckpoints
from scorer.aml.state_files import TransferState
from scorer.aml.whole_files import Whole
from scorer.checkpoint.answered import Answered
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Keep
from scorer.explaining import Scored
from streams.codec import encode
from streams.transfer import Transfer
from streams.worlds.aml.world import AmlTables
from tests.unit.scorer.aml.test_pipeline import pipeline

TOPIC, DECISIONS, ALERTS = "run.transfers", ("run.decisions", 0), ("run.alerts", 0)
EXPLANATIONS = ("run.explanations", 0)
IDENTITY = Identity(TOPIC, "run.scorer", "m", "f00d", "empty")
EVERY_NS = 3_000_000_000


class Log:
    """Transfers, and the answers' topics as a broker keeps them."""

    def __init__(self, transfers: list[Transfer]) -> None:
        self.transfers = transfers
        self.topics: dict[tuple[str, int], list[Any]] = {DECISIONS: [], EXPLANATIONS: [], ALERTS: []}

    def append(self, at: tuple[str, int], said: Any) -> int:
        self.topics[at].append(said)
        return len(self.topics[at])

    def event_edges(self) -> dict[int, tuple[int, int]]:
        return {0: (0, len(self.transfers))}

    def into(self, answered: Answered, begins: Mapping[tuple[str, int], int]) -> None:
        takes = (answered.add_decision, answered.add_explanation, answered.add_alert)
        for at, add in zip(self.topics, takes, strict=True):
            for said in self.topics[at][begins.get(at, 0) :]:
                add(encode(said))


class Explained(msgspec.Struct, frozen=True):
    event_id: str


class Worker:
    """Decides as the engine does; its answers reach the broker when `deliver` is called."""

    def __init__(self, folder: Path, log: Log, tables: AmlTables, pack: TypologyPack) -> None:
        self.log, self.reached = log, dict[tuple[str, int], int]()
        self.flying: deque[Any] = deque()
        self.pipeline = pipeline(tables, pack)
        self.counters = self.pipeline.counters
        ticks = iter(range(0, 10**15, 1_000_000_000))

        def restored(whole: Whole | None) -> TransferState:
            if whole is not None:
                return TransferState.restore(whole.settings, whole.arrays, pack, tables.accounts)
            parts = pipeline(tables, pack).parts
            return TransferState(parts.state, parts.ledger, parts.raiser, tables.accounts)

        keep = Keep(folder, IDENTITY, EVERY_NS / 1e9)
        nothing: Any = log
        self.checkpoints = TransferCheckpoints(
            keep, self.pipeline, restored, nothing, self.counters, lambda: next(ticks)
        )
        self.checkpoints.connect(lambda: self.reached, self.flying.append)
        self.pipeline.leave_out(self.checkpoints.answered)
        self.pipeline.explain_by(self)
        self.at = 0

    def submit(self, rows: Scored) -> None:
        """Explained once the decisions of the batch are on their way."""
        self.flying.extend((EXPLANATIONS, Explained(event_id)) for event_id in rows.event_ids)

    def take_over(self) -> None:
        self.at = self.checkpoints.restore([0])[0]

    def deliver(self, count: int) -> None:
        while self.flying and count > 0:
            found = self.flying.popleft()
            if callable(found):
                found()
                continue
            at, said = found
            self.reached[at] = self.log.append(at, said)
            count -= 1

    def decide(self, most: int) -> None:
        batch = self.log.transfers[self.at : self.at + most]
        if not batch:
            return
        answers = self.pipeline.answer(batch, 0)
        self.flying.extend((ALERTS, alert) for alert in answers.alerts)
        for decision in answers.decisions:
            self.flying.append((DECISIONS, decision))
        self.at += len(batch)
        self.checkpoints.took(self.at)

    def hand_over(self) -> None:
        self.deliver(10**6)
        self.checkpoints.finish(lambda: self.deliver(10**6))
        self.checkpoints.give_up([0])

    def die(self, delivered: int, rng: np.random.Generator | None = None) -> None:
        """What is in flight arrives in order within a topic, and in none between topics."""
        self.deliver(delivered)
        sent = [found for found in self.flying if not callable(found)]
        for at in self.log.topics if rng is not None else ():
            of_topic = [said for where, said in sent if where == at]
            for said in of_topic[: 0 if rng is None else int(rng.integers(len(of_topic) + 1))]:
                self.log.append(at, said)
        self.checkpoints.close()
        self.pipeline.evening.close()
