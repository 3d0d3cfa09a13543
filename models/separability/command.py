"""`python -m models separability`: the audit of a labelled stream, written to a file."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from models.aml.settings import AML_BOOSTING
from models.progress import JsonLines
from models.separability.audit import audit_files
from models.separability.laundering.audit import audit_transfers
from models.separability.settings import AuditSettings
from streams.errors import BadInputError

SIDES_MAX = 60_000
"""Genuine sides of transfers kept of each part at most: what keeps the audit of a large world under two minutes."""


def separability(
    events: Annotated[
        list[Path], typer.Option(help="Parquet file of transactions or transfers; several follow one another in time")
    ],
    labels: Annotated[list[Path], typer.Option(help="Parquet file of labels, one for each file of events")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    *,
    accounts: Annotated[Path | None, typer.Option(help="Parquet file of accounts: the events are transfers")] = None,
    members: Annotated[Path | None, typer.Option(help="Parquet file of who belongs to which pattern")] = None,
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
    tell = JsonLines(sys.stderr)
    if accounts is not None and members is not None:
        fitted = replace(settings, boosting=AML_BOOSTING, genuine_max=min(genuine_max, SIDES_MAX))
        found = audit_transfers(events, labels, (accounts, members), fitted, tell)
    elif accounts is None and members is None:
        found = audit_files(events, labels, settings, tell)
    else:
        raise BadInputError("--accounts and --members belong together: transfers need both, cards neither")
    try:
        out.write_text(json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
