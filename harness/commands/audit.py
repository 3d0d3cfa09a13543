"""`bench audit …`: checks that answer yes or no, for those who have to rely on a run or on a world."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from harness.audit_trail.verify import LIMIT, Verified, as_json, verify
from harness.commands.audit_world import aml, fraud

app = typer.Typer(no_args_is_help=True, help="Check what has to be relied on: a run's audit trail, a world's honesty.")


@app.callback()
def audit() -> None:
    """Check what has to be relied on: a run's audit trail, a world's honesty."""


app.command("fraud")(fraud)
app.command("aml")(aml)


@app.command("verify")
def verify_command(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    limit: Annotated[int, typer.Option(help="Findings shown at most; all are counted.", min=1)] = LIMIT,
    head: Annotated[
        str | None, typer.Option(help="The head's hash as noted outside the run folder (64 hexadecimal digits).")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the findings as JSON to standard output.")] = False,
) -> None:
    """Is a run's audit trail whole? Names every altered, removed, inserted, moved or cut-off record.

    The trail's chain is followed, and held against results.json, decisions.parquet, events.parquet and what decided.

    Ends with 0 when it is whole, with 1 when it is not, with 2 when there is no such run.
    """
    found = verify(run, limit, head)
    if json_output:
        typer.echo(msgspec.json.format(msgspec.json.encode(as_json(found)), indent=2).decode())
    else:
        _tell(found, Console())
    raise typer.Exit(0 if found.whole else 1)


def _tell(found: Verified, console: Console) -> None:
    if found.findings:
        table = Table(header_style="bold")
        for name in ("what", "line", "seq", "event"):
            table.add_column(name, justify="right" if name in ("line", "seq") else "left", overflow="fold")
        table.add_column("finding", overflow="fold")
        for finding in found.findings:
            place = ("–" if value is None else f"{value:,}" for value in (finding.line, finding.seq))
            table.add_row(finding.kind, *place, finding.event_id or "–", finding.text)
        console.print(table)
    if found.total > len(found.findings):
        console.print(f"… and {found.total - len(found.findings):,} more (--limit)", highlight=False)
    status = "[bold green]WHOLE[/]" if found.whole else f"[bold red]TAMPERED[/]  {found.total:,} findings"
    console.print(f"{status}  {found.records:,} records, head {found.head}", highlight=False, soft_wrap=True)
    console.print(f"held against {', '.join(found.compared)}", highlight=False, soft_wrap=True)
