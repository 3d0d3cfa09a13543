"""What `bench replay` was asked for of known drifts: one by its name, or all of them."""

import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.commands.scorer_choice import refuse_prefix
from harness.commands.surroundings import Surroundings
from harness.drift.replays.campaign import DRIFTS_FILE, DRIFTS_PAGE, Campaign, Trial, runs_of
from harness.drift.replays.figures import short_table, summary
from harness.drift.replays.markdown import part, write_part
from harness.drift.replays.ready import FOLDER, Ready, ready
from harness.drift.retraining.answering import refuse_unanswerable
from harness.replaying.changes import NAMES, Wanted
from harness.report.terminal import drawn
from harness.run import Outside
from harness.shipped import names
from streams.errors import BadInputError

PREFIX = f"{FOLDER}/"
IN_PROCESS = "inprocess"


@dataclass(frozen=True, slots=True)
class DriftsAsked:
    """`run` is the argument: drift/NAME, a run folder, or nothing."""

    run: str | None
    everything: bool
    only: list[str]
    seeds: int
    write: Path | None
    again: Path | None

    @property
    def is_asked(self) -> bool:
        """Whether known drifts are to be replayed. Raises BadInputError for options that do not belong together."""
        if self.everything and self.run is not None:
            raise BadInputError(f"--all replays every known drift: leave out {self.run}, or give --only")
        if self.run is None and not self.everything:
            raise BadInputError("say what: RUN (the folder of an earlier run), drift/NAME, or --all")
        if self.only and not self.everything:
            raise BadInputError("--only belongs to --all")
        is_drift = self.run is not None and self.run.startswith(PREFIX) and not Path(self.run).is_dir()
        if not self.everything and not is_drift and (self.write or self.again or self.seeds > 1):
            raise BadInputError("--seeds, --write and --again belong to known drifts: drift/NAME, or --all")
        if self.write is not None and self.write.suffix != ".md":
            raise BadInputError(f"--write {self.write}: the page is Markdown; give a name that ends in .md")
        return self.everything or is_drift

    @property
    def patterns(self) -> list[str]:
        """Which of the shipped ones. Raises BadInputError for a name that is none of them."""
        if self.run is None:
            return self.only
        name = self.run.removeprefix(PREFIX)
        if name not in names(FOLDER, []):
            raise BadInputError(f"{self.run}: no such drift; there are {', '.join(names(FOLDER, []))}")
        return [name]

    @property
    def command(self) -> str:
        """As it was typed, but for where it ran."""
        only = "".join(f" --only '{each}'" for each in self.only)
        seeds = f" --seeds {self.seeds}" if self.seeds > 1 else ""
        return f"bench replay {self.run or '--all'}{only}{seeds}"


def replay_drifts(asked: DriftsAsked, wanted: Wanted, where: Surroundings, *, as_json: bool) -> list[Trial]:
    """Stream them, watch them, tell of them. With `as_json` that is told on standard error, and drifts.json printed,
    unless a drift is to be answered: what came of that is printed then.

    Raises BadInputError where more than one drift is to be answered.
    """
    chosen = ready(asked.patterns, _changes(wanted), NAMES, asked.seeds)
    for each in chosen:
        refuse_prefix(each.scenario, where.topic_prefix)
    if where.topic_prefix is not None and len(chosen) > 1:
        raise BadInputError("--topic-prefix names the topics of one run: give it with drift/NAME")
    if wanted.on_drift is not None:
        if len(chosen) > 1:
            raise BadInputError("--on-drift retrain answers one known drift: give it with drift/NAME, without --seeds")
        refuse_unanswerable(chosen[0].scenario)
    now = datetime.now(UTC)
    folder = (asked.again or where.out / f"{now:%Y%m%d-%H%M%S}-drift").resolve()
    known = {} if asked.again is None else runs_of(folder, chosen)
    console = Console(stderr=as_json)
    options = where.options(chosen[0].scenario, wanted.bootstrap_servers)
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    setting = _setting(chosen, wanted, len(known))
    trials = Campaign(folder, options, outside, console).run(chosen, f"{setting}, {now:%Y-%m-%d %H:%M} UTC", known)
    _tell(trials, folder, console)
    if asked.write is not None:
        write_part(asked.write, part(trials, asked.command, now.date().isoformat(), setting))
    if as_json and wanted.on_drift is None:
        sys.stdout.write((folder / DRIFTS_FILE).read_text(encoding="utf-8"))
        sys.stdout.flush()
    return trials


def _changes(wanted: Wanted) -> dict[str, Any]:
    """In process, unless a broker or an engine is asked for."""
    if wanted.speed != 1.0:
        raise BadInputError("--speed is of an earlier run's schedule: a known drift has its scenario's")
    over_broker = wanted.broker is not None or wanted.bootstrap_servers is not None
    engine = wanted.engine or (None if over_broker else IN_PROCESS)
    if engine == IN_PROCESS and over_broker:
        raise BadInputError("--engine inprocess has no broker: give one of the two")
    return {
        "scorer.engine": engine,
        "scorer.workers": wanted.workers,
        "scorer.bundle": None if wanted.bundle is None else str(wanted.bundle.resolve()),
        "scorer.rules": None if wanted.rules is None else str(wanted.rules.resolve()),
        "broker": wanted.broker,
    }


def _setting(chosen: list[Ready], wanted: Wanted, known: int) -> str:
    engines = ", ".join(sorted({each.scenario.scorer.engine for each in chosen}))
    broker = f"broker {wanted.broker or chosen[0].scenario.broker}"
    where = "no broker" if engines == IN_PROCESS else "a running Kafka" if wanted.bootstrap_servers else broker
    again = f", {known} of them made before and watched again" if known else ""
    return f"{len(chosen)} {'replay' if len(chosen) == 1 else 'replays'}, engine {engines}, {where}{again}"


def _tell(trials: list[Trial], folder: Path, console: Console) -> None:
    console.print()
    console.print(drawn(short_table(trials)))
    for line in summary(trials):
        console.print(f"  - {line}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"\nreport: {folder / DRIFTS_PAGE}", highlight=False, soft_wrap=True)
