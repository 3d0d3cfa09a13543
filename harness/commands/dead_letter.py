"""`bench dead-letter RUN`: what a run's scorer refused, and why; write the originals to files, or send them again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from harness.letters_again import save_originals, send_originals
from harness.refusals import BEGINS_BYTES, Letter, Refusals, chosen_letters, refusals_of
from streams.brokers.connection import connection_from
from streams.errors import BadInputError

SHOWN = 20
REPLAY = "Send them again"

Reason = Annotated[str | None, typer.Option(help="Only those whose reason contains this.")]
Limit = Annotated[int, typer.Option(help="Messages listed at most; all are counted.", min=0)]
Originals = Annotated[
    Path | None, typer.Option("--save", help="Write the original bytes, a file each, into this folder, with an index.")
]
Replay = Annotated[
    str | None,
    typer.Option("--replay", metavar="TOPIC", help="Send the original bytes to this topic.", rich_help_panel=REPLAY),
]
Servers = Annotated[
    str | None,
    typer.Option("--bootstrap-servers", help="Kafka that has the topic, HOST:PORT,…", rich_help_panel=REPLAY),
]
Config = Annotated[
    Path | None, typer.Option("--kafka-config", help="Properties file (SASL, TLS) for it.", rich_help_panel=REPLAY)
]
Json = Annotated[bool, typer.Option("--json", help="Print what was found as JSON, all else to standard error.")]


def dead_letter(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    *,
    reason: Reason = None,
    limit: Limit = SHOWN,
    save: Originals = None,
    replay: Replay = None,
    bootstrap_servers: Servers = None,
    kafka_config: Config = None,
    as_json: Json = False,
) -> None:
    """What did a run's scorer refuse, and why? Reasons with their counts, then the messages.

    With --save the originals are written to files, with --replay they are sent again: to a topic that is there, with
    their keys and in the order in which they were refused. What a dead letter could not hold whole is left out of both,
    and said.
    """
    if replay is not None and bootstrap_servers is None:
        raise BadInputError("--replay TOPIC needs --bootstrap-servers HOST:PORT: a run's own broker has ended with it")
    if replay is None and (bootstrap_servers is not None or kafka_config is not None):
        raise BadInputError("--bootstrap-servers and --kafka-config are for --replay TOPIC")
    letters = chosen_letters(run, reason)
    console = Console(stderr=as_json)
    if as_json:
        found = refusals_of(letters, limit)
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _tell(refusals_of(letters, limit), console)
    if save is not None:
        _say(save_originals(letters, save), f"written to {save}", console)
    if replay is not None and bootstrap_servers is not None:
        sent = send_originals(letters, replay, connection_from(bootstrap_servers, kafka_config))
        _say(sent, f"sent to {replay}", console)


def _say(counts: tuple[int, int], what: str, console: Console) -> None:
    done, cut = counts
    console.print(f"{done:,} originals {what}", highlight=False)
    if cut:
        console.print(f"{cut:,} left out: their letters hold only what they begin with", highlight=False)


def _tell(found: Refusals, console: Console) -> None:
    if not found.total:
        console.print("no dead letters")
        return
    reasons = Table(header_style="bold")
    reasons.add_column("messages", justify="right")
    reasons.add_column("put in by", overflow="fold")
    reasons.add_column("reason", overflow="fold")
    for group in found.reasons:
        reasons.add_row(f"{group.messages:,}", _by(group.fault), group.reason)
    console.print(reasons)
    if found.letters:
        console.print(_listed(found.letters))
    if found.total > len(found.letters):
        console.print(f"… and {found.total - len(found.letters):,} more (--limit)", highlight=False)


def _listed(letters: Sequence[Letter]) -> Table:
    listed = Table(header_style="bold")
    for name in ("partition", "offset", "bytes"):
        listed.add_column(name, justify="right")
    listed.add_column("key", overflow="fold")
    listed.add_column("reason", overflow="fold")
    listed.add_column(f"first {BEGINS_BYTES} bytes", overflow="fold")
    for each in letters:
        listed.add_row(
            f"{each.partition}", f"{each.offset}", f"{each.size_bytes:,}", each.key or "–", each.reason, each.begins
        )
    return listed


def _by(fault: int | None) -> str:
    return "nobody" if fault is None else f"faults[{fault}]"
