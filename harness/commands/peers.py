"""`bench peers …`: our engines beside other runtimes that do the same job, in one run."""

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from harness.apart import environment_apart
from harness.commands.changes import resolve
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import Broker, BrokerChoice, Bundle, Partitions, Rules, ScenarioFile, Senders
from harness.environment import describe_environment
from harness.interruption import interruptible
from harness.marked_part import write_between
from harness.peers.climb import Ladder
from harness.peers.contenders import OWN, Contender, Serving, chosen, of_peer, own_contenders
from harness.peers.ground import Feeds, prepare_ground
from harness.peers.page import to_markdown
from harness.peers.plot import plot
from harness.peers.registry import Peer, read_registry
from harness.peers.session import PEERS_FILE, Session
from harness.peers.turn import Stage, Turn
from harness.processes import Family
from harness.report.words import ms
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.slo_option import LatencyLimit, parse_limit
from harness.steps import Steps
from harness.training import Workshop
from harness.verdict import EXIT_CODES
from streams.brokers import Broker as RunningBroker
from streams.brokers import open_broker
from streams.errors import BadInputError, RiskbenchError

app = typer.Typer(no_args_is_help=True, help="Measure our engines beside other runtimes that do the same job.")
MARK, PLOT, DURATION_S_MIN = "bench peers fraud", "peers.svg", 3.0

Only = Annotated[
    list[str] | None,
    typer.Option(help="Only these, beside our native engine; may be given several times. Default: all there are."),
]
Rates = Annotated[str, typer.Option(help="The ladder: ascending events/s, separated by commas.")]
Refine = Annotated[int, typer.Option(min=0, max=6, help="How often the gap between held and not held is halved.")]
Slo = Annotated[str, typer.Option(help="Limit of the response time that a rate has to keep, for example p99=100ms.")]
Seconds = Annotated[float, typer.Option(help="Measured time of every turn, s; at least 3.")]
WarmupSeconds = Annotated[float, typer.Option(min=0, help="Seconds sent and decided, but not measured, first.")]
Write = Annotated[Path | None, typer.Option(help="Put table and plot into this Markdown page, between two marks.")]
OutFolder = Annotated[Path, typer.Option(help="Folder that gets the comparison's folder.", rich_help_panel="Where")]
Json = Annotated[bool, typer.Option("--json", help="Print peers.json to standard output, all else to error.")]


@app.command()
def fraud(
    context: typer.Context,
    *,
    only: Only = None,
    rates: Rates = "1000,2000,4000,8000,16000",
    refine: Refine = 1,
    slo: Slo = "p99=100ms",
    duration: Seconds = 5.0,
    warmup: WarmupSeconds = 3.0,
    partitions: Partitions = None,
    senders: Senders = None,
    scenario: ScenarioFile = "fraud",
    bundle: Bundle = None,
    rules: Rules = None,
    broker: Broker = None,
    write: Write = None,
    out: OutFolder = Path("runs"),
    cache_dir: CacheDir = None,
    as_json: Json = False,
) -> None:
    """Card fraud: response times by rate, capacity, processor time and memory of each, by turns in one run; and whether
    all decide alike, to the bit.

    The peers' environments are built on first use and kept in the cache. Stopping it (Ctrl-C) keeps what was found.
    Exit code 0: all decide alike; 1: somebody does not; 3: nothing could be measured.
    """
    limit, ladder = parse_limit(slo), _ladder(rates, refine, duration)
    changes = {
        "load.rate_per_s": ladder.rates_per_s[-1],
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "load.senders": senders,
        "scorer.bundle": None if bundle is None else str(bundle.resolve()),
        "scorer.rules": None if rules is None else str(rules.resolve()),
        "broker": broker.value if broker else None,
    }
    resolved = resolve(scenario, changes, None, timed=True)
    peers = read_registry()
    names = chosen([*OWN, *(peer.name for peer in peers)], only or [])
    console, cache = Console(stderr=as_json), cache_folder(cache_dir).resolve()
    folder = RunFolder.create(out, f"peers-{resolved.name}", datetime.now(UTC))
    command = _command(rates, refine, slo, duration, warmup, broker, only)
    comparison = _Comparison(resolved, ladder, limit, folder, cache, Steps(console), command, context.obj or {})
    with interruptible(), comparison.ready([peer for peer in peers if peer.name in names], names) as (session, stage):
        try:
            session.play(stage)
        finally:
            comparison.conclude(session, write)
    folder.complete()
    if as_json:
        sys.stdout.write((folder.path / PEERS_FILE).read_text(encoding="utf-8"))
    raise typer.Exit(_exit_code(session))


def _ladder(rates: str, refine: int, duration: float) -> Ladder:
    if not duration >= DURATION_S_MIN:
        raise BadInputError(f"--duration {duration:g} s is too short for a P99: give at least {DURATION_S_MIN:g} s")
    try:
        given = tuple(float(rate) for rate in rates.split(","))
    except ValueError:
        raise BadInputError(f"--rates {rates!r}: numbers separated by commas, for example 1000,2000,4000") from None
    return Ladder(given, refine)


def _command(
    rates: str, refine: int, slo: str, duration: float, warmup: float, broker: BrokerChoice | None,
    only: list[str] | None,
) -> str:  # fmt: skip
    told = (
        f"bench peers fraud --rates {rates} --refine {refine} --slo {slo} --duration {duration:g} --warmup {warmup:g}"
    )
    told += f" --broker {broker.value}" if broker else ""
    return told + "".join(f" --only {name}" for name in only or [])


def _exit_code(session: Session) -> int:
    if not any(turn.p99_ms for turn in session.turns):
        return EXIT_CODES["invalid"]
    return EXIT_CODES["fail" if any(turn.differing for turn in session.turns) else "pass"]


class _Comparison:
    """Everything around the turns: what they stand on before, what is said of them after."""

    def __init__(
        self, scenario: Scenario, ladder: Ladder, limit: LatencyLimit, folder: RunFolder, cache: Path, steps: Steps,
        command: str, environ: dict[str, str],
    ) -> None:  # fmt: skip
        self._scenario, self._ladder, self._limit = scenario, ladder, limit
        self._folder, self._cache, self._steps = folder, cache, steps
        self._command, self._environ = command, environ

    @contextmanager
    def ready(self, peers: list[Peer], names: set[str]) -> Iterator[tuple[Session, Stage]]:
        """Environments, model, state and broker, for as long as the turns take."""
        folder, logs = self._folder, self._folder.path / "logs"
        with Family() as family:
            shop = Workshop(self._cache, logs, family, lambda _: None)
            feeds, serving = prepare_ground(self._scenario, self._cache, folder.work, shop, self._steps)
            own = [contender for contender in own_contenders(serving) if contender.name in names]
            theirs, absent = self._peers(peers, serving, shop)
        with self._steps.step("Starting a broker"):
            broker = open_broker(
                None if self._scenario.broker == "auto" else self._scenario.broker,
                run_dir=folder.work / "broker",
                cache_dir=self._cache,
                environ=self._environ,
            )
        with broker:
            info = broker.start()
            if info.warning:
                self._steps.warn(info.warning)
            yield self._session([*own, *theirs], absent, broker), self._stage(broker, feeds)

    def _peers(self, peers: list[Peer], serving: Serving, shop: Workshop) -> tuple[list[Contender], dict[str, str]]:
        found: list[Contender] = []
        absent: dict[str, str] = {}
        for peer in peers:
            with self._steps.step(f"Environment of {peer.name}"):
                try:
                    found.append(of_peer(peer, environment_apart(peer.name, peer.lock, shop), serving))
                except RiskbenchError as error:
                    absent[peer.name] = " ".join(str(error).split())
            if peer.name in absent:
                self._steps.warn(f"{peer.name} is left out: {absent[peer.name]}")
        return found, absent

    def _session(self, contenders: list[Contender], absent: dict[str, str], broker: RunningBroker) -> Session:
        load, info, machine = self._scenario.load, broker.info, describe_environment()
        setting = {
            "command": self._command,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "scenario": self._scenario.name,
            "limit": str(self._limit),
            "limit_ms": self._limit.limit_ms,
            "broker": {"apache": "Apache Kafka", "embedded": "the embedded broker"}.get(info.name, info.name)
            + (f" {info.version}" if info.version else ""),
            "partitions": load.partitions,
            "duration_s": load.duration_s,
            "warmup_s": load.warmup_s,
            "machine": f"{machine.cpu_usable} cores of {machine.cpu_model}, Python {machine.python}",
        }
        return Session(contenders, absent, self._ladder, self._folder, setting, self._told, time.monotonic)

    def _stage(self, broker: RunningBroker, feeds: Feeds) -> Stage:
        logs = self._folder.path / "logs"
        return Stage(broker, feeds, self._limit, self._folder.work, logs, secrets.token_hex(2))

    def _told(self, turn: Turn, took_s: float) -> None:
        words = "held" if turn.held else f"not held: {turn.why}"
        if turn.held and turn.why:
            words += f", but {turn.why}"
        figures = f"P50 {ms(turn.p50_ms):>8}  P99 {ms(turn.p99_ms):>8}  P99.9 {ms(turn.p999_ms):>8}"
        line = f"{turn.contender:<13}{turn.rate_per_s:>7,.0f}/s  {figures}  {words} ({took_s:.0f} s)"
        self._steps.console.print(Text(line), soft_wrap=True)

    def conclude(self, session: Session, write: Path | None) -> None:
        """Say, keep and (if asked) write into a page what was found so far; nothing if nothing was measured."""
        content: dict[str, Any] = session.content()
        if not any(turn.p99_ms for turn in session.turns):
            return
        session.save()
        drawn, page = plot(content, self._limit.limit_ms), to_markdown(content, None)
        self._folder.write(PLOT, drawn)
        self._folder.write("peers.md", page + "\n")
        self._steps.console.print(Text(f"\n{page}\n"), soft_wrap=True)
        if write is not None:
            write_beside(write, content, drawn)
        self._steps.console.print(Text(str(self._folder.path / PEERS_FILE)), soft_wrap=True)


def write_beside(page: Path, content: dict[str, Any], drawn: str) -> None:
    """Put the comparison into a page, its plot beside the page."""
    picture = page.with_name(f"{page.stem}-{PLOT}")
    write_between(page, MARK, to_markdown(content, picture.name), "Performance")
    try:
        picture.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--write {page}: {picture}: {error.strerror or error}") from error
