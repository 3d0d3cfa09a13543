"""`bench features …`: the feature store, for a look, for other tools, and as the proof that training sees what serving
saw."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.commands.options import CacheDir, cache_folder
from harness.feature_store import build_of_run, build_store, compare_run, run_features
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.scenario import load_scenario
from harness.steps import Steps
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Build, inspect and compare feature rows (Parquet, read with DuckDB).")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, all else to standard error.")]
ROWS_SHOWN = 50


@app.command()
def build(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the store; its features.parquet is replaced.")],
    scenario: Annotated[
        str | None, typer.Option(help="The history of a scenario: a file, or the name of a shipped one.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Or your own: Parquet of transactions in event-time order.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="With --events: Parquet of their labels, a row an event.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Or the stream of a run folder, from the state it began with.")
    ] = None,
    label_delay_days: Annotated[int, typer.Option(help="With --events: days until a label is known.", min=0)] = 7,
    cache_dir: CacheDir = None,
    as_json: AsJson = False,
) -> None:
    """Compute every feature of a history or of a run's stream with the kernel that serves, and keep it as Parquet."""
    if sum(given is not None for given in (scenario, events, run)) != 1:
        raise BadInputError("give one of the three: --scenario, --events or --run")
    if labels is not None and events is None:
        raise BadInputError("--labels goes with --events")
    steps = Steps(Console(stderr=as_json))
    with interruptible(), steps.step("Building the features"):
        if run is not None:
            found = build_of_run(run, out)
        elif events is not None:
            found = build_store(out, events, labels, "--label-delay-days", str(label_delay_days))
        else:
            found = _of_scenario(str(scenario), out, cache_folder(cache_dir))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    steps.note(f"{found['rows']:,} rows of {found['features']} features, {_span(found)}, in {out}")


def _of_scenario(name: str, out: Path, cache: Path) -> dict[str, Any]:
    resolved = load_scenario(name, {}, {})
    prepared = prepare(resolved, cache)
    delay_days = prepared.facts.get("label_delay_days")
    delay_days = resolved.training.label_delay_days if delay_days is None else delay_days
    more = ("--label-delay-days", str(delay_days))
    return build_store(out, prepared.file("history"), prepared.file("history_labels"), *more)


@app.command()
def inspect(
    store: Annotated[Path, typer.Argument(help="Folder of a feature store.")],
    *,
    sql: Annotated[
        str | None, typer.Option(help='Instead: one SELECT against the view "features" (DuckDB, read only).')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every feature's share missing, least, median, greatest value and mean; by fraud where there are labels."""
    found = run_features("inspect", str(store), *(() if sql is None else ("--sql", sql)))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    Console().print(_summary_table(found) if sql is None else _answer_table(found))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    *,
    store: Annotated[Path | None, typer.Option(help="A store built before, for one run; default: built anew.")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether the features recorded online are those computed offline, bit for bit. Ends with 1 when one differs."""
    if store is not None and len(runs) > 1:
        raise BadInputError("--store goes with one run")
    steps = Steps(Console(stderr=as_json))
    found = []
    for run in runs:
        with interruptible(), steps.step(f"Comparing {run.name}"):
            found.append({"run": str(run), **_compared(run, store)})
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for one in found:
            _tell(one, steps)
    raise typer.Exit(0 if all(one["equal"] for one in found) else 1)


def _compared(run: Path, store: Path | None) -> dict[str, Any]:
    if store is not None:
        return compare_run(run, store)
    with tempfile.TemporaryDirectory(prefix="riskbench-store-") as folder:
        build_of_run(run, Path(folder))
        return compare_run(run, Path(folder))


def _span(metadata: dict[str, Any]) -> str:
    if metadata["first_event_ns"] is None:
        return "no events"
    first, last = (
        datetime.fromtimestamp(metadata[f"{end}_event_ns"] // 1_000_000_000, UTC).date() for end in ("first", "last")
    )
    return f"{first} to {last}"


def _figure(value: float | None, *, share: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if share else f"{value:,.4g}"


def _summary_table(found: dict[str, Any]) -> Table:
    rows = sum(found["rows_by_status"].values())
    table = Table(title=f"{rows:,} rows, {_span(found['store'])}")
    by_fraud = "fraud" in found["features"][0]
    table.add_column("feature")
    for name in ("unit", "missing", "min", "1%", "median", "99%", "max", "mean"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    for name in ("mean of fraud", "of genuine") if by_fraud else ():
        table.add_column(name, justify="right")
    for feature in found["features"]:
        of_all, quantiles = feature["all"], feature["all"]["quantiles"]
        figures = [of_all["min"], quantiles["0.01"], quantiles["0.5"], quantiles["0.99"], of_all["max"], of_all["mean"]]
        if by_fraud:
            figures += [feature[group]["mean"] for group in ("fraud", "genuine")]
        missing = _figure(of_all["missing_share"], share=True)
        table.add_row(feature["name"], feature["unit"], missing, *map(_figure, figures))
    return table


def _answer_table(found: dict[str, Any]) -> Table:
    shown, rows = found["rows"][:ROWS_SHOWN], len(found["rows"])
    table = Table(*found["columns"], title=None if rows == len(shown) else f"the first {len(shown)} of {rows:,} rows")
    for row in shown:
        table.add_row(*map(str, row))
    return table


def _tell(found: dict[str, Any], steps: Steps) -> None:
    different = [feature for feature in found["features"] if feature["differing"]]
    if found["equal"]:
        count = len(found["features"])
        steps.note(f"{found['run']}: {found['compared']:,} events, {count} features: equal, bit for bit")
        return
    steps.warn(
        f"{found['run']}: {len(different)} of {len(found['features'])} features differ, {found['compared']:,} events"
        f" compared, {found['not_in_store']:,} not in the store"
    )
    table = Table("feature", "events that differ", "first of them", "offline", "online")
    for feature in different:
        first = feature["first"]
        values = (_figure(first["offline"]), _figure(first["online"]))
        table.add_row(feature["feature"], f"{feature['differing']:,}", first["event_id"], *values)
    steps.console.print(table)
