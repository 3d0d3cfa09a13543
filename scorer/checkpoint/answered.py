"""What was answered already: known again after a restart, so that nothing is answered twice."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.decision import Outcome, Path


class Decided(msgspec.Struct, frozen=True):
    """The little of a decision that says how its event was answered."""

    event_id: str
    outcome: Outcome
    path: Path = "model"
    emitted_ns: int = 0


class _Explained(msgspec.Struct, frozen=True):
    event_id: str


class _Alert(msgspec.Struct, frozen=True):
    alert_id: str


class _Letter(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    offset: int


class Answered:
    """Decisions, explanations, raw alerts and dead letters that are out. A decision or explanation is asked for once
    and then forgotten."""

    def __init__(self) -> None:
        self._decisions: defaultdict[str, list[Decided]] = defaultdict(list)
        self._explained: Counter[str] = Counter()
        self._alerts: set[str] = set()
        self._letters: set[tuple[str, int, int]] = set()
        self._decode_decision = msgspec.json.Decoder(Decided).decode
        self._decode_explained = msgspec.json.Decoder(_Explained).decode
        self._decode_alert = msgspec.json.Decoder(_Alert).decode
        self._decode_letter = msgspec.json.Decoder(_Letter).decode

    def __len__(self) -> int:
        return len(self._decisions)

    def __bool__(self) -> bool:
        """Whether anything that was said to an event is known."""
        return bool(self._decisions or self._explained or self._alerts)

    def decision(self, event_id: str) -> Decided | None:
        """How an event was decided; None when it was not."""
        found = self._decisions.get(event_id)
        if not found:
            return None
        decided = found.pop(0)
        if not found:
            del self._decisions[event_id]
        return decided

    def explained(self, event_id: str) -> bool:
        """Whether a decision was explained."""
        if not self._explained[event_id]:
            return False
        self._explained[event_id] -= 1
        return True

    def raised(self, alert_id: str) -> bool:
        """Whether a raw alert is out."""
        return alert_id in self._alerts

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the message at this place was put on the dead-letter topic."""
        return (topic, partition, offset) in self._letters

    def clear(self) -> None:
        """All that was read back is behind us."""
        self._decisions.clear()
        self._explained.clear()
        self._alerts.clear()
        self._letters.clear()

    def add_decision(self, value: bytes) -> None:
        """Take a message of the decisions' topic."""
        decided = self._decode_decision(value)
        self._decisions[decided.event_id].append(decided)

    def add_explanation(self, value: bytes) -> None:
        """Take a message of the explanations' topic."""
        self._explained[self._decode_explained(value).event_id] += 1

    def add_alert(self, value: bytes) -> None:
        """Take a message of the alerts' topic."""
        self._alerts.add(self._decode_alert(value).alert_id)

    def add_letter(self, value: bytes) -> None:
        """Take a message of the dead-letter topic."""
        letter = self._decode_letter(value)
        self._letters.add((letter.topic, letter.partition, letter.offset))


@dataclass(frozen=True, slots=True)
class Sifted:
    """Rows of a micro-batch by what is still to be said: `undecided`; and `unexplained` of those that are decided, with
    the instants at which their decisions were emitted. The rest is done."""

    undecided: NDArray[np.intp]
    unexplained: NDArray[np.intp]
    emitted_ns: Sequence[int]


def sift(answered: Answered, event_ids: Sequence[str], rows: Sequence[int], explain: str) -> Sifted:
    """Tell these rows apart. `explain` says whose scores are explained (`scorer.options.EXPLAIN`)."""
    undecided, unexplained, emitted = [], [], []
    for row in rows:
        decided = answered.decision(event_ids[row])
        if decided is None:
            undecided.append(row)
            continue
        told = explain == "all" or (explain == "flagged" and decided.outcome != "approve")
        if told and decided.path == "model" and not answered.explained(event_ids[row]):
            unexplained.append(row)
            emitted.append(decided.emitted_ns)
    return Sifted(np.array(undecided, np.intp), np.array(unexplained, np.intp), emitted)
