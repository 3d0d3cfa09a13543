"""The commands by name, what each is for and where it stands: a command's module is loaded when it is called, for some
need seconds to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` in harness.commands; `attribute` is its group of commands, or the function of a single one; `words` are
    what the list of commands shows of it."""

    module: str
    words: str
    attribute: str = "app"
    settings: Mapping[str, Any] = field(default_factory=dict)


COMMANDS: dict[str, Entry] = {
    "report": Entry("report", "Write report.html of a run again, and print its summary.", "report"),
    "replay": Entry("replay", "Run an earlier run again, or stream a known drift, and list what came of it.", "replay"),
    "explain": Entry("explain", "Compute decisions again from the run folder, and say whether they agree.", "explain"),
    "selftest": Entry("selftest", "Plant known faults, and hold what is reported against what was done.", "selftest"),
    "compare": Entry("compare", "Two run folders side by side, with the change from A to B.", "compare"),
    "dead-letter": Entry("dead_letter", "What did a run's scorer refuse, and why?", "dead_letter"),
    "gate": Entry("gate", "Fail when one build is slower than another.", "gate", {"allow_extra_args": True}),
    "merge": Entry("merge", "Put the shares of one run together.", "merge"),
    "size": Entry("size", "Find out how much of everything a rate takes.", "size"),
    "kernels": Entry("kernels", "Find out what the kernels cost by how many cards or accounts they know.", "kernels"),
    "run": Entry("run", "Run a benchmark: stream, score, measure, judge, report."),
    "train": Entry("train", "Train a model and write its bundle."),
    "prepare": Entry("prepare", "Write what a scorer that runs elsewhere starts from."),
    "ablate": Entry("ablate", "Find out what each part of the model is worth."),
    "world": Entry("world", "Write a synthetic world's tables."),
    "card": Entry("card", "Write a model card."),
    "capacity": Entry("capacity", "Find the highest rate that is held: doubling, then bisection."),
    "inject": Entry("inject", "Make something fail on purpose, and measure what came of it."),
    "peers": Entry("peers", "Measure our engines beside other runtimes that do the same job."),
    "audit": Entry("audit", "Check what has to be relied on: a run's audit trail, a world's honesty."),
    "features": Entry("features", "Build, inspect and compare feature rows (Parquet, read with DuckDB)."),
}


def load(name: str) -> Any:
    """The command itself, its module imported."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"harness.commands.{entry.module}"), entry.attribute)
    holder = typer.Typer()
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name, context_settings=dict(entry.settings))(found)
    return typer.main.get_group(holder).commands[name]


class LoadedWhenCalled(TyperGroup):
    """A group whose help shows what the table says; what is called is the command itself."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the group does, with the command loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest


def enter_commands(app: typer.Typer) -> None:
    """Put a place holder for every command into an app of class `LoadedWhenCalled`."""
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.words)(_place_holder)


def _place_holder() -> None:
    """Never called: the group resolves to the command itself."""
