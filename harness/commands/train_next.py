"""`bench train aml --from RUN`: the model after a run, and whether it is better than the one that decided."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from harness.aml.next_training import FinishedRun, judge_after, prepare_again, write_lessons
from harness.interruption import interruptible
from harness.processes import Family
from harness.steps import Steps
from harness.training import Workshop, train
from streams.errors import BadInputError

SHOWN = {
    "customers": "customers",
    "suspicious_customers": "of them suspicious",
    "patterns": "patterns",
    "customer_average_precision": "average precision of customers",
    "customer_roc_auc": "ROC AUC of customers",
    "pattern_recall_at_10_percent": "recall of patterns among 10% of customers",
}


def copied(bundle: Path, out: Path | None) -> Path:
    """The bundle where it was asked for. Raises BadInputError when it cannot be written there."""
    if out is None:
        return bundle
    try:
        return Path(shutil.copytree(bundle, out))
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error


def train_next(run: FinishedRun, out: Path | None, cache: Path) -> None:
    """Train, say what both models are worth on the transfers that follow, and print the new bundle's folder."""
    console = Console(stderr=True)
    steps = Steps(console)
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-train-") as work, Family() as family:
        with steps.step("Preparing history, stream and findings"):
            prepared = prepare_again(run, cache)
            lessons = Path(work) / "lessons"
            lessons.mkdir()
            learnt = write_lessons(run, prepared, lessons)
        with steps.step("Training the next model") as say:
            bundle = train(run.scenario, learnt, Workshop(cache, Path(work), family, say), learnt.file("findings"))
        with steps.step("Judging both models by the transfers that follow") as say:
            shop = Workshop(cache, Path(work), family, say)
            found = judge_after(run, prepared, (run.bundle, bundle), cache, shop)
    if found is None:
        steps.warn("Nothing follows what the run streamed: whether the new model is better cannot be said")
    else:
        tell_gain(found, console)
    typer.echo(str(copied(bundle, out)))


def tell_gain(found: Mapping[str, Any], console: Console) -> None:
    """Both models' figures side by side, and the interval of the difference that counts."""
    table = Table(title="On the transfers after the run's stream", title_justify="left", header_style="bold")
    table.add_column("")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    for name, words in SHOWN.items():
        table.add_row(words, *(_figure(found[model].get(name)) for model in ("before", "after")))
    console.print(table)
    gain = found["gain"]
    if gain["low"] is None:
        console.print("whether the difference is chance cannot be said: too few suspicious customers", highlight=False)
        return
    sure = gain["low"] > 0 or gain["high"] < 0
    console.print(
        f"average precision {gain['value']:+.4f} (95% {gain['low']:+.4f} to {gain['high']:+.4f}): "
        + ("more than chance" if sure else "may be chance"),
        highlight=False,
        soft_wrap=True,
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
