"""`python -m models importance`: what drove a run's decisions, written to a file."""

from pathlib import Path
from typing import Annotated

import typer


def importance(
    bundle: Annotated[Path, typer.Option(help="the model bundle that decided (directory)")],
    decisions: Annotated[Path, typer.Option(help="the run's decisions (Parquet)")],
    out: Annotated[Path, typer.Option(help="Parquet file to write: event_id, weight, one column a feature (log-odds)")],
    sample: Annotated[
        int, typer.Option(min=0, help="at most so many flagged decisions, and so many others, about 0.3 ms each")
    ] = 5_000,
    seed: Annotated[int, typer.Option(min=0, help="seed of the draw")] = 0,
) -> None:
    """Explain samples of the decisions that the model flagged and of its others, exactly; each row has its weight."""
    from models.importance import write_importance  # noqa: PLC0415 (loads xgboost)

    table = write_importance(bundle, decisions, out, sample, seed)
    typer.echo(f"{len(table):,} decisions explained, standing for {sum(table['weight'].to_pylist()):,.0f}")
