"""`bench gate`: has this build become slower than that one? For pull requests and CI."""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from harness.commands.options import CacheDir, cache_folder
from harness.gate.builds import Build, build_commit, build_working_tree, repository
from harness.gate.measuring import Runner, Turns
from harness.gate.regression import Bounds, Outcome, find_changes, overall
from harness.gate.reports import SIGNS, WORDS, GateReport, percent, to_junit, to_markdown
from harness.interruption import interruptible
from harness.processes import Family
from harness.steps import Steps
from streams.errors import BadInputError

EXIT_CODES: dict[Outcome, int] = {"pass": 0, "regression": 1, "inconclusive": 4}
BOUNDS = Bounds()
RUN_S_MAX = 1_800.0
DEFAULT_OPTIONS = ("--rate", "500", "--duration", "10", "--warmup", "3", "--engine", "inprocess")

Base = Annotated[str, typer.Option(help="Commit, branch or tag to hold against.")]
Head = Annotated[str | None, typer.Option(help="Commit, branch or tag to judge; default: the working tree as it is.")]
RoundsOption = Annotated[
    int, typer.Option(min=5, max=100, help="Rounds; each runs base, head and base again, in changing order.")
]
RoundsMax = Annotated[
    int | None, typer.Option(min=5, max=200, help="Go on to at most so many rounds while inconclusive; default: twice.")
]
Tolerance = Annotated[
    float, typer.Option(min=0.0, max=10.0, help="Slower by up to this share is let pass (0.1: 10 percent).")
]
NoiseMax = Annotated[
    float, typer.Option(min=0.01, max=100.0, help="Noise above this share makes a metric inconclusive.")
]
Scenario = Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")]
Markdown = Annotated[Path | None, typer.Option(help="Write Markdown, as for a pull request's comment, to this file.")]
Together = Annotated[
    bool | None,
    typer.Option(
        "--together/--by-turns",
        help="Make the three runs of a round at the same time, or one after the other; default: together in process.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Keep the run folders here; default: a temporary folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON to standard output, the rest to error.")]


def gate(
    context: typer.Context,
    *,
    base: Base,
    head: Head = None,
    rounds: RoundsOption = 5,
    rounds_max: RoundsMax = None,
    tolerance: Tolerance = BOUNDS.tolerance,
    noise_max: NoiseMax = BOUNDS.noise_max,
    together: Together = None,
    scenario: Scenario = "fraud",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise's resampling.")] = 1,
    junit: Junit = None,
    markdown: Markdown = None,
    out: Out = None,
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Build two revisions, run both in rounds, and fail when the head is slower beyond tolerance and noise.

    Options after -- go to every `bench run fraud` (default: --rate 500 --duration 10 --warmup 3 --engine inprocess).
    Exit code 0: no regression; 1: regression; 4: inconclusive; 2: bad input; 3: runs were invalid.
    """
    given = context.args or DEFAULT_OPTIONS
    options = ("fraud", "--scenario", scenario, *given)
    if rounds_max is not None and rounds_max < rounds:
        raise BadInputError(f"--rounds-max {rounds_max} is below --rounds {rounds}")
    console = Console(stderr=as_json)
    cache, bounds = cache_folder(cache_dir), Bounds(tolerance=tolerance, noise_max=noise_max)

    def tell(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-gate-") as temporary, Family() as family:
        first, second = _builds(base, head, cache, context.obj or {}, Steps(console), family)
        command = [*options, "--cache-dir", str(cache.resolve())]
        runner = Runner(command, out.resolve() if out else Path(temporary), family, RUN_S_MAX)
        turns = Turns(first, second, runner.begin, tell, together=_in_process(given) if together is None else together)
        turns.rehearse()
        report = _judged(turns, (rounds, rounds_max or 2 * rounds), bounds, seed, (first, second, options))
    _tell(report, console, as_json=as_json)
    _write(junit, to_junit(report))
    _write(markdown, to_markdown(report))
    raise typer.Exit(EXIT_CODES[report.outcome])


def _in_process(options: Sequence[str]) -> bool:
    """Whether the runs need no broker, load and receiver beside them, which would be in each other's way."""
    return "inprocess" in options or "--engine=inprocess" in options


def _builds(
    base: str, head: str | None, cache: Path, environ: Mapping[str, str], steps: Steps, family: Family
) -> tuple[Build, Build]:
    source = repository(Path.cwd())
    with steps.step(f"Building base {base}"):
        first = build_commit(source, base, cache, environ, family)
    with steps.step(f"Building head {head or '(working tree)'}"):
        if head:
            second = build_commit(source, head, cache, environ, family)
        else:
            second = build_working_tree(source, cache, environ, family)
    return first, second


def _judged(
    turns: Turns, rounds: tuple[int, int], bounds: Bounds, seed: int, told: tuple[Build, Build, Sequence[str]]
) -> GateReport:
    """Play the rounds; while the outcome is inconclusive, one more at a time up to the most allowed."""
    least, most = rounds
    played = 0
    while True:
        wanted = least if played == 0 else played + 1
        measured = turns.play(played, wanted)
        played = wanted
        changes = find_changes(measured.rounds(), bounds, np.random.default_rng(seed))
        if overall(changes) != "inconclusive" or played >= most:
            break
    base, head, options = told
    return GateReport(
        outcome=overall(changes),
        base=base.name,
        head=head.name,
        rounds=played,
        invalid_runs=measured.invalid,
        options=" ".join(options),
        changes=tuple(changes),
    )


def _tell(report: GateReport, console: Console, *, as_json: bool) -> None:
    table = Table(title=f"head {report.head} against base {report.base}: {report.rounds} rounds")
    for name in ("metric", "base ms", "head ms", "change", "noise", "p", ""):
        table.add_column(name, justify="left" if name in {"metric", ""} else "right", no_wrap=True)
    for change in report.changes:
        table.add_row(
            change.metric,
            f"{change.base:.4g}",
            f"{change.head:.4g}",
            percent(change.effect),
            f"±{change.noise:.1%}",
            f"{change.p:.3g}",
            SIGNS[change.outcome] if change.outcome == "pass" else f"{SIGNS[change.outcome]} {WORDS[change.outcome]}",
        )
    console.print(table)
    console.print(f"{SIGNS[report.outcome]} {WORDS[report.outcome]}", highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(report.to_dict(), indent=2) + "\n")


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror or error}") from error
