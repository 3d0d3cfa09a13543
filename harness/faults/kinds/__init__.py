"""Every kind of fault, one file each; the registry is the one place that lists them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from harness.faults.fault import Fault
from harness.faults.kinds.broker_kill import BrokerKill
from harness.faults.kinds.broker_pause import BrokerPause
from harness.faults.kinds.load_overload import LoadOverload
from harness.faults.kinds.load_spike import LoadSpike
from harness.faults.kinds.model_constant import ModelConstant
from harness.faults.kinds.model_error import ModelError
from harness.faults.kinds.model_hang import ModelHang
from harness.faults.kinds.model_nan import ModelNan
from harness.faults.kinds.model_slow import ModelSlow
from harness.faults.kinds.model_stall import ModelStall
from harness.faults.kinds.network_blackhole import NetworkBlackhole
from harness.faults.kinds.network_latency import NetworkLatency
from harness.faults.kinds.network_reset import NetworkReset
from harness.faults.kinds.scorer_kill import ScorerKill
from harness.faults.kinds.scorer_pause import ScorerPause
from harness.faults.kinds.worker_kill import WorkerKill

KINDS: Mapping[str, type[Fault]] = {
    "model-slow": ModelSlow,
    "model-stall": ModelStall,
    "model-error": ModelError,
    "model-hang": ModelHang,
    "model-nan": ModelNan,
    "model-constant": ModelConstant,
    "scorer-kill": ScorerKill,
    "scorer-pause": ScorerPause,
    "worker-kill": WorkerKill,
    "broker-kill": BrokerKill,
    "broker-pause": BrokerPause,
    "network-latency": NetworkLatency,
    "network-reset": NetworkReset,
    "network-blackhole": NetworkBlackhole,
    "load-spike": LoadSpike,
    "load-overload": LoadOverload,
}
"""Kinds by their name in scenario files."""

if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = Annotated[Union[tuple(KINDS.values())], Field(discriminator="kind")]  # noqa: UP007 - made of the registry

__all__ = ["KINDS", "AnyFault"]
