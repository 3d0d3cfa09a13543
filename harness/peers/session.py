"""All turns of a comparison, from the first to what is said of them; kept on disk after every turn."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from harness.peers.climb import TRIES, Climb, Ladder, turns
from harness.peers.contenders import REFERENCE, Contender
from harness.peers.sameness import agreement, read_decided
from harness.peers.turn import Stage, Turn
from harness.runfolder import RunFolder

PEERS_FILE = "peers.json"


@dataclass(slots=True)
class Session:
    """Plays the turns of the contenders, of whom the first is the reference. `absent` says of peers why they could not
    be started at all; `tell` hears of every turn."""

    contenders: Sequence[Contender]
    absent: Mapping[str, str]
    ladder: Ladder
    folder: RunFolder
    setting: Mapping[str, Any]
    tell: Callable[[Turn, float], None]
    clock: Callable[[], float]
    climbs: list[Climb] = field(init=False)
    turns: list[Turn] = field(default_factory=list)
    complete: bool = False
    _reference: pa.Table = None

    def __post_init__(self) -> None:
        self.climbs = [Climb(self.ladder) for _ in self.contenders]

    def play(self, stage: Stage) -> None:
        """Every turn there is. Who breaks off in the first two is given up."""
        for number, (place, rate_per_s) in enumerate(turns(self.climbs), start=1):
            begun = self.clock()
            contender, climb = self.contenders[place], self.climbs[place]
            turn, decisions = stage.play(contender, rate_per_s, number)
            if decisions is not None:
                turn = self._compared(contender, turn, decisions)
                decisions.unlink()
            self.turns.append(turn)
            climb.record(rate_per_s, held=turn.held, by_far=stage.is_far(turn))
            climb.given_up = self._never_ran(contender)
            self.tell(turn, self.clock() - begun)
            self.save()
        self.complete = True
        self.save()

    def _never_ran(self, contender: Contender) -> bool:
        mine = [turn for turn in self.turns if turn.contender == contender.name]
        return len(mine) >= TRIES and all(turn.p99_ms is None for turn in mine)

    def _compared(self, contender: Contender, turn: Turn, decisions: Path) -> Turn:
        """With the reference's decisions of the same events: of its longest stream so far."""
        if contender.kind == "floor":
            return turn
        decided = read_decided(decisions)
        if self._reference is None and contender.name != REFERENCE:
            return turn
        found = agreement(decided if self._reference is None else self._reference, decided)
        if contender.name == REFERENCE and (self._reference is None or len(decided) > len(self._reference)):
            self._reference = decided
        why = turn.why
        if found.differing:
            why = f"{found.differing:,} of {found.compared:,} decisions differ from the reference's; {found.first}"
        return replace(turn, compared=found.compared, differing=found.differing, why=why)

    def content(self) -> dict[str, Any]:
        """peers.json."""
        return {
            "schema_version": 1,
            "complete": self.complete,
            "setting": dict(self.setting),
            "contenders": [
                {
                    "name": contender.name,
                    "title": contender.title,
                    "kind": contender.kind,
                    "version": contender.version,
                    "capacity_per_s": climb.capacity_per_s,
                    "at_least": climb.capacity_per_s is not None and climb.not_held_per_s is None,
                    "not_held_per_s": climb.not_held_per_s,
                    "compared": sum(turn.compared for turn in self._of(contender)),
                    "differing": sum(turn.differing for turn in self._of(contender)),
                }
                for contender, climb in zip(self.contenders, self.climbs, strict=True)
            ],
            "absent": dict(self.absent),
            "turns": [turn.to_dict() for turn in self.turns],
        }

    def _of(self, contender: Contender) -> list[Turn]:
        return [turn for turn in self.turns if turn.contender == contender.name]

    def save(self) -> None:
        """Write down what is known by now."""
        self.folder.write(PEERS_FILE, json.dumps(self.content(), indent=2) + "\n")
