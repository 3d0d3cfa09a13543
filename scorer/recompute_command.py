"""`python -m scorer recompute`: decisions made again from a run's files."""

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.errors import BadInputError


def recompute_command(
    case: Annotated[Path, typer.Option(help="the run's case/: bundle, rules, warm state, dispositions")],
    events: Annotated[Path, typer.Option(help="the run's events (Parquet), in the order they were sent")],
    decisions: Annotated[Path, typer.Option(help="the run's decisions (Parquet)")],
    out: Annotated[Path, typer.Option(help="JSON file to write: a list, one object a decision")],
    event: Annotated[str | None, typer.Option(help="one event by its id")] = None,
    sample: Annotated[int | None, typer.Option(help="so many decisions, drawn at random", min=1)] = None,
    seed: Annotated[int, typer.Option(help="seed of the draw", min=0)] = 0,
    everything: Annotated[bool, typer.Option("--all", help="every decision")] = False,
    contributions: Annotated[
        bool | None,
        typer.Option(help="explain scores of the model, about 0.3 ms each (default: only with --event)"),
    ] = None,
) -> None:
    """Replay a run's stream and make decisions again; compare features, score and outcome with the record, bit for bit.

    How many were equal is said on standard output; whether all were is not the exit code.
    """
    from scorer.aml.recompute import recompute_transfers  # noqa: PLC0415 (loads models and rules)
    from scorer.recompute import recompute  # noqa: PLC0415
    from scorer.recorded import Case, Choice  # noqa: PLC0415

    if (event is not None) + (sample is not None) + everything != 1:
        raise BadInputError("choose exactly one of --event ID, --sample N and --all")
    choice = Choice(event, sample, seed)
    explain = event is not None if contributions is None else contributions
    again = recompute_transfers if Case(case).of_transfers else recompute
    found = again(Case(case), events, decisions, choice, explain)
    _write(out, msgspec.json.format(msgspec.json.encode(found), indent=1))
    features = [one.features_equal for one in found if one.features_equal is not None]
    typer.echo(
        f"recomputed {len(found):,} decisions: {sum(one.equal for one in found):,} equal the record; "
        f"features of {sum(features):,} of {len(features):,} recorded are the same bytes"
    )


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(content)
        staging = Path(file.name)
        staging.chmod(0o644)
        staging.replace(path)
    except OSError as error:
        raise BadInputError(f"--out {path} cannot be written: {error.strerror or error}") from error
