"""`bench capacity …`: the highest rate that a scorer holds."""

import json
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.capacity.findings import CAPACITY_FILE, PAGE_FILE, content, limited_by, sentences, settled
from harness.capacity.search import Capacity, Finder, Search
from harness.capacity.trial import Point
from harness.capacity.trials import Setting, Trials
from harness.commands.changes import refuse_contradictions
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import (
    OPTION_NAMES,
    Broker,
    Bundle,
    Collectors,
    Command,
    Engine,
    Explain,
    KafkaConfig,
    Partitions,
    Rules,
    ScenarioFile,
    Senders,
    Servers,
    Warmup,
    Workers,
)
from harness.confidence import samples_needed
from harness.interruption import interruptible
from harness.report.words import ms, significant
from harness.run import Outside, RunOptions
from harness.runfolder import RunFolder
from harness.scenario import Scenario, load_scenario
from harness.slo_option import LatencyLimit, parse_limit
from harness.verdict import EXIT_CODES
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Find the highest rate that is held: doubling, then bisection.")

LOWEST_PER_S, HIGHEST_PER_S = 25.0, 1_000_000.0
SPARE_SAMPLES = 1.1
"""A random arrival process may draw a little less than its mean."""

Slo = Annotated[str, typer.Option(help="Limit of the response time, for example p99=50ms or p99.9=1s.")]
Start = Annotated[float, typer.Option(help="First rate to try, events/s.")]
Most = Annotated[float, typer.Option(help="Highest rate to try, events/s.")]
Resolution = Annotated[float, typer.Option(help="Stop when held and not held lie this close, as a share (0.005 to 1).")]
Seconds = Annotated[float, typer.Option(help="Measured time of every run, s; at least 5.")]
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
    senders: Senders = None,
    collectors: Collectors = None,
    scenario: ScenarioFile = "fraud",
    engine: Engine = None,
    workers: Workers = None,
    bundle: Bundle = None,
    rules: Rules = None,
    explain: Explain = None,
    scorer_command: Command = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    out: OutFolder = Path("runs"),
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Card fraud: the highest rate at which the latency test passes, the backlog does not grow, nothing is lost and the
    scorer decides as well as at lower rates.

    A fresh run for every rate; a rate that fails is tried twice, and the answer has to hold twice. Stopping it (Ctrl-C)
    keeps what was found.
    """
    limit = parse_limit(slo)
    search = _search(limit, start, highest, resolution, duration)
    refuse_contradictions(data=None, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    fixed = {
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "load.senders": senders,
        "load.collectors": collectors,
        "scorer.engine": engine.value if engine else None,
        "scorer.workers": workers,
        "scorer.bundle": None if bundle is None else str(bundle.resolve()),
        "scorer.rules": None if rules is None else str(rules.resolve()),
        "scorer.explain": explain.value if explain else None,
        "scorer.command": scorer_command,
        "broker": broker.value if broker else None,
    }
    first = _resolve(scenario, fixed, {"load.rate_per_s": start})
    options = RunOptions(
        scenario=first,
        out=(out / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-capacity-{first.name}").resolve(),
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        report=False,
        environ=context.obj or {},
    )
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    setting = Setting(partial(_resolve, scenario, fixed), options, outside, limit)
    found = _Session(setting, search, Console(stderr=as_json)).find()
    if as_json:
        sys.stdout.write((options.out / CAPACITY_FILE).read_text(encoding="utf-8"))
    raise typer.Exit(found)


def _resolve(scenario: str, fixed: Mapping[str, Any], changes: Mapping[str, Any]) -> Scenario:
    known = {path: value for path, value in changes.items() if value is not None}
    return load_scenario(scenario, {**fixed, **known}, {**OPTION_NAMES, "load.rate_per_s": "--start"})


def _search(limit: LatencyLimit, start: float, highest: float, resolution: float, duration: float) -> Search:
    """The bounds of a search; raises BadInputError, naming the option, for what cannot be searched."""
    if not duration >= 5.0:
        raise BadInputError(f"--duration {duration:g} s is too short to see whether a backlog grows: give at least 5 s")
    if not 0 < start <= highest <= HIGHEST_PER_S:
        raise BadInputError(
            f"--start {start:g} and --highest {highest:g} events/s: both must be above 0 and at most "
            f"{HIGHEST_PER_S:,.0f}, and the first not above the second"
        )
    if not 0.005 <= resolution <= 1:
        raise BadInputError(f"--resolution {resolution:g}: allowed are 0.005 to 1")
    samples = samples_needed(limit.q) * SPARE_SAMPLES
    if samples > start * duration:
        raise BadInputError(
            f"--duration {duration:g} s at --start {start:g} events/s gives about {start * duration:,.0f} samples; to "
            f"show {limit} it takes {samples:,.0f}: give --duration {samples / start:,.0f} or more, or a higher --start"
        )
    # below this a run would be too short to show anything
    lowest = min(start, max(LOWEST_PER_S, float(round(samples / duration))))
    return Search(start_per_s=start, lowest_per_s=lowest, highest_per_s=highest, resolution=resolution)


class _Session:
    """A search from its first run to what is said of it; kept on disk after every run."""

    def __init__(self, setting: Setting, search: Search, console: Console) -> None:
        self._setting, self._search, self._console = setting, search, console
        self._trials = Trials(setting, console, self._heard)
        self._finder = Finder(self._trials.run, search)
        self._folder = RunFolder(setting.options.out)

    def find(self) -> int:
        """Search, save and tell; returns the exit code. When it is stopped, what was found is saved and told first."""
        self._announce()
        with interruptible():
            try:
                found = self._finder.find()
            except BaseException:
                if self._trials.points:
                    self._conclude(self._finder.so_far())
                raise
            self._conclude(found)
        if found.rate_per_s is not None:
            return EXIT_CODES["pass"]
        return EXIT_CODES["invalid" if limited_by(found, self._trials.points) == "harness" else "fail"]

    def _announce(self) -> None:
        load, search = self._setting.options.scenario.load, self._search
        words = (
            f"The highest rate with {self._setting.limit}, from {search.start_per_s:,.0f} events/s on, to within "
            f"{search.resolution:.1%}. Every run is fresh: {load.warmup_s:g} s of warm-up, {load.duration_s:g} s "
            "measured. Ctrl-C keeps what was found."
        )
        self._console.print(Text(words), soft_wrap=True)

    def _heard(self, point: Point) -> None:
        words = "held" if point.held else f"not held: {'; '.join(point.reasons)}"
        figures = f"P50 {ms(point.p50_ms):>8}  P99 {ms(point.p99_ms):>8}  lag ≤ {point.lag_max:<6,}"
        line = Text(f"{point.rate_per_s:>9,.0f}/s  {figures}  {words} ({point.took_s:.0f} s)")
        self._console.print(line, soft_wrap=True)
        self._save(self._finder.so_far())

    def _conclude(self, found: Capacity) -> None:
        from harness.capacity.page import page_of  # noqa: PLC0415 - its plotting library is slow to import

        points, limit = self._trials.points, self._setting.limit
        self._save(found)
        self._console.print()
        self._console.print(curve_table(points, limit))
        for sentence in sentences(found, points, limit):
            self._console.print(Text(sentence), soft_wrap=True)
        self._folder.write(PAGE_FILE, page_of(found, points, limit, self._said()))
        for name in (CAPACITY_FILE, PAGE_FILE):
            self._console.print(Text(str(self._folder.path / name)), soft_wrap=True)

    def _save(self, found: Capacity) -> None:
        found_content = content(found, self._trials.points, self._setting.limit, self._said())
        self._folder.write(CAPACITY_FILE, json.dumps(found_content, indent=2) + "\n")

    def _said(self) -> dict[str, Any]:
        """What was measured, and how."""
        scenario = self._setting.options.scenario
        return {
            "scenario": scenario.name,
            "engine": self._trials.engine,
            "broker": self._trials.broker,
            "workers": scenario.scorer.workers,
            "partitions": scenario.load.partitions,
            "duration_s": scenario.load.duration_s,
            "warmup_s": scenario.load.warmup_s,
            "resolution": self._search.resolution,
        }


def curve_table(points: list[Point], limit: LatencyLimit) -> Table:
    """The curve rate → latency and lag, a row a run; narrow enough for a log."""
    table = Table(title=f"Rate and latency in ms; {limit}", title_justify="left", header_style="bold", box=None)
    for name in ("rate/s", "sent/s", "P50", "P99", "floor P99", "late P99", "lag", "growth/s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("held")
    for point in settled(points):
        held = Text("yes", style="green") if point.held else Text(f"no: {point.limited_by}", style="red")
        times = (point.p50_ms, point.p99_ms, point.floor_p99_ms, point.schedule_delay_p99_ms)
        table.add_row(
            f"{point.rate_per_s:,.0f}",
            f"{point.achieved_per_s:,.0f}",
            *(significant(value) for value in times),
            f"{point.lag_max:,}",
            significant(point.lag_growth_per_s),
            held,
        )
    return table
