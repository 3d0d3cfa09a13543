"""Every kind of fault, one file each; the registry is the one place that lists them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from harness.faults.fault import Fault
from harness.faults.kinds.broker_kill import BrokerKill
from harness.faults.kinds.broker_pause import BrokerPause
from harness.faults.kinds.input_duplicate import InputDuplicate
from harness.faults.kinds.input_far_future import InputFarFuture
from harness.faults.kinds.input_far_past import InputFarPast
from harness.faults.kinds.input_malformed import InputMalformed
from harness.faults.kinds.input_missing_field import InputMissingField
from harness.faults.kinds.input_out_of_order import InputOutOfOrder
from harness.faults.kinds.input_out_of_range import InputOutOfRange
from harness.faults.kinds.input_oversized import InputOversized
from harness.faults.kinds.input_unknown_currency import InputUnknownCurrency
from harness.faults.kinds.input_wrong_type import InputWrongType
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
    "input-malformed": InputMalformed,
    "input-missing-field": InputMissingField,
    "input-wrong-type": InputWrongType,
    "input-out-of-range": InputOutOfRange,
    "input-oversized": InputOversized,
    "input-unknown-currency": InputUnknownCurrency,
    "input-duplicate": InputDuplicate,
    "input-out-of-order": InputOutOfOrder,
    "input-far-future": InputFarFuture,
    "input-far-past": InputFarPast,
}
"""Kinds by their name in scenario files."""

if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = Annotated[Union[tuple(KINDS.values())], Field(discriminator="kind")]  # noqa: UP007 - made of the registry

__all__ = ["KINDS", "AnyFault"]
