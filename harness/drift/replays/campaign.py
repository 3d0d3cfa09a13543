"""Replays one known drift after the other, keeps what is known after each of them, and tells it at the end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.text import Text

from harness.drift.replays.judging import judge_run
from harness.drift.replays.ready import Ready
from harness.drift.replays.replayed import Replayed, write_replayed
from harness.faults.campaign.again import agrees
from harness.results import read_results
from harness.run import Finished, Outside, RunOptions, carry_out
from harness.runfolder import MARKER
from harness.scenario import Scenario
from harness.steps import Steps
from streams.errors import BadInputError, RiskbenchError

DRIFTS_FILE, DRIFTS_PAGE = "drifts.json", "drifts.html"
Standing = Literal["pass", "fail", "failed"]
CarryOut = Callable[[RunOptions, Steps, Outside], Finished]
Judge = Callable[[Path, Scenario, str, Path], Replayed]


@dataclass(frozen=True, slots=True)
class Trial:
    """One scenario with one set of seeds. `failed`: it could not be carried out, `reason` says why."""

    ready: Ready
    found: Replayed | None = None
    folder: Path | None = None
    reason: str = ""

    @property
    def standing(self) -> Standing:
        """`pass`: a drift was noticed, a control raised nothing."""
        if self.found is None:
            return "failed"
        return "pass" if self.found.holds else "fail"


def exit_code(trials: Sequence[Trial]) -> int:
    """0 when every drift was noticed and no control raised an alarm."""
    return 0 if trials and all(trial.standing == "pass" for trial in trials) else 1


@dataclass(frozen=True, slots=True)
class Campaign:
    """Where runs go and who hears of them; `options` are of every run, but for its scenario."""

    folder: Path
    options: RunOptions
    outside: Outside
    console: Console
    carry_out: CarryOut = carry_out
    judge: Judge = judge_run

    def run(self, chosen: Sequence[Ready], setting_line: str, known: Mapping[str, Path] | None = None) -> list[Trial]:
        """One after the other; after each, all that is known is in the folder. The runs that are `known`, by title, are
        watched again, not made again."""
        trials: list[Trial] = []
        for place, each in enumerate(chosen, start=1):
            self.console.print(Text(f"\n{place}/{len(chosen)}  {each.title}: {each.about}", style="bold"))
            trials.append(self._try(each, (known or {}).get(each.title)))
            self._say(trials[-1])
            self._save(trials, setting_line)
        return trials

    def _try(self, each: Ready, run: Path | None) -> Trial:
        options = replace(self.options, scenario=each.scenario, out=self.folder)
        try:
            folder = run or self.carry_out(options, Steps(self.console), self.outside).folder
            with Steps(self.console).step("Watching its decisions, and holding the alarms against the truth"):
                found = self.judge(folder, each.scenario, each.about, self.options.cache)
        except RiskbenchError as error:
            return Trial(each, reason=str(error))
        write_replayed(found, folder)
        return Trial(each, found, folder)

    def _say(self, trial: Trial) -> None:
        told = trial.reason if trial.found is None else trial.found.in_words
        self.console.print(f"  {trial.standing}: {told}", highlight=False, soft_wrap=True, markup=False)

    def _save(self, trials: Sequence[Trial], setting_line: str) -> None:
        from harness.drift.replays.page import page_of  # noqa: PLC0415 - its plotting library is slow to import

        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"setting": setting_line, "trials": [as_values(trial) for trial in trials]}, indent=2)
        (self.folder / DRIFTS_FILE).write_text(content + "\n", encoding="utf-8")
        (self.folder / DRIFTS_PAGE).write_text(page_of(trials, self.folder, setting_line), encoding="utf-8")


def as_values(trial: Trial) -> dict[str, Any]:
    """A trial as drifts.json has it."""
    return {
        "scenario": trial.ready.name,
        "turn": trial.ready.turn,
        "status": trial.standing,
        "reason": trial.reason,
        "run": trial.folder.name if trial.folder else None,
        "found": None if trial.found is None else msgspec.to_builtins(trial.found),
    }


def runs_of(folder: Path, chosen: Sequence[Ready]) -> dict[str, Path]:
    """The finished runs in an earlier campaign's folder, by title: of the very scenario that would be run now. Raises
    BadInputError when there is no such folder."""
    if not folder.is_dir():
        raise BadInputError(f"--again {folder}: no such folder; name one of bench replay --all")
    runs = [(run, config) for run in sorted(folder.iterdir()) if (config := _config(run)) is not None]
    wanted = [(each.title, each.scenario.model_dump(mode="json")) for each in chosen]
    return {title: run for title, now in wanted for run, then in runs if agrees(then, now)}


def _config(run: Path) -> Mapping[str, Any] | None:
    """The scenario of a finished run; None for any other folder or file."""
    if (run / MARKER).exists():
        return None
    try:
        return read_results(run / "results.json").config
    except (OSError, msgspec.DecodeError):
        return None
