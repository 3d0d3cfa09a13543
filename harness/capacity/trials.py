"""One fresh run a rate: same world, same model, its own broker, topics and processes; judged, told and kept."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from harness.capacity.search import Trial
from harness.capacity.trial import Point, broken_off, judge_trial
from harness.run import Outside, RunOptions, carry_out
from harness.scenario import Scenario
from harness.slo_option import LatencyLimit
from harness.steps import Say, Steps
from streams.errors import RunInvalidError

Resolve = Callable[[Mapping[str, Any]], Scenario]
"""The scenario with changes (by key path) put over it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every trial shares. `options` are a run's, its scenario that of the first rate; trials' folders lie in
    `options.out`."""

    resolve: Resolve
    options: RunOptions
    outside: Outside
    limit: LatencyLimit


class _UnderWay(Steps):
    """A run's steps in one line that is gone afterwards; warnings stay, each once."""

    def __init__(self, told: Console, title: str, status: Status, warned: set[str]) -> None:
        super().__init__(Console(quiet=True))
        self._told, self._title, self._status, self._warned = told, title, status, warned

    @contextmanager
    def step(self, title: str) -> Iterator[Say]:
        self._status.update(f"{self._title}: {title} …")
        yield lambda detail: self._status.update(f"{self._title}: {title}: {escape(detail)} …")
        self._status.update(f"{self._title} …")

    def warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            Steps(self._told).warn(text)


class Trials:
    """Carries out the runs of a search and keeps their points. After each one `tell` hears of it."""

    def __init__(self, setting: Setting, console: Console, tell: Callable[[Point], None]) -> None:
        self._setting, self._console, self._tell = setting, console, tell
        self._bundle: Path | None = None
        self._warned: set[str] = set()
        self.points: list[Point] = []
        self.engine = self.broker = ""

    def run(self, rate_per_s: float, run_of_rate: int) -> Trial:
        """Measure a rate and judge it. Every further run of a rate has the null scorer measured beside it, so that it
        can be said whose limit it was.

        Raises RiskbenchError when the very first run breaks off: then something is wrong that no rate will help.
        """
        begun = time.monotonic()
        title = f"{rate_per_s:,.0f} events/s"
        with self._console.status(f"{title} …") as status:
            point = self._measure(rate_per_s, run_of_rate > 1, _UnderWay(self._console, title, status, self._warned))
        point = replace(point, took_s=round(time.monotonic() - begun, 1))
        self.points.append(point)
        self._tell(point)
        return Trial(rate_per_s, point.held, point.reasons)

    def _measure(self, rate_per_s: float, floor: bool, steps: Steps) -> Point:
        setting = self._setting
        bundle = None if self._bundle is None else str(self._bundle)
        resolved = setting.resolve({"load.rate_per_s": rate_per_s, "scorer.bundle": bundle})
        options = replace(setting.options, scenario=resolved, floor=floor)
        try:
            finished = carry_out(options, steps, setting.outside)
        except RunInvalidError as error:
            if not self.points:
                raise
            return broken_off(rate_per_s, str(error))
        results = finished.results
        self.engine, self.broker = results.engine, results.broker.name
        if self._bundle is None and (finished.folder / "case" / "bundle").is_dir():
            self._bundle = finished.folder / "case" / "bundle"  # the same model for every rate, trained once
        return judge_trial(results, finished.folder, setting.limit, self._slower(rate_per_s))

    def _slower(self, rate_per_s: float) -> Path | None:
        """The decisions of the fastest run held at a lower rate: it shares the most events with this one."""
        held = [point for point in self.points if point.held and point.rate_per_s < rate_per_s]
        if not held:
            return None
        fastest = max(held, key=lambda point: point.rate_per_s)
        return self._setting.options.out / str(fastest.folder) / "decisions.parquet"
