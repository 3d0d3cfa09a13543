"""The decisions of a micro-batch, as objects or in words."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from rules.pack import APPROVE, RulePack
from scorer.clock import ClockNs
from scorer.judgement import BY_MODEL
from scorer.words.columns import Columns, kinds_of, spelled, written
from scorer.words.decided import Decided
from scorer.words.kernel import said
from scorer.words.written import Written
from streams.codec import encode_decision
from streams.decision import OUTCOMES, PATHS, Decision

FEW = 8
"""Fewer decisions are encoded one by one: a call of the kernel takes as long as half a dozen of them."""
_FLOAT32 = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Speaker:
    """What all decisions of a pipeline say, and the pack that tells why: of all of them (`tells_all`), or of those that
    do not approve."""

    pack: RulePack
    model_version: str
    worker: str
    tells_all: bool


class Answers:
    """The decisions of a micro-batch that was taken at `taken_ns`."""

    def __init__(self, decided: Decided, speaker: Speaker, taken_ns: int) -> None:
        judged = decided.judged
        self._decided, self._speaker, self._taken_ns = decided, speaker, taken_ns
        self._score, self._margin = judged.score.tolist(), judged.margin.tolist()
        self._outcome, self._path = judged.outcome.tolist(), judged.path.tolist()
        self._values = np.ascontiguousarray(decided.values, _FLOAT32)
        self._models = decided.models()

    def __len__(self) -> int:
        return len(self._score)

    def decisions(self, clock_ns: ClockNs) -> Generator[Decision, None, list[int]]:
        """One by one, each emitted when it is asked for; returns when each was."""
        emitted: list[int] = []
        for row in range(len(self)):
            emitted_ns = clock_ns()
            emitted.append(emitted_ns)
            yield self._decision(row, emitted_ns)
        return emitted

    def written(self, low: int, high: int, clock_ns: ClockNs) -> Written:
        """Those of the rows from `low` to `high`, which are emitted together: the clock is read when their numbers are
        in words, before all is put together."""
        columns = self._columns(slice(low, high)) if high - low >= FEW and self._mostly_alike else None
        parts = None if columns is None else spelled(columns)
        emitted_ns = clock_ns()
        if columns is None or parts is None:
            values = [encode_decision(self._decision(row, emitted_ns)) for row in range(low, high)]
            return Written(self._decided.ids[low:high], values, emitted_ns)
        values = written(columns, parts, self._rest(emitted_ns))
        for row in self._explained(low, high):
            values[row - low] = encode_decision(self._decision(row, emitted_ns))
        return Written(columns.ids, values, emitted_ns)

    def _explained(self, low: int, high: int) -> list[int]:
        """The rows that say why; where all approve, which is usual, nothing is looked for."""
        if self._outcome[low:high].count(APPROVE) == high - low:
            return []
        found: list[int] = (np.flatnonzero(self._decided.judged.outcome[low:high] != APPROVE) + low).tolist()
        return found

    @property
    def _mostly_alike(self) -> bool:
        """Whether most rows say nothing but numbers: neither reasons nor whose model decided."""
        return self._models is None and not self._speaker.tells_all

    def _columns(self, rows: slice) -> Columns:
        decided = self._decided
        kinds = kinds_of(decided.judged.outcome[rows], decided.judged.path[rows])
        features = self._values[rows].view(np.uint8)
        return Columns(decided.ids[rows], self._score[rows], self._margin[rows], kinds, features)

    def _decision(self, row: int, emitted_ns: int) -> Decision:
        decided, speaker, path, outcome = self._decided, self._speaker, self._path[row], self._outcome[row]
        told = speaker.tells_all or outcome != APPROVE
        model_version, shadow = (speaker.model_version, None) if self._models is None else self._models[row]
        return Decision(
            event_id=decided.ids[row],
            outcome=OUTCOMES[outcome - 1],
            score=self._score[row],
            path=PATHS[path],
            reasons=speaker.pack.reasons(decided.verdicts.fired[row], decided.values[row]) if told else [],
            margin=self._margin[row] if path == BY_MODEL else None,
            rules_version=speaker.pack.version,
            model_version=model_version,
            worker=speaker.worker,
            taken_ns=self._taken_ns,
            emitted_ns=emitted_ns,
            stages_ns=decided.stages,
            features=self._values[row].tobytes(),
            shadow=shadow,
        )

    def _rest(self, emitted_ns: int) -> bytes:
        """What all decisions say that say nothing of their own, up to their features."""
        speaker = self._speaker
        said_of_all = said(
            rules_version=speaker.pack.version,
            model_version=speaker.model_version,
            worker=speaker.worker,
            taken_ns=self._taken_ns,
            emitted_ns=emitted_ns,
            stages_ns=self._decided.stages,
            features=b"",
        )
        return said_of_all[:-1].encode()
