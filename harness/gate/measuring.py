"""Rounds of runs: base, head and base again, together or by turns, each metric collected from the runs' results."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.gate.builds import Build, begin_bench, end_bench
from harness.gate.regression import ORDERS, Rounds
from harness.processes import Family
from streams.errors import RunInvalidError

VALID_CODES = (0, 1, 3)
ATTEMPTS = 3
"""Tries to get one valid run: a load that could not be sent on time says nothing about the scorer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: which side it was of, its round, its metrics, its folder, its verdict's status and reasons."""

    side: str
    round: int
    metrics: Mapping[str, float]
    folder: str
    status: str = "pass"
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Measurements:
    """The valid runs so far and how many were invalid."""

    turns: list[Turn] = field(default_factory=list)
    invalid: int = 0

    def rounds(self) -> dict[str, Rounds]:
        """Every metric that all runs have, by round."""
        shared = set.intersection(*(set(turn.metrics) for turn in self.turns)) if self.turns else set()
        return {
            name: Rounds(**{side: self._values(name, side) for side in ("base", "head", "again")})
            for name in sorted(shared)
            if all(turn.metrics[name] > 0 for turn in self.turns)
        }

    def _values(self, name: str, side: str) -> tuple[float, ...]:
        return tuple(turn.metrics[name] for turn in self.turns if turn.side == side)


def metrics_of(results: Mapping[str, Any]) -> dict[str, float]:
    """What is compared of a results.json: percentiles of response and service, and each stage's median, in ms."""
    latency = results["latency_ms"]
    wanted = [("response", "p50"), ("response", "p99"), ("service", "p50"), ("service", "p99")]
    found = {f"{part} {q.upper()}": latency[part][q] for part, q in wanted}
    found |= {f"stage {name} P50": stage["p50"] for name, stage in latency["stages"].items()}
    return {name: float(value) for name, value in found.items() if value is not None}


Result = tuple[Mapping[str, Any], Path]
"""A run's results.json and its folder."""
Begin = Callable[[Build, str], Callable[[], Result]]
"""Begins a run of a build, as one side of a round; what it returns waits for the run's end."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Makes runs with the same options of `bench run`, as processes of `family`, each side in a folder of its own."""

    options: Sequence[str]
    out: Path
    family: Family
    timeout_s: float

    def begin(self, build: Build, side: str) -> Callable[[], Result]:
        """Start a run. What is returned raises RunInvalidError when the run did not come to its end."""
        out = self.out / side
        out.mkdir(parents=True, exist_ok=True)
        before = set(out.iterdir())
        arguments = ["run", *self.options, "--out", str(out), "--no-report"]
        child = begin_bench(build, arguments, self.family, self.out / f"{side}.log")

        def end() -> Result:
            end_bench(child, self.family, self.timeout_s, VALID_CODES)
            made = [folder for folder in out.iterdir() if folder not in before and (folder / "results.json").is_file()]
            if len(made) != 1:
                raise RunInvalidError(
                    f"{build.name}: bench run left {len(made)} finished run folders in {out}, not one"
                )
            return json.loads((made[0] / "results.json").read_bytes()), made[0]

        return end


class Turns:
    """Plays the rounds. `tell` hears of every run.

    `together`: the three runs of a round are made at the same time, so that whatever the machine does meanwhile, it
    does to all of them. Else one after the other, where they would be in each other's way. Either way the order in
    which they begin changes from round to round.
    """

    def __init__(self, base: Build, head: Build, begin: Begin, tell: Callable[[str], None], *, together: bool) -> None:
        self._builds = {"base": base, "head": head, "again": base}
        self._begin, self._tell, self._together = begin, tell, together
        self.measured = Measurements()

    def rehearse(self) -> None:
        """One round that does not count: what a build makes once (model, state, compiled code) is in the cache then,
        and costs none of the runs that count."""
        for turn in self._all(ORDERS[0], -1):
            self._tell(f"rehearsal: {self._words(turn)}")

    def play(self, first: int, last: int) -> Measurements:
        """Rounds `first` … `last` (from 0, `last` excluded), after those played before."""
        for number in range(first, last):
            self.measured.turns += self._valid(ORDERS[number % len(ORDERS)], number, last)
        return self.measured

    def _valid(self, order: Sequence[str], number: int, last: int) -> list[Turn]:
        """A round of valid runs: of those made together all are repeated, of the others the invalid one."""
        if self._together:
            return self._tried(order, number, last)
        return [turn for side in order for turn in self._tried((side,), number, last)]

    def _tried(self, sides: Sequence[str], number: int, last: int) -> list[Turn]:
        for _ in range(ATTEMPTS):
            turns = self._all(sides, number)
            for turn in turns:
                self._tell(f"round {number + 1} of {last}: {self._words(turn)}")
            late = [turn for turn in turns if turn.status == "invalid"]
            if not late:
                return turns
            self.measured.invalid += len(late)
        raise RunInvalidError(
            f"{ATTEMPTS} runs of {late[0].side} ({self._builds[late[0].side].name}) in a row were invalid: "
            f"{'; '.join(late[0].reasons)}"
        )

    def _all(self, sides: Sequence[str], number: int) -> list[Turn]:
        if self._together:
            begun = [(side, self._begin(self._builds[side], side)) for side in sides]
            return [self._turn(side, number, end) for side, end in begun]
        return [self._turn(side, number, self._begin(self._builds[side], side)) for side in sides]

    def _turn(self, side: str, number: int, end: Callable[[], Result]) -> Turn:
        results, folder = end()
        verdict = results["verdict"]
        return Turn(side, number, metrics_of(results), str(folder), verdict["status"], tuple(verdict["reasons"]))

    def _words(self, turn: Turn) -> str:
        p99 = turn.metrics.get("response P99")
        shown = "–" if p99 is None else f"response P99 {p99:.3g} ms"
        return f"{turn.side} ({self._builds[turn.side].name}) {shown}, {turn.status}"
