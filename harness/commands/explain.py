"""`bench explain RUN EVENT_ID`: one decision of a run, computed again and shown with everything that led to it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pyarrow.compute as pc
import typer
from rich.console import Console

from harness.explain_view import tell_decision, tell_sample
from harness.interruption import interruptible
from harness.recompute import (
    Recomputed,
    Shares,
    check_case,
    compare_shares,
    find_decision,
    read_rows,
    recompute,
    recorded_shares,
)
from harness.steps import Steps
from streams.errors import BadInputError

DIFFERENT_SHOWN = 20


def explain(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    event_id: Annotated[str | None, typer.Argument(help="The event whose decision is explained.")] = None,
    *,
    sample: Annotated[
        int | None, typer.Option(help="Instead of one event: this many random decisions, checked only.", min=1)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Instead of one event: every decision.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the sample.", min=0)] = 1,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON to standard output, all else to standard error.")
    ] = False,
) -> None:
    """Compute decisions again from the run folder alone, and say whether they are the recorded ones, bit for bit.

    For one event: features, rules that fired, contributions to the margin (log-odds), versions and thresholds.

    Ends with 0 when all are equal, with 1 when one differs, with 2 when there is no such run or event.
    """
    if sum((event_id is not None, sample is not None, everything)) != 1:
        raise BadInputError("give one of the three: an EVENT_ID, --sample N or --all")
    check_case(run)
    console = Console(stderr=json_output)
    if event_id is not None:
        content, whole = _one(run, event_id, console, quiet=json_output)
    else:
        # explaining every decision of a long run would take longer than the run
        drawn = ["--sample", str(sample), "--seed", str(seed), "--contributions"]
        chosen = ["--all", "--no-contributions"] if sample is None else drawn
        content, whole = _many(run, chosen, console, quiet=json_output)
    if json_output:
        typer.echo(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
    raise typer.Exit(0 if whole else 1)


def _again(run: Path, chosen: list[str], console: Console) -> tuple[list[Recomputed], Shares]:
    with interruptible(), Steps(console).step("Computing again what was decided") as say:
        found = recompute(run, chosen, say)
    return found, compare_shares(found, recorded_shares(run, [one.event_id for one in found]))


def _one(run: Path, event_id: str, console: Console, *, quiet: bool) -> tuple[dict[str, Any], bool]:
    decided = find_decision(run, event_id)
    found, shares = _again(run, ["--event", event_id], console)
    if not found:
        raise BadInputError(f"{event_id}: was not computed again; see the events of {run}")
    event, truth = (_row(run / f"{name}.parquet", event_id) for name in ("events", "labels"))
    if not quiet:
        tell_decision(found[0], decided, event, truth, shares, console)
    content = {"decision": found[0], "shares": asdict(shares), "event": event, "truth": truth}
    return content, found[0].equal and shares.agree == shares.compared


def _row(file: Path, event_id: str) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    rows = read_rows(file, pc.field("event_id") == event_id)
    return rows[0] if rows else None


def _many(run: Path, chosen: list[str], console: Console, *, quiet: bool) -> tuple[dict[str, Any], bool]:
    found, shares = _again(run, chosen, console)
    different = [one.event_id for one in found if not one.equal]
    content = {
        "sampled": len(found),
        "equal": len(found) - len(different),
        "features_compared": sum(one.features_equal is not None for one in found),
        "features_equal": sum(one.features_equal is True for one in found),
        "by_path": {path: sum(one.path == path for one in found) for path in ("rules", "model", "fallback")},
        "different": different[:DIFFERENT_SHOWN],
        "shares": asdict(shares),
    }
    if not quiet:
        tell_sample(content, console)
    return content, not different and shares.agree == shares.compared
