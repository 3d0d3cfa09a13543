"""`python -m models features build | inspect | compare | catalogue`: the feature store from the command line."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from models.features.batch import Vocabulary
from models.features.catalogue_page import CATALOGUES, catalogue_table, write_catalogue
from models.features.comparison import compare
from models.features.inspection import ask, summary
from models.features.ledger import RiskLedger
from models.features.offline import History, compute_history, continue_history
from models.features.state import FeatureState
from models.features.store import Origin, write_store
from models.training_data import category_names, read_events, read_labels
from streams.errors import BadInputError
from streams.labels import Disposition
from streams.transaction import CHANNELS

app = typer.Typer(no_args_is_help=True, help="Build a store of feature rows, look into it, compare it with a run.")

Store = Annotated[Path, typer.Argument(help="folder of a feature store")]
Result = Annotated[Path | None, typer.Option(help="write the JSON here instead of to standard output")]


@app.command()
def build(
    *,
    events: Annotated[Path, typer.Option(help="Parquet file of transactions, in event-time order")],
    labels: Annotated[Path | None, typer.Option(help="Parquet file of their labels, one row an event")] = None,
    out: Annotated[Path, typer.Option(help="folder of the store; its features.parquet is replaced")],
    label_delay_days: Annotated[int, typer.Option(help="days until a label is known (without --state)", min=0)] = 7,
    state: Annotated[
        Path | None, typer.Option(help="folder with features.state and ledger.state to go on from, as a scorer does")
    ] = None,
    dispositions: Annotated[
        Path | None, typer.Option(help="with --state: Parquet file of the frauds that become known in these events")
    ] = None,
    result: Result = None,
) -> None:
    """Compute the features of all events with the scorer's kernel and write them as Parquet; prints the metadata.

    Without --state the events are a history of their own and the labels say which frauds become known when. With
    --state they are a stream that follows on a history; labels are then only kept beside the features.
    """
    table = read_events(events)
    known = None if labels is None else read_labels(labels, table)
    if state is None:
        if dispositions is not None:
            raise BadInputError("--dispositions goes with --state; a history takes its frauds from --labels")
        found = compute_history(table, known, Vocabulary(category_names(table), CHANNELS), label_delay_days)
    else:
        found = _continued(state, table, dispositions)
    origin = Origin(
        events.name,
        None if labels is None else labels.name,
        None if state is None else state.name,
        found.ledger.label_delay_days,
    )
    _tell(write_store(out, table, known, found, origin), result)


def _continued(folder: Path, events: pa.Table, dispositions: Path | None) -> History:
    state, ledger = FeatureState.load(folder / "features.state")[0], RiskLedger.load(folder / "ledger.state")[0]
    return continue_history(state, ledger, events, [] if dispositions is None else _dispositions(dispositions))


def _dispositions(path: Path) -> list[Disposition]:
    try:
        return msgspec.convert(pq.read_table(path).to_pylist(), list[Disposition])
    except (OSError, pa.ArrowException, msgspec.ValidationError) as error:
        raise BadInputError(f"--dispositions {path} does not hold dispositions: {error}") from error


@app.command()
def inspect(
    store: Store,
    *,
    sql: Annotated[str | None, typer.Option(help="instead: one SELECT against the view `features` (DuckDB)")] = None,
    result: Result = None,
) -> None:
    """Per feature: share missing, min, quantiles, max, mean, and the same by fraud where the store has labels. JSON."""
    _tell(summary(store) if sql is None else ask(store, sql), result)


@app.command("compare")
def compare_command(
    store: Store,
    *,
    decisions: Annotated[Path, typer.Option(help="a run's decisions.parquet, with recorded features")],
    result: Result = None,
) -> None:
    """Whether the store holds, bit for bit, the features a scorer recorded; ends with 1 when it does not. JSON."""
    found = compare(store, decisions)
    _tell(found, result)
    raise typer.Exit(0 if found["equal"] else 1)


@app.command()
def catalogue(
    *,
    of: Annotated[str, typer.Option(help=f"whose: {' or '.join(CATALOGUES)}")] = "fraud",
    write: Annotated[Path | None, typer.Option(help="put the table into this page, between its marks")] = None,
) -> None:
    """The features as a Markdown table: name, kind, unit, bounds, family of evidence, words."""
    if of not in CATALOGUES:
        raise BadInputError(f"--of {of}: no such catalogue; there are {' and '.join(CATALOGUES)}")
    if write is None:
        sys.stdout.write(catalogue_table(of))
    else:
        write_catalogue(write, of)


def _tell(content: dict[str, Any], result: Path | None) -> None:
    text = json.dumps(content, indent=2, default=str) + "\n"
    if result is None:
        sys.stdout.write(text)
        return
    try:
        result.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--result {result} cannot be written: {error.strerror or error}") from error
