"""`python -m models judge`: two money-laundering models held against each other on later transfers."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from models.aml.history import TransferFiles
from models.progress import JsonLines
from streams.errors import BadInputError


def judge(
    events: Annotated[Path, typer.Option(help="Parquet file of transfers in event-time order, history included")],
    labels: Annotated[Path, typer.Option(help="Parquet file of their labels, one row a transfer")],
    accounts: Annotated[Path, typer.Option(help="Parquet file of the accounts")],
    members: Annotated[Path, typer.Option(help="Parquet file of who belongs to which pattern")],
    from_ns: Annotated[int, typer.Option(min=1, help="event time (ns) from which on the models are judged")],
    before: Annotated[Path, typer.Option(help="bundle of one model")],
    after: Annotated[Path, typer.Option(help="bundle of the other")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    seed: Annotated[int, typer.Option(min=0, help="seed of the interval's draws")] = 0,
) -> None:
    """Rank the customers of a period by both models, and write what each ranking is worth; progress as JSON lines."""
    from models.aml.judged import judge_models  # noqa: PLC0415 (loads what trains)

    files = TransferFiles(events, labels, accounts, members)
    found = judge_models(files, from_ns, before, after, seed, JsonLines(sys.stderr))
    try:
        out.write_text(json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
