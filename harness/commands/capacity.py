"""`bench capacity …`: the highest rate that a scorer holds."""

import json
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.capacity import Capacity, Search, Trial, find_capacity
from harness.capacity_page import write_page
from harness.capacity_trial import Point, judge_trial
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import (
    OPTION_NAMES,
    Broker,
    Bundle,
    Command,
    Engine,
    KafkaConfig,
    Partitions,
    Rules,
    ScenarioFile,
    Servers,
    Warmup,
    Workers,
)
from harness.confidence import samples_needed
from harness.results import encode_results
from harness.run import Outside, RunOptions, carry_out
from harness.scenario import Scenario, load_scenario
from harness.slo_option import LatencyLimit, parse_limit
from harness.steps import Steps
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Find the highest rate that is held: doubling, then bisection.")

Slo = Annotated[str, typer.Option(help="Limit of the response time, for example p99=50ms or p99.9=1s.")]
Start = Annotated[float, typer.Option(help="First rate to try, events/s.")]
Most = Annotated[float, typer.Option(help="Highest rate to try, events/s.")]
Resolution = Annotated[float, typer.Option(help="Stop when held and not held lie this close, as a share.")]
Seconds = Annotated[float, typer.Option(min=5.0, help="Measured time of every run, s.")]
OutFolder = Annotated[Path, typer.Option(help="Folder that gets the search's folder.", rich_help_panel="Where")]
Json = Annotated[bool, typer.Option("--json", help="Print capacity.json to standard output, all else to error.")]


@app.command()
def fraud(
    context: typer.Context,
    *,
    slo: Slo = "p99=50ms",
    start: Start = 500.0,
    highest: Most = 200_000.0,
    resolution: Resolution = 0.05,
    duration: Seconds = 20.0,
    warmup: Warmup = None,
    partitions: Partitions = None,
    scenario: ScenarioFile = "fraud",
    engine: Engine = None,
    workers: Workers = None,
    bundle: Bundle = None,
    rules: Rules = None,
    scorer_command: Command = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    out: OutFolder = Path("runs"),
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Card fraud: the highest rate at which the latency test passes, the backlog does not grow, nothing is lost and the
    model decides as it should; a fresh run for every rate, a rate that fails is tried twice.
    """
    limit = parse_limit(slo)
    search = Search(start_per_s=start, highest_per_s=highest, resolution=resolution)
    if samples_needed(limit.q) > search.lowest_per_s * duration:
        needed_s = samples_needed(limit.q) / search.start_per_s
        if needed_s > duration:
            raise BadInputError(
                f"--duration {duration:g} s at {start:g} events/s gives too few samples to show {limit}: "
                f"give at least {needed_s:.0f} s, or a higher --start"
            )
    changes = {
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "scorer.engine": engine.value if engine else None,
        "scorer.workers": workers,
        "scorer.bundle": None if bundle is None else str(bundle.resolve()),
        "scorer.rules": None if rules is None else str(rules.resolve()),
        "scorer.command": scorer_command,
        "broker": broker.value if broker else None,
    }
    console, now = Console(stderr=as_json), datetime.now(UTC)
    folder = (out / f"{now:%Y%m%d-%H%M%S}-capacity-{Path(scenario).stem}").resolve()
    trials = _Trials(scenario, changes, limit, folder, console)
    trials.reach = {
        "cache": cache_folder(cache_dir),
        "bootstrap_servers": bootstrap_servers,
        "kafka_config": None if kafka_config is None else kafka_config.resolve(),
        "environ": context.obj or {},
    }
    found = find_capacity(trials.run, search)
    _save(found, trials.points, limit, folder)
    _tell(found, trials.points, limit, folder, console)
    if as_json:
        sys.stdout.write((folder / "capacity.json").read_text(encoding="utf-8"))
    raise typer.Exit(0 if found.rate_per_s is not None else 1)


class _Trials:
    """Carries out one fresh run a rate and keeps the points."""

    def __init__(
        self, scenario: str, changes: dict[str, Any], limit: LatencyLimit, folder: Path, console: Console
    ) -> None:
        self._scenario, self._changes, self._limit, self._folder = scenario, changes, limit, folder
        self._console = console
        self._quiet = Console(quiet=True)
        self.reach: dict[str, Any] = {}
        self.points: list[Point] = []

    def run(self, rate_per_s: float) -> Trial:
        """Measure a rate and judge it."""
        resolved: Scenario = load_scenario(
            self._scenario, {**self._changes, "load.rate_per_s": rate_per_s}, OPTION_NAMES
        )
        options = RunOptions(scenario=resolved, out=self._folder, report=False, floor=False, **self.reach)
        outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
        with self._console.status(f"{rate_per_s:,.0f} events/s …"):
            finished = carry_out(options, Steps(self._quiet), outside)
        results = json.loads(encode_results(finished.results))
        point = judge_trial(rate_per_s, results, finished.folder, self._limit)
        self.points.append(point)
        words = "held" if point.held else "not held: " + "; ".join(point.reasons)
        figures = f"P50 {_ms(point.p50_ms)}  P99 {_ms(point.p99_ms)}  lag ≤ {point.lag_max:,}"
        self._console.print(f"{rate_per_s:>10,.0f}/s  {figures}  {words}", highlight=False, soft_wrap=True)
        return Trial(rate_per_s, point.held, point.reasons)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f} ms"


def _save(found: Capacity, points: list[Point], limit: LatencyLimit, folder: Path) -> None:
    content = {
        "capacity_per_s": found.rate_per_s,
        "at_least": found.at_least,
        "slo": {"quantile": limit.q, "limit_ms": limit.limit_ms},
        "curve": [point.to_dict() for point in sorted(points, key=lambda point: point.rate_per_s)],
    }
    (folder / "capacity.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    write_page(folder / "capacity.html", found.rate_per_s, points, limit)


def _tell(found: Capacity, points: list[Point], limit: LatencyLimit, folder: Path, console: Console) -> None:
    table = Table(title=f"Rate and latency, {limit}")
    for name in ("rate /s", "achieved /s", "P50 ms", "P99 ms", "lag", "growth /s"):
        table.add_column(name, justify="right")
    table.add_column("")
    for point in sorted(points, key=lambda point: point.rate_per_s):
        p50, p99 = ("–" if value is None else f"{value:,.2f}" for value in (point.p50_ms, point.p99_ms))
        table.add_row(
            f"{point.rate_per_s:,.0f}", f"{point.achieved_per_s:,.0f}", p50, p99, f"{point.lag_max:,}",
            f"{point.lag_growth_per_s:,.1f}", "held" if point.held else "; ".join(point.reasons),
        )  # fmt: skip
    console.print(table)
    if found.rate_per_s is None:
        console.print("no rate was held", highlight=False)
    else:
        least = "at least " if found.at_least else ""
        console.print(f"capacity: {least}{found.rate_per_s:,.0f} events/s with {limit}", highlight=False)
    console.print(f"{folder / 'capacity.html'}", highlight=False, soft_wrap=True)
