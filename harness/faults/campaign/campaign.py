"""Carries out one scenario after the other, keeps what is known after each of them, and tells it at the end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from harness.faults.campaign.figures import problems, short_table
from harness.faults.campaign.ready import Ready
from harness.faults.campaign.trial import Trial
from harness.report.terminal import drawn
from harness.run import Finished, Outside, RunOptions, carry_out
from harness.steps import Steps
from streams.errors import RiskbenchError

FAULTS_FILE, FAULTS_PAGE = "faults.json", "faults.html"
CarryOut = Callable[[RunOptions, Steps, Outside], Finished]


@dataclass(frozen=True, slots=True)
class Campaign:
    """Where runs go and who hears of them; `options` are of every run, but for its scenario."""

    folder: Path
    options: RunOptions
    outside: Outside
    console: Console
    carry_out: CarryOut = carry_out

    def run(self, chosen: Sequence[Ready], setting_line: str, known: Mapping[str, Trial] | None = None) -> list[Trial]:
        """One after the other; after each, all that is known is in the folder. A trial that is `known` by its name
        stands as it is."""
        trials: list[Trial] = []
        for place, each in enumerate(chosen, start=1):
            self.console.print(Text(f"\n{place}/{len(chosen)}  {each.name}: {each.about}", style="bold"))
            before = (known or {}).get(each.name)
            if before is not None:
                self.console.print("  passed before")
            trials.append(before or self._try(each))
            for reason in trials[-1].reasons:
                self.console.print(f"  - {reason}", highlight=False, soft_wrap=True)
            self._save(trials, setting_line)
        return trials

    def _try(self, each: Ready) -> Trial:
        if each.without is not None:
            return Trial(each.name, each.about, "left out", [each.without])
        options = replace(self.options, scenario=each.scenario, out=self.folder)
        try:
            finished = self.carry_out(options, Steps(self.console), self.outside)
        except RiskbenchError as error:
            return Trial(each.name, each.about, "failed", [str(error)])
        verdict = finished.results.verdict
        return Trial(each.name, each.about, verdict.status, verdict.reasons, finished.folder, finished.results)

    def _save(self, trials: Sequence[Trial], setting_line: str) -> None:
        from harness.faults.campaign.page import page_of  # noqa: PLC0415 - its plotting library is slow to import

        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"trials": [as_values(trial) for trial in trials]}, indent=2)
        (self.folder / FAULTS_FILE).write_text(content + "\n", encoding="utf-8")
        (self.folder / FAULTS_PAGE).write_text(page_of(trials, self.folder, setting_line), encoding="utf-8")


def as_values(trial: Trial) -> dict[str, Any]:
    """A trial as faults.json has it."""
    return {
        "scenario": trial.name,
        "status": trial.standing,
        "reasons": trial.reasons,
        "run": trial.folder.name if trial.folder else None,
        "faults": [msgspec.to_builtins(fault) for fault in trial.faults],
    }


def tell(trials: Sequence[Trial], console: Console) -> None:
    """The table and what did not pass."""
    console.print()
    console.print(drawn(short_table(trials)))
    for name, reason in problems(trials):
        console.print(f"  - {name}: {reason}", highlight=False, soft_wrap=True)
