"""From the cost of an event to what a rate takes. Every figure is a product of measured costs and stated assumptions.

Utilisation u: a core that is busy more than this share of the time makes its queue grow in bursts, so that a part that
costs c µs an event is given rate · c / (u · 10⁶) cores.
"""

from dataclasses import asdict, dataclass
from math import ceil, inf
from typing import Any

from harness.sizing.costs import Costs

RECORD_BYTES = 40
"""What Kafka adds to a message here: its key and the record's own fields."""
SLACK = 2.0
"""Stores grow by doubling: what is reserved is at most twice what is saved."""
SPARE_PARTITIONS = 2
"""Partitions a worker, so that workers can be doubled: partitions cannot be added to a topic with keys in it, for its
cards would move to other workers without their histories."""
MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is not measured. `replication` copies of every record; a broker has `broker_cores` cores, and
    `broker_bytes_s` bytes/s of network in and as much out."""

    utilisation: float = 0.5
    replication: int = 3
    retention_h: float = 24.0
    entities: int = 1_000_000
    broker_cores: int = 8
    broker_bytes_s: float = 1.25e9


@dataclass(frozen=True, slots=True)
class Limit:
    """What one of something can take, of which there cannot be more, and what to do beyond it."""

    what: str
    rate_per_s: float
    beyond: str


@dataclass(frozen=True, slots=True)
class Size:
    """What a rate takes; memory and disk in bytes, network in bytes/s over all brokers. `broker_cores` is
    None where nobody looked into the broker. `reached` are limits below the rate, `next` the first one above it."""

    rate_per_s: float
    partitions: int
    workers: int
    worker_memory_bytes: float
    nightly_cores: float
    senders: int
    collectors: int
    hosts: int
    broker_cores: int | None
    brokers: int
    network_in_bytes_s: float
    network_out_bytes_s: float
    disk_bytes_per_h: float
    disk_bytes: float
    reached: list[Limit]
    next: Limit | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def size_of(rate_per_s: float, costs: Costs, assumed: Assumed) -> Size:
    """What a rate takes."""
    cpu = {part: value or 0.0 for part, value in costs.cpu_us.items()}
    one_partition = costs.domain == "aml"
    collecting = cpu["receiver"] + (cpu["reader"] or cpu["collector"])
    workers = 1 if one_partition else _cores(rate_per_s, cpu["worker"], assumed)
    copies = assumed.replication
    broker_cores = _cores(rate_per_s, cpu["broker"] * copies, assumed) if costs.cpu_us["broker"] else None
    record, answer = costs.event_bytes + RECORD_BYTES, costs.decision_bytes + RECORD_BYTES
    network_in = rate_per_s * (record + answer) * copies
    # events go to the workers and the nightly job, decisions to whoever acts on them; the copies to the followers
    readers = 2 if cpu["nightly"] else 1
    network_out = rate_per_s * (record * readers + answer + (record + answer) * (copies - 1))
    by_network = ceil(max(network_in, network_out) / (assumed.utilisation * assumed.broker_bytes_s))
    disk_per_h = rate_per_s * (record + answer) * copies * 3_600
    limits = sorted(limits_of(costs, assumed), key=lambda limit: limit.rate_per_s)
    return Size(
        rate_per_s=rate_per_s,
        partitions=1 if one_partition else SPARE_PARTITIONS * workers,
        workers=workers,
        worker_memory_bytes=costs.worker_bytes + SLACK * costs.entity_bytes * assumed.entities / workers,
        nightly_cores=rate_per_s * cpu["nightly"] * MICRO,
        senders=_cores(rate_per_s, cpu["load"], assumed),
        collectors=1 if one_partition else _cores(rate_per_s, collecting, assumed),
        hosts=1 if one_partition else _cores(rate_per_s, cpu["collector"], assumed),
        broker_cores=broker_cores,
        brokers=max(copies, ceil((broker_cores or 0) / assumed.broker_cores), by_network),
        network_in_bytes_s=network_in,
        network_out_bytes_s=network_out,
        disk_bytes_per_h=disk_per_h,
        disk_bytes=disk_per_h * assumed.retention_h,
        reached=[limit for limit in limits if limit.rate_per_s < rate_per_s],
        next=next((limit for limit in limits if limit.rate_per_s >= rate_per_s), None),
    )


def _cores(rate_per_s: float, cpu_us: float, assumed: Assumed) -> int:
    return max(1, ceil(rate_per_s * cpu_us * MICRO / assumed.utilisation))


def limits_of(costs: Costs, assumed: Assumed) -> list[Limit]:
    """Rates beyond which one of what there is only one of is full."""
    limits = _of_transfers(costs, assumed) if costs.domain == "aml" else _of_cards(costs, assumed)
    return [limit for limit in limits if limit.rate_per_s < inf]


def _of_cards(costs: Costs, assumed: Assumed) -> list[Limit]:
    return [
        _limit("the collector behind the readers (one a host)", costs.cpu_us["collector"], assumed,
               "more hosts, each with a share of the cards: bench run --share I/N"),
        _limit("the nightly job (one process)", costs.cpu_us["nightly"], assumed,
               "it falls behind by day and catches up by night; beyond 1/u times this rate it never does, and a "
               "table over several processes does not exist"),
    ]  # fmt: skip


def _of_transfers(costs: Costs, assumed: Assumed) -> list[Limit]:
    return [
        _limit("the graph worker (one, for the order of all transfers)", costs.cpu_us["worker"], assumed,
               "a scorer a market, if what links them may be lost; one graph over several workers does not exist"),
        _limit("the collector (one, for the one partition of decisions)", costs.cpu_us["collector"], assumed,
               "it falls behind while the stream runs, which nobody waits for, and ends after it"),
    ]  # fmt: skip


def _limit(what: str, cpu_us: float | None, assumed: Assumed, beyond: str) -> Limit:
    return Limit(what, assumed.utilisation / (cpu_us * MICRO) if cpu_us else inf, beyond)
