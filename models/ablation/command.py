"""`python -m models ablate`: the cells of one labelled stream, as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from models.ablation.case import Window, read_case
from models.ablation.cell import Measured, cells
from models.ablation.variants import DEFAULT, Variant, variants
from models.fitting import FitSettings
from models.progress import JsonLines
from models.training_key import versions
from streams.errors import BadInputError


def ablate(
    events: Annotated[list[Path], typer.Option(help="Parquet file of transactions; several follow in time")],
    labels: Annotated[list[Path], typer.Option(help="Parquet file of labels, one for each file of events")],
    window: Annotated[
        list[str],
        typer.Option(help="TRAIN_FROM,TRAIN_UNTIL,TEST_FROM,TEST_UNTIL, ns since the epoch; may be given repeatedly"),
    ],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    cache_dir: Annotated[Path, typer.Option(help="keep features and finished cells here")],
    *,
    seed: Annotated[list[int], typer.Option(help="seed of the training; may be given repeatedly")],
    k: Annotated[int, typer.Option(min=1, help="cards looked at a day")] = 10,
    budget_share: Annotated[float, typer.Option(min=1e-6, max=1.0, help="share of events that may be alerted")] = 0.01,
    label_delay_days: Annotated[int, typer.Option(min=0, help="days until a label is known")] = 7,
    without_known: Annotated[bool, typer.Option(help="leave out cards whose fraud is known by then")] = False,
    group: Annotated[
        list[str] | None, typer.Option(help="only these: parts, imbalance, families (default: all)")
    ] = None,
) -> None:
    """Fit every variant of the default model on each window with each seed; progress goes to standard error."""
    windows = [_window(text) for text in window]
    fit = FitSettings()
    chosen = _chosen(variants(fit), group)
    tell = JsonLines(sys.stderr)
    tell("compute features", 0.0)
    case = read_case(events, labels, label_delay_days, cache_dir)
    measured = Measured(k, budget_share, label_delay_days, without_known)
    found: list[dict[str, Any]] = []
    total = len(windows) * len(seed) * len(chosen)
    for place, span in enumerate(windows):
        for number in seed:
            for which, figures in cells(case, span, measured, number, chosen, cache_dir):
                found.append({"window": place, "seed": number, "variant": which.name, **figures})
                tell(f"fit {which.name}", len(found) / total)
    content = {
        "variants": [{"name": each.name, "group": each.group, "words": each.words} for each in chosen],
        "windows": [asdict(span) for span in windows],
        "measured": asdict(measured),
        "settings": asdict(fit),
        "versions": versions(),
        "cells": found,
    }
    try:
        out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error


def _window(text: str) -> Window:
    try:
        train_from, train_until, test_from, test_until = (int(part) for part in text.split(","))
    except ValueError as error:
        raise BadInputError(f"--window {text}: four whole numbers with commas between are expected") from error
    if not train_from < train_until <= test_from < test_until:
        raise BadInputError(f"--window {text}: training must come before the test, and neither may be empty")
    return Window(train_from, train_until, test_from, test_until)


def _chosen(known: tuple[Variant, ...], wanted: list[str] | None) -> tuple[Variant, ...]:
    """The groups asked for, always with the default, which all others are compared with."""
    if not wanted:
        return known
    groups = sorted({each.group for each in known})
    unknown = [name for name in wanted if name not in groups]
    if unknown:
        raise BadInputError(f"--group {unknown[0]}: not known; known are {', '.join(groups)}")
    return tuple(each for each in known if each.group in wanted or each.name == DEFAULT)
