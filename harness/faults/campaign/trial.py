"""One scenario of a campaign, carried out: its results, or why there are none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.results import FaultResults, Results

Standing = Literal["pass", "fail", "invalid", "failed", "left out"]


@dataclass(frozen=True, slots=True)
class Trial:
    """`failed`: the run could not be carried out, `reasons` say why; `left out`: this broker cannot have the fault."""

    name: str
    about: str
    standing: Standing
    reasons: list[str]
    folder: Path | None = None
    results: Results | None = None

    @property
    def faults(self) -> list[FaultResults]:
        """What came of its faults."""
        return self.results.faults if self.results is not None else []


def exit_code(trials: list[Trial]) -> int:
    """1 when any that was not left out did not pass, or when none was carried out."""
    carried = [trial for trial in trials if trial.standing != "left out"]
    return 0 if carried and all(trial.standing == "pass" for trial in carried) else 1
