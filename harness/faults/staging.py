"""What a run's faults need to be there before it starts, and what they act on once it runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.faults.fault import Fault
from harness.faults.plan import Planned
from harness.faults.targets import BrokerProcess, Processes, Targets
from harness.scenario import Scenario
from streams.brokers import ApacheBroker, Broker
from streams.brokers.child_broker import ChildBroker
from streams.brokers.proxy import Proxy
from streams.errors import BadInputError
from streams.fault_control import FaultSwitch

CONTROL_FILE = "fault-control"


@dataclass(frozen=True, slots=True)
class Staging:
    """The faults of a run with what they need of it; the scorer's processes are there only once they were started."""

    planned: Sequence[Planned]
    model: FaultSwitch | None = None
    broker: BrokerProcess | None = None
    proxy: Proxy | None = None

    def on(self, broker: Broker) -> "Staging":
        """With the broker that was started, and the proxy leading to it.

        Raises BadInputError for a fault that this broker cannot have or survive.
        """
        for each in self.planned:
            refuse_on(each.fault, f"faults[{each.place}] ({each.fault.kind})", broker.name)
        if self.proxy is not None and isinstance(broker, ApacheBroker):
            self.proxy.lead_to(broker.behind_proxy)
        return replace(self, broker=broker if isinstance(broker, ChildBroker) else None)

    def targets(self, processes: Processes | None) -> Targets:
        """All there is to act on."""
        return Targets(self.model, processes, self.broker, self.proxy)


def needs(faults: Sequence[Fault], need: str) -> bool:
    """Whether any of the faults needs this."""
    return any(fault.need == need for fault in faults)


@contextmanager
def model_switch(faults: Sequence[Fault], folder: Path) -> Iterator[FaultSwitch | None]:
    """The model's switch, a file in `folder`, where a fault needs one."""
    if not needs(faults, "model"):
        yield None
        return
    switch = FaultSwitch(folder / CONTROL_FILE)
    try:
        yield switch
    finally:
        switch.close()


@contextmanager
def proxy_for(faults: Sequence[Fault]) -> Iterator[Proxy | None]:
    """A proxy to be put between scorer and broker, where a fault needs one."""
    if not needs(faults, "proxy"):
        yield None
        return
    with Proxy() as proxy:
        yield proxy


def refuse_impossible(scenario: Scenario, *, given_kafka: bool) -> None:
    """Raise BadInputError, before anything is begun, for a fault that this run could not be made to have."""
    scorer = scenario.scorer
    for place, fault in enumerate(scenario.faults):
        where = f"faults[{place}] ({fault.kind})"
        ours = scorer.kind == "ours" and scorer.command is None
        if scenario.domain == "aml" and fault.need == "feed":
            raise BadInputError(
                f"{where}: faults of the input are of card transactions, this scenario streams transfers"
            )
        if not ours and fault.need == "model":
            raise BadInputError(f"{where}: a model inside a scorer of your own cannot be reached")
        if scorer.kind == "external" and fault.need == "processes":
            raise BadInputError(f"{where}: a scorer that somebody else starts is theirs to kill")
        if ours and scorer.engine == "inprocess":
            if fault.need not in ("model", "schedule"):
                raise BadInputError(f"{where}: engine inprocess has no broker and one process: use another engine")
            if fault.abort.model_dump(exclude_none=True):
                raise BadInputError(f"{where}: engine inprocess says nothing while it runs: abort cannot be watched")
        if given_kafka and fault.need in ("broker", "proxy"):
            raise BadInputError(
                f"{where}: a Kafka that runs already is left as it is: leave out --bootstrap-servers, for a broker "
                "that is started for the run"
            )
        if not given_kafka and scenario.broker == "embedded":
            refuse_on(fault, where, "embedded")
        workers = 1 if scorer.command is not None else scorer.workers
        wanted = max(getattr(fault, "worker", 1), fault.workers_min)
        if wanted > workers:
            raise BadInputError(f"{where}: needs {wanted} workers, the scorer has {workers} (scorer.workers)")


def refuse_on(fault: Fault, where: str, broker: str) -> None:
    """Raise BadInputError for a fault that this broker cannot have or survive."""
    if broker != "embedded":
        return
    if fault.durable_log:
        raise BadInputError(f"{where}: the embedded broker loses messages when it is killed: use --broker apache")
    if fault.need == "proxy":
        raise BadInputError(
            f"{where}: the embedded broker cannot advertise the proxy's address to the scorer: use --broker apache"
        )
