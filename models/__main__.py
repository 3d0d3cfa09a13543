"""Command line of the model room: `python -m models train fraud …`."""

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from models.ablation.command import ablate
from models.aml.history import TransferFiles
from models.aml.judge_command import judge
from models.aml.settings import AmlTrainSettings
from models.aml.train import train_aml_bundle, train_aml_cached
from models.bundle import Bundle
from models.contest import contest_command
from models.cost import cost_matrix
from models.features.command import app as features_app
from models.fitting import FitSettings
from models.imbalance import ImbalanceSettings, Method
from models.importance_command import importance
from models.kernels.command import app as kernels_app
from models.progress import JsonLines, Tell
from models.separability.command import separability
from models.settings import TrainSettings
from models.threshold import AlertBudget
from models.train import train_bundle, train_cached
from streams.errors import BadInputError, RiskbenchError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(features_app, name="features")
app.add_typer(kernels_app, name="kernels")


class Imbalance(StrEnum):
    """Ways with few frauds among many genuine events."""

    plain = "plain"
    class_weight = "class_weight"
    focal = "focal"
    smote = "smote"
    compare = "compare"


class Domain(StrEnum):
    """What can be trained."""

    fraud = "fraud"
    aml = "aml"


METHOD_OF: dict[Imbalance, Method | None] = {
    Imbalance.plain: "plain",
    Imbalance.class_weight: "class_weight",
    Imbalance.focal: "focal",
    Imbalance.smote: "smote",
    Imbalance.compare: None,
}
Events = Annotated[Path, typer.Option(help="Parquet file of transactions (aml: transfers), in event-time order")]
Accounts = Annotated[Path | None, typer.Option(help="aml: Parquet file of the accounts")]
Findings = Annotated[
    Path | None, typer.Option(help="aml: a run's findings.parquet, the only labels from --train-until on")
]
Members = Annotated[Path | None, typer.Option(help="aml: Parquet file of who belongs to which pattern")]
Labels = Annotated[Path, typer.Option(help="Parquet file of their labels, one row an event in the same order")]
MissedFraud = Annotated[str | None, typer.Option(help="cost of a missed fraud: share of its amount (100%) or money")]
FalseAlert = Annotated[float | None, typer.Option(help="cost of one review, money (thresholds then follow the costs)")]
FalseBlock = Annotated[float | None, typer.Option(help="cost of blocking a genuine event, money; without it none is")]
Moment = Annotated[str | None, typer.Option(help="ISO 8601 instant, UTC when it names no zone")]


def instant_ns(text: str | None, option: str) -> int | None:
    """An ISO 8601 instant as ns since the epoch, UTC when it names no zone."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{option}: {text!r} is no ISO 8601 instant (example: 2018-07-25T00:00:00)") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


@app.callback()
def models() -> None:
    """Train the models that a scorer uses."""


@app.command()
def train(
    domain: Annotated[Domain, typer.Argument(help="what to train")],
    events: Events,
    labels: Labels,
    accounts: Accounts = None,
    members: Members = None,
    findings: Findings = None,
    out: Annotated[Path | None, typer.Option(help="directory of the bundle")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="reuse or keep the bundle here, by content hash")] = None,
    train_from: Moment = None,
    train_until: Moment = None,
    label_delay_days: Annotated[int, typer.Option(help="days until a label is known")] = 7,
    seed: Annotated[int, typer.Option(min=0, help="seed of the training")] = FitSettings().seed,
    alert_budget_per_day: Annotated[float | None, typer.Option(help="alerts a day (instead of a share)")] = None,
    review_share: Annotated[float, typer.Option(help="share of events that may be alerted")] = 0.01,
    cost_missed_fraud: MissedFraud = None,
    cost_false_alert: FalseAlert = None,
    cost_false_block: FalseBlock = None,
    imbalance: Annotated[Imbalance, typer.Option(help="way with the imbalance; compare: try all, take the best")] = (
        Imbalance.plain
    ),
    threads: Annotated[int, typer.Option(min=1, help="threads of the tree training")] = 1,
) -> None:
    """Train a model on labelled history; the bundle's directory is the last line on standard output.

    Progress goes to standard error as JSON lines.
    """
    if (out is None) == (cache_dir is None):
        raise BadInputError("name either --out (write the bundle there) or --cache-dir (reuse it by content hash)")
    files = _transfer_files(domain, events, labels, (accounts, members, findings))
    base = TrainSettings() if files is None else AmlTrainSettings()
    settings = replace(
        base,
        from_ns=instant_ns(train_from, "--train-from"),
        until_ns=instant_ns(train_until, "--train-until"),
        label_delay_days=label_delay_days,
        fit=replace(
            base.fit,
            seed=seed,
            nthread=threads,
            imbalance=ImbalanceSettings(METHOD_OF[imbalance]),
            budget=AlertBudget(review_share, alert_budget_per_day),
            cost=cost_matrix(cost_missed_fraud, cost_false_alert, cost_false_block),
        ),
    )
    tell = JsonLines(sys.stderr)
    if files is not None and isinstance(settings, AmlTrainSettings):
        bundle = _train_aml(files, out, cache_dir, settings, tell)
    elif out is not None:
        bundle = train_bundle(events, labels, out, settings, tell)
    else:
        bundle = train_cached(events, labels, Path(str(cache_dir)), settings, tell)
    typer.echo(str(bundle.directory))


def _transfer_files(
    domain: Domain, events: Path, labels: Path, beside: tuple[Path | None, Path | None, Path | None]
) -> TransferFiles | None:
    """The files of a training on transfers, None for cards; `beside` are accounts, members and findings. Raises
    `BadInputError` for what does not go together."""
    accounts, members, findings = beside
    if domain is Domain.aml:
        if accounts is None or members is None:
            raise BadInputError("train aml needs --accounts FILE and --members FILE beside --events and --labels")
        return TransferFiles(events, labels, accounts, members, findings)
    if any(path is not None for path in beside):
        raise BadInputError(f"--accounts, --members and --findings: leave them out of train {domain.value}")
    return None


def _train_aml(
    files: TransferFiles, out: Path | None, cache: Path | None, settings: AmlTrainSettings, tell: Tell
) -> Bundle:
    if out is not None:
        return train_aml_bundle(files, out, settings, tell)
    return train_aml_cached(files, Path(str(cache)), settings, tell)


app.command()(separability)
app.command()(ablate)
app.command()(importance)
app.command()(judge)
app.command("contest")(contest_command)


def main() -> None:
    """Run the command line; an error the user can act on is one line on standard error and its exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except RiskbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
