"""What a rate takes, as Markdown: table, costs, limits and the assumptions behind them."""

from collections.abc import Callable, Sequence

from harness.report.words import significant
from harness.sizing.costs import Costs
from harness.sizing.sizes import RECORD_BYTES, SLACK, SPARE_PARTITIONS, Assumed, Limit, Size, limits_of

DASH = "–"
ENTITY = {"fraud": "card", "aml": "account"}
PARTITIONS_TOLD = {
    "fraud": f"{SPARE_PARTITIONS} partitions a worker.",
    "aml": "One partition: transfers have one order.",
}
ROWS: list[tuple[str, Callable[[Size], str]]] = [
    ("partitions", lambda size: f"{size.partitions:,}"),
    ("scorer workers (a core each)", lambda size: f"{size.workers:,}"),
    ("memory of a worker", lambda size: _bytes(size.worker_memory_bytes)),
    ("nightly job, cores busy", lambda size: significant(size.nightly_cores) if size.nightly_cores else DASH),
    ("broker cores, all brokers", lambda size: DASH if size.broker_cores is None else f"{size.broker_cores:,}"),
    ("brokers", lambda size: f"{size.brokers:,}"),
    ("network into the brokers", lambda size: f"{_bytes(size.network_in_bytes_s)}/s"),
    ("network out of them", lambda size: f"{_bytes(size.network_out_bytes_s)}/s"),
    ("disk an hour", lambda size: _bytes(size.disk_bytes_per_h)),
    ("disk at retention", lambda size: _bytes(size.disk_bytes)),
    ("load processes (`--senders`)", lambda size: f"{size.senders:,}"),
    ("collecting processes (`--collectors`)", lambda size: f"{size.collectors:,}"),
    ("measuring hosts (`--share`)", lambda size: f"{size.hosts:,}"),
    ("limits reached", lambda size: _limits(size.reached)),
    ("next limit", lambda size: _limits([size.next] if size.next else [])),
]
"""What the table has a row for. A test holds docs/sizing.md to them."""


def to_markdown(sizes: Sequence[Size], costs: Costs, assumed: Assumed, command: str) -> str:
    """The whole of it."""
    head = ["events/s", *(f"{size.rate_per_s:,.0f}" for size in sizes)]
    body = [[name, *(tell(size) for size in sizes)] for name, tell in ROWS]
    entity = ENTITY[costs.domain]
    told = (
        f"`{command}` printed this from run `{costs.run}`: {costs.domain}, engine {costs.engine}, {costs.broker}, "
        f"{costs.rate_per_s:,.0f} events/s sent, {costs.events:,} events, {costs.machine}. Utilisation "
        f"{assumed.utilisation:.0%}, {assumed.entities:,} {entity}s, {assumed.replication} copies, "
        f"{assumed.retention_h:g} h of retention, brokers of {assumed.broker_cores} cores and "
        f"{_bytes(assumed.broker_bytes_s)}/s."
    )
    return "\n\n".join([told, _table([head, *body]), _costs_told(costs), _limits_told(costs, assumed)])


def _costs_told(costs: Costs) -> str:
    rows = [["", "µs of processor time an event"]]
    rows += [[part, DASH if value is None else significant(value)] for part, value in costs.cpu_us.items()]
    beside = (
        f"An event has {costs.event_bytes:,.0f} bytes, a decision {costs.decision_bytes:,.0f}; Kafka adds about "
        f"{RECORD_BYTES} to each. Of {costs.entities:,} {ENTITY[costs.domain]}s each has "
        f"{costs.entity_bytes:,.0f} bytes saved, at most {SLACK:g} times that in memory, on top of a worker's "
        f"{_bytes(costs.worker_bytes)}. "
        f"{PARTITIONS_TOLD[costs.domain]}"
    )
    return f"Measured, and multiplied:\n\n{_table(rows)}\n\n{beside}"


def _limits_told(costs: Costs, assumed: Assumed) -> str:
    limits = sorted(limits_of(costs, assumed), key=lambda limit: limit.rate_per_s)
    lines = [f"- {limit.rate_per_s:,.0f}/s: {limit.what}. Beyond: {limit.beyond}." for limit in limits]
    return "Of these there is only one, and at this utilisation it is full at:\n\n" + "\n".join(lines)


def _limits(limits: Sequence[Limit]) -> str:
    return "; ".join(f"{limit.what.partition(' (')[0]}, {limit.rate_per_s:,.0f}/s" for limit in limits) or DASH


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{significant(value / size)} {unit}"
    return f"{value / 1e3:,.0f} kB"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
