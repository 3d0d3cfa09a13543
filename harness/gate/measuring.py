"""Rounds of runs: base, head and base again by turns, each metric collected from the runs' results."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.gate.builds import Build, run_bench
from harness.gate.regression import ORDERS, Rounds
from streams.errors import RunInvalidError

VALID_CODES = (0, 1, 3)
ATTEMPTS = 3
"""Tries to get one valid run: a load that could not be sent on time says nothing about the scorer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One valid run: which side it was of, its round, its metrics, its folder."""

    side: str
    round: int
    metrics: Mapping[str, float]
    folder: str


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


def measure_once(build: Build, options: Sequence[str], out: Path, timeout_s: float) -> tuple[Mapping[str, Any], Path]:
    """One run of a build, with the options of `bench run`; its results.json and its folder."""
    before = set(out.glob("*")) if out.is_dir() else set()
    run_bench(build, ["run", *options, "--out", str(out), "--no-report"], timeout_s, codes=VALID_CODES)
    made = [folder for folder in out.glob("*") if folder not in before and (folder / "results.json").is_file()]
    if len(made) != 1:
        raise RunInvalidError(f"{build.name}: bench run left {len(made)} finished run folders in {out}, not one")
    results: Mapping[str, Any] = json.loads((made[0] / "results.json").read_bytes())
    return results, made[0]


class Turns:
    """Takes the turns. `run(build, number)` measures a build once; `tell` hears of every run."""

    def __init__(
        self,
        base: Build,
        head: Build,
        run: Callable[[Build], tuple[Mapping[str, Any], Path]],
        tell: Callable[[str], None],
    ) -> None:
        self._builds = {"base": base, "head": head, "again": base}
        self._run, self._tell = run, tell
        self.measured = Measurements()

    def play(self, first: int, last: int) -> Measurements:
        """Rounds `first` … `last` (from 0, `last` excluded), after those played before."""
        for number in range(first, last):
            for side in ORDERS[number % len(ORDERS)]:
                self.measured.turns.append(self._valid(side, number, last))
        return self.measured

    def _valid(self, side: str, number: int, last: int) -> Turn:
        build = self._builds[side]
        for _ in range(ATTEMPTS):
            results, folder = self._run(build)
            status = results["verdict"]["status"]
            metrics = metrics_of(results)
            line = ", ".join(f"{name} {value:.3g} ms" for name, value in metrics.items() if name == "response P99")
            self._tell(f"round {number + 1} of {last}: {side} ({build.name}) {line or '–'}, {status}")
            if status != "invalid":
                return Turn(side, number, metrics, str(folder))
            self.measured.invalid += 1
        raise RunInvalidError(
            f"{ATTEMPTS} runs of {side} ({build.name}) in a row were invalid: "
            f"{'; '.join(results['verdict']['reasons'])}"
        )
