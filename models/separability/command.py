"""`python -m models separability`: the audit of a labelled stream, written to a file."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from models.progress import JsonLines
from models.separability.audit import audit_files
from models.separability.settings import AuditSettings
from streams.errors import BadInputError


def separability(
    events: Annotated[
        list[Path], typer.Option(help="Parquet file of transactions; several follow one another in time")
    ],
    labels: Annotated[list[Path], typer.Option(help="Parquet file of labels, one for each file of events")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="seed of sampling, training and shuffling")] = AuditSettings().seed,
    label_delay_days: Annotated[int, typer.Option(help="days until a label is known")] = 7,
    warm_up_days: Annotated[int, typer.Option(min=0, help="days at the start that only warm the features")] = 30,
    genuine_max: Annotated[
        int, typer.Option(help="genuine events kept of the training and of the test part")
    ] = AuditSettings().genuine_max,
    permutations: Annotated[int, typer.Option(help="times that labels are shuffled")] = AuditSettings().permutations,
    strict: Annotated[bool, typer.Option(help="apply the limits (otherwise all is information)")] = True,
) -> None:
    """Check that a labelled stream is neither too easy nor leaky, and behaves like people; progress as JSON lines."""
    settings = AuditSettings(
        seed=seed,
        label_delay_days=label_delay_days,
        warm_up_days=warm_up_days,
        genuine_max=genuine_max,
        permutations=permutations,
        strict=strict,
    )
    found = audit_files(events, labels, settings, JsonLines(sys.stderr))
    try:
        out.write_text(json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
