"""What an event cost in a finished run: processor time by part, bytes on the wire, memory of a card or account."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from harness.case import CASE, PREPARED
from harness.results import Results, read_results
from harness.runfolder import is_complete
from streams.errors import BadInputError
from streams.topics import DOMAINS, Domain

PARTS = {
    "worker": "scorer worker",
    "nightly": "scorer nightly",
    "load": "load",
    "receiver": "receiver",
    "reader": "reader",
    "collector": "collector",
    "broker": "broker",
}
"""Parts of a stream by how the names of their processes begin."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one run. `cpu_us` is processor time per event sent, µs, by part (all processes of a part together; None where
    the run had none, or it was not ours to look into). `entity_bytes` is the warm state's size by cards (of transfers:
    accounts), `worker_bytes` a worker's memory at most."""

    run: str
    domain: Domain
    engine: str
    broker: str
    machine: str
    rate_per_s: float
    events: int
    cpu_us: dict[str, float | None]
    event_bytes: float
    decision_bytes: float
    entities: int
    entity_bytes: float
    worker_bytes: int


def measured_costs(folder: Path) -> Costs:
    """Read them from a run folder. Raises BadInputError for one that cannot say: no complete run, one without a broker,
    without our scorer, or of an earlier version."""
    results = _results(folder)
    domain = next((each for each in DOMAINS if each == results.config.get("domain")), None)
    if domain is None:
        raise BadInputError(f"{folder}/results.json: config.domain = {results.config.get('domain')!r} is no domain")
    cpu_us = {part: _cpu_us(results, begins) for part, begins in PARTS.items()}
    load = results.load
    if cpu_us["worker"] is None or cpu_us["load"] is None or results.model is None:
        raise BadInputError(f"{folder}: engine {results.engine} was not measured through a broker as a scorer of ours")
    if load.event_bytes is None or load.decision_bytes is None:
        raise BadInputError(f"{folder}: does not say how large its messages were (an earlier version made it)")
    entities, state_bytes = _entities(folder, domain), _state_bytes(folder)
    workers = [each for each in results.processes if each.name.startswith(PARTS["worker"])]
    return Costs(
        run=folder.resolve().name,
        domain=domain,
        engine=results.engine,
        broker=" ".join(part for part in (results.broker.name, results.broker.version) if part),
        machine=_machine(folder),
        rate_per_s=load.achieved_per_s,
        events=results.counts.sent,
        cpu_us=cpu_us,
        event_bytes=load.event_bytes,
        decision_bytes=load.decision_bytes,
        entities=entities,
        entity_bytes=state_bytes / entities if entities else 0.0,
        worker_bytes=max(each.memory_max_bytes for each in workers),
    )


def latest_run(out: Path, domain: Domain) -> Path:
    """The newest run under `out` that can say what an event cost. Raises BadInputError where there is none."""
    for folder in sorted((each for each in out.glob("*/") if is_complete(each)), reverse=True):
        try:
            if measured_costs(folder).domain == domain:
                return folder
        except BadInputError:
            continue
    raise BadInputError(
        f"{out}: no run of {domain} there says what an event costs; make one (bench run {domain} --engine native, at a "
        "rate near its capacity), or name one with --from RUN"
    )


def _results(folder: Path) -> Results:
    if not is_complete(folder):
        raise BadInputError(f"{folder}: no finished run; name a folder that bench run left behind (runs/…)")
    try:
        return read_results(folder / "results.json")
    except (OSError, msgspec.DecodeError) as error:
        raise BadInputError(f"{folder}/results.json cannot be read: {error}") from error


def _cpu_us(results: Results, begins: str) -> float | None:
    cpu_s = [each.cpu_s for each in results.processes if each.name.startswith(begins)]
    return 1e6 * sum(cpu_s) / results.counts.sent if cpu_s and results.counts.sent else None


def _state_bytes(folder: Path) -> int:
    """Of the state that grows with cards or accounts."""
    state = folder / CASE / "state"
    return sum(file.stat().st_size for file in state.rglob("*.state") if file.name != "ledger.state")


def _entities(folder: Path, domain: Domain) -> int:
    kept = folder / CASE / PREPARED
    file = kept / ("history.parquet" if domain == "fraud" else "accounts.parquet")
    if not file.is_file():
        raise BadInputError(f"{file} is not there: the run does not say how many cards or accounts its state is of")
    column = "card_id" if domain == "fraud" else "account_id"
    return len(pq.read_table(file, columns=[column])[column].unique())


def _machine(folder: Path) -> str:
    try:
        found = msgspec.json.decode((folder / "environment.json").read_bytes())
        return f"{found['cpu_usable']} cores of {found['cpu_model']}"
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return "a machine that is not named"
