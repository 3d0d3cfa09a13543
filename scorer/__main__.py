"""Command line of the scorer: `python -m scorer --engine …` (worker or nightly job) and `python -m scorer warm`."""

import logging
import os
import signal
import socket
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from scorer.allocation import give_back_memory
from scorer.breaker_config import FORCED, WINDOW_KINDS, BreakerConfig
from scorer.bulkhead import LimitKind
from scorer.engines import DEFAULT_ENGINE, ENGINES
from scorer.event_clock import Plausible
from scorer.guarded_model import Guards
from scorer.options import CHECKPOINT_EVERY_S, EXPLAIN, ROLES, FileInput, LoadgenLoad, RunOptions, required
from scorer.pinning import pin
from scorer.recompute_command import recompute_command
from streams.errors import BadInputError, RiskbenchError
from streams.topics import DOMAINS

log = logging.getLogger("riskbench.scorer")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_RULES = Path(str(files("rules")))
SHIPPED_RULES = {"fraud": _RULES / "fraud.yaml", "aml": _RULES / "aml"}
_DEFAULTS = BreakerConfig()
_GUARDS = Guards()
_LOAD = LoadgenLoad()
_PLAUSIBLE = Plausible()
WINDOW_S = 60
Known = TypeVar("Known", bound=str)
LIMIT_KINDS: tuple[LimitKind, ...] = ("soft", "hard")
LEVELS = ("debug", "info", "warning", "error")


SWITCH_S = 0.0005
"""How long a thread keeps Python's lock from one that asks for it: an explanation or a checkpoint would hold up the
deciding thread for Python's own 5 ms."""


class StopFlag:
    """Set by a signal; looked at by the engine between micro-batches."""

    def __init__(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        """Whether to end."""
        return self._set

    def set(self) -> None:
        """Ask to end."""
        self._set = True


def _instance(pid: int, host: str) -> str:
    """What tells processes of a role apart: in containers all of them are number 1, but each has a host name made up
    for it."""
    return host if pid == 1 else str(pid)


def _known(value: str, option: str, allowed: tuple[Known, ...]) -> Known:
    for known in allowed:
        if value == known:
            return known
    raise BadInputError(f"{option} {value!r} is not known; choose one of {', '.join(allowed)}")


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    engine: Annotated[str, typer.Option(help=f"how events come and go: {', '.join(ENGINES)}")] = DEFAULT_ENGINE,
    domain: Annotated[str, typer.Option(help="what is decided: fraud (transactions) or aml (transfers)")] = "fraud",
    role: Annotated[str, typer.Option(help="worker (decides) or nightly (closes day tables)")] = "worker",
    bootstrap_servers: Annotated[str | None, typer.Option(help="Kafka addresses, HOST:PORT,…")] = None,
    kafka_config: Annotated[Path | None, typer.Option(help="properties file with SASL/TLS settings")] = None,
    prefix: Annotated[str | None, typer.Option(help="prefix of the run's topics")] = None,
    group: Annotated[str | None, typer.Option(help="consumer group (default: PREFIX.scorer)")] = None,
    worker_id: Annotated[str | None, typer.Option(help="name of this worker in decisions and health")] = None,
    bundle: Annotated[Path | None, typer.Option(help="model bundle (directory)")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="rule pack (YAML file), or a folder of typologies; default: the shipped one")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="warm state (directory written by `warm`)")] = None,
    explain: Annotated[
        str, typer.Option(help="whose scores are explained by features: flagged, all, none")
    ] = "flagged",
    batch_max: Annotated[int, typer.Option(help="most events in a micro-batch", min=1, max=10_000)] = 256,
    table_wait_s: Annotated[float, typer.Option(help="longest wait for a day table, in s", min=0, max=3600)] = 10.0,
    checkpoint_dir: Annotated[
        Path | None, typer.Option(help="where the cards' state is kept with its offsets; a restart goes on from there")
    ] = None,
    checkpoint_every_s: Annotated[
        float, typer.Option(help="how often it is kept, in s", min=0.1, max=86_400)
    ] = CHECKPOINT_EVERY_S,
    cpu: Annotated[int | None, typer.Option(help="processor to be held to (Linux); default: any", min=0)] = None,
    topics_wait_s: Annotated[
        float, typer.Option(help="longest wait for the run's topics to be made, in s (0: they are there)", min=0)
    ] = 0.0,
    metrics_host: Annotated[str, typer.Option(help="address for /health and /metrics")] = "127.0.0.1",
    metrics_port: Annotated[int, typer.Option(help="their port (0: any free one)", min=0, max=65535)] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="JSON written once events can be taken")] = None,
    summary: Annotated[Path | None, typer.Option(help="JSON written at the end")] = None,
    breaker_sla_ms: Annotated[float, typer.Option(help="a model call longer than this is slow, in ms")] = (
        _DEFAULTS.slow_call_duration_s * 1e3
    ),
    breaker_time_limit_ms: Annotated[float, typer.Option(help="a model call is given up after this, in ms")] = (
        _GUARDS.time_limit_s * 1e3
    ),
    breaker_failure_rate: Annotated[float, typer.Option(help="share of failed calls that opens it, 0–1")] = (
        _DEFAULTS.failure_rate_threshold
    ),
    breaker_slow_call_rate: Annotated[float, typer.Option(help="share of slow calls that opens it, 0–1")] = (
        _DEFAULTS.slow_call_rate_threshold
    ),
    breaker_window: Annotated[str, typer.Option(help="what it judges by: count (of calls) or time")] = (
        _DEFAULTS.window_kind
    ),
    breaker_window_calls: Annotated[int, typer.Option(help="calls it judges by (window count)")] = (
        _DEFAULTS.window_size
    ),
    breaker_window_s: Annotated[int, typer.Option(help="whole seconds it judges by (window time)")] = WINDOW_S,
    breaker_minimum_calls: Annotated[int, typer.Option(help="calls before it judges")] = _DEFAULTS.minimum_calls,
    breaker_open_s: Annotated[
        float, typer.Option(help="how long it stays open at first, in s")
    ] = _DEFAULTS.wait_open_s,
    breaker_open_factor: Annotated[float, typer.Option(help="by which that grows with every failed trial")] = (
        _DEFAULTS.wait_open_factor
    ),
    breaker_open_s_max: Annotated[float, typer.Option(help="up to this, in s")] = _DEFAULTS.wait_open_s_max,
    breaker_half_open_calls: Annotated[int, typer.Option(help="trial calls in half-open")] = (
        _DEFAULTS.permitted_calls_half_open
    ),
    breaker_half_open_s_max: Annotated[float, typer.Option(help="longest wait for them, in s (0: for ever)")] = (
        _DEFAULTS.wait_half_open_s_max
    ),
    breaker_overdue_calls: Annotated[
        int, typer.Option(help="calls in a row past the time limit that open it at once (0: the window decides)")
    ] = _GUARDS.overdue_calls_max,
    breaker_forced: Annotated[
        str | None, typer.Option(help="open: the rules decide everything; closed: the model is always asked")
    ] = None,
    breaker_concurrent_calls_max: Annotated[
        int, typer.Option(help="bulkhead: model calls under way at a time, overdue ones among them")
    ] = _GUARDS.max_concurrent_calls,
    breaker_wait_ms_max: Annotated[
        float, typer.Option(help="bulkhead: longest wait for a place, part of the time limit, in ms")
    ] = _GUARDS.max_wait_s * 1e3,
    breaker_limit_kind: Annotated[
        str, typer.Option(help="soft: a call past its limit is told to stop; hard: it is left behind, whatever hangs")
    ] = _GUARDS.limit_kind,
    breaker_late_wait_s: Annotated[
        float, typer.Option(help="how long an overdue call may go on for its late score, in s")
    ] = _GUARDS.late_wait_s,
    late_scores: Annotated[Path | None, typer.Option(help="late scores are added to this file (JSON lines)")] = None,
    events: Annotated[
        Path | None, typer.Option(help="inprocess, loadgen: transactions (Parquet), in arrival order")
    ] = None,
    dispositions: Annotated[Path | None, typer.Option(help="inprocess, loadgen: dispositions (Parquet)")] = None,
    schedule: Annotated[Path | None, typer.Option(help="inprocess: int64 offsets in ns (NPY) to pace by")] = None,
    decisions_out: Annotated[Path | None, typer.Option(help="inprocess, loadgen: decisions (JSON lines)")] = None,
    explanations_out: Annotated[
        Path | None, typer.Option(help="inprocess: explanations (JSON lines); without it, scores are not explained")
    ] = None,
    alerts_out: Annotated[Path | None, typer.Option(help="inprocess: raw alerts about customers (JSON lines)")] = None,
    loadgen_out: Annotated[Path | None, typer.Option(help="loadgen: folder for MLPerf LoadGen's logs")] = None,
    loadgen_rate: Annotated[float, typer.Option(help="loadgen: events/s, Poisson", min=0.001)] = _LOAD.rate_per_s,
    loadgen_seed: Annotated[int, typer.Option(help="loadgen: seed of its schedule", min=0, max=2**32 - 1)] = _LOAD.seed,
    event_ahead_days_max: Annotated[
        int, typer.Option(help="an event further ahead of the stream's event time is refused, in days", min=0)
    ] = _PLAUSIBLE.ahead_days,
    event_behind_days_max: Annotated[
        int, typer.Option(help="an event further behind it is refused, in days", min=0)
    ] = _PLAUSIBLE.behind_days,
    fault_control: Annotated[
        Path | None, typer.Option(help="file by which a bench makes the model fail on purpose (this machine only)")
    ] = None,
    rollout_control: Annotated[
        Path | None, typer.Option(help="file with the plan by which the model is changed while events go on")
    ] = None,
    flink_connector: Annotated[Path | None, typer.Option(help="flink: the jar of its Kafka connector")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    """Decide events of a stream (worker) or close the day tables it needs (nightly), until SIGTERM or SIGINT."""
    logging.getLogger("riskbench").setLevel(_known(log_level, "--log-level", LEVELS).upper())
    if context.invoked_subcommand is not None:
        return
    window = _known(breaker_window, "--breaker-window", WINDOW_KINDS)
    breaker = BreakerConfig(
        failure_rate_threshold=breaker_failure_rate,
        slow_call_rate_threshold=breaker_slow_call_rate,
        slow_call_duration_s=breaker_sla_ms / 1e3,
        window_kind=window,
        window_size=breaker_window_calls if window == "count" else breaker_window_s,
        minimum_calls=breaker_minimum_calls,
        permitted_calls_half_open=breaker_half_open_calls,
        wait_open_s=breaker_open_s,
        wait_open_factor=breaker_open_factor,
        wait_open_s_max=max(breaker_open_s_max, breaker_open_s),
        wait_half_open_s_max=breaker_half_open_s_max,
        forced=None if breaker_forced is None else _known(breaker_forced, "--breaker-forced", FORCED),
    )
    guards = Guards(
        time_limit_s=breaker_time_limit_ms / 1e3, overdue_calls_max=breaker_overdue_calls,
        max_concurrent_calls=breaker_concurrent_calls_max, max_wait_s=breaker_wait_ms_max / 1e3,
        late_wait_s=breaker_late_wait_s, limit_kind=_known(breaker_limit_kind, "--breaker-limit-kind", LIMIT_KINDS),
    )  # fmt: skip
    options = RunOptions(
        engine=_known(engine, "--engine", ENGINES),
        role=_known(role, "--role", ROLES),
        worker=worker_id or f"{role}-{_instance(os.getpid(), socket.gethostname())}",
        bootstrap_servers=bootstrap_servers,
        kafka_config=kafka_config,
        prefix=prefix,
        group=group,
        bundle=bundle,
        rules=rules or SHIPPED_RULES[_known(domain, "--domain", DOMAINS)],
        state=state,
        explain=_known(explain, "--explain", EXPLAIN),
        breaker=breaker,
        guards=guards,
        batch_max=batch_max,
        table_wait_s=table_wait_s,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        ready_file=ready_file,
        summary=summary,
        late_scores=late_scores,
        files=FileInput(events, dispositions, schedule, decisions_out, explanations_out, alerts_out),
        domain=_known(domain, "--domain", DOMAINS),
        topics_wait_s=topics_wait_s,
        loadgen=LoadgenLoad(loadgen_out, loadgen_rate, loadgen_seed),
        fault_control=fault_control,
        rollout_control=rollout_control,
        flink_connector=flink_connector,
        checkpoint_dir=checkpoint_dir,
        checkpoint_every_s=checkpoint_every_s,
        plausible=Plausible(event_ahead_days_max, event_behind_days_max),
        member=worker_id if checkpoint_dir is not None else None,
    )
    if cpu is not None:
        pin(cpu)
    _run(options)


def _run(options: RunOptions) -> None:
    stop = StopFlag()
    give_back_memory()
    sys.setswitchinterval(SWITCH_S)

    def on_signal(number: int, _frame: Any) -> None:
        log.info("%s: finishing", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if options.role == "nightly":
        from scorer.nightly_role import run_nightly_role  # noqa: PLC0415 (each role loads only what it needs)

        run_nightly_role(options, stop)
    elif options.domain == "aml" and options.engine != "null":
        from scorer.aml.role import run_transfer_role  # noqa: PLC0415

        run_transfer_role(options, stop, time.monotonic_ns)
    else:
        from scorer.worker_role import run_worker_role  # noqa: PLC0415

        run_worker_role(options, stop, time.monotonic_ns)


@app.command("warm")
def warm_command(
    bundle: Annotated[Path, typer.Option(help="model bundle (directory)")],
    events: Annotated[Path, typer.Option(help="history: transactions (Parquet), in arrival order")],
    labels: Annotated[Path, typer.Option(help="their labels (Parquet), row by row; only transactions need them")],
    until_ns: Annotated[int, typer.Option(help="event time at which the stream takes over, in ns UTC")],
    reference_from_ns: Annotated[int, typer.Option(help="event time from which the reference is made, in ns UTC")],
    out: Annotated[Path, typer.Option(help="directory to write the state into")],
    rules: Annotated[
        Path | None, typer.Option(help="rule pack (YAML file), or a folder of typologies; default: the shipped one")
    ] = None,
    domain: Annotated[str, typer.Option(help="what was decided: fraud (transactions) or aml (transfers)")] = "fraud",
    accounts: Annotated[Path | None, typer.Option(help="aml: the accounts (Parquet)")] = None,
) -> None:
    """Replay history once and write the state that workers and the nightly job start from."""
    rules = rules or SHIPPED_RULES[_known(domain, "--domain", DOMAINS)]
    if domain == "aml":
        from scorer.aml.warm import TransferWarmInput, warm_transfers  # noqa: PLC0415

        known = Path(required(accounts, "--accounts", "domain aml"))
        warm_transfers(TransferWarmInput(bundle, rules, events, known, until_ns, reference_from_ns), out)
        return
    from scorer.warm import WarmInput, warm  # noqa: PLC0415

    warm(WarmInput(bundle, rules, events, labels, until_ns, reference_from_ns), out)


app.command("recompute")(recompute_command)


def main() -> None:
    """Run the command line; an error the user can act on is one line on standard error and its exit code."""
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
    try:
        app()
    except RiskbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
