"""The model failing on purpose, at its own call, so that everything that guards it is tried as in earnest.

Off unless a worker is given a control file (`streams.fault_control`); then a call costs one look at a mapped integer
more. What is slow obeys the order to stop, as the model itself does; what hangs does not, until the fault is lifted.
"""

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.onnx_model import ModelOutput
from scorer.guarded_model import Model, Scored
from scorer.options import RunOptions
from streams.brokers.connection import parse_addresses
from streams.errors import BadInputError
from streams.fault_control import FaultView, ModelFault

log = logging.getLogger("riskbench.scorer")

LOOK_S = 0.005
"""How often a hanging call looks whether the fault is lifted."""


class InjectedError(Exception):
    """Raised by a model that was told to fail."""


class FailingModel:
    """One model's score and abort, with the faults of a control file in front of them."""

    def __init__(self, model: Model, view: FaultView, sleep: Callable[[float], None] = time.sleep) -> None:
        self._inner, self._inner_abort, self._view, self._sleep = model.function, model.abort, view, sleep
        self._generations = view.generations
        self._seen = 0
        self._fault: ModelFault | None = None
        self._rng = np.random.default_rng(0)
        self._stalled = False
        self._stopped = threading.Event()

    def score(self, values: NDArray[np.float32]) -> Scored:
        """Score rows, or fail as asked for."""
        if self._generations[0] != self._seen:
            self._look()
        if self._fault is None:
            return self._inner(values)
        return self._fail(self._fault, values)

    def abort(self) -> None:
        """Stop the call under way: the model's own, or a slow one's waiting."""
        self._stopped.set()
        if self._inner_abort is not None:
            self._inner_abort()

    def _look(self) -> None:
        self._seen = self._generations[0]
        self._fault = self._view.read()
        self._stalled = False
        if self._fault is not None:
            self._rng = np.random.default_rng(self._fault.seed)
        log.warning("model fault: %s", "lifted" if self._fault is None else self._fault)

    def _fail(self, fault: ModelFault, values: NDArray[np.float32]) -> Scored:
        self._stopped.clear()
        if fault.kind == "slow":
            self._wait(self._delay_s(fault))
        elif fault.kind == "stall" and not self._stalled:
            self._stalled = True
            self._wait(fault.delay_ms / 1e3)
        elif fault.kind == "hang":
            while self._generations[0] == self._seen:
                self._sleep(LOOK_S)
        elif fault.kind == "error" and self._rng.random() < fault.share:
            raise InjectedError("the model was told to fail")
        output = self._inner(values)
        if fault.kind == "constant":
            return ModelOutput(np.full(len(values), fault.margin, np.float32), output.reconstruction_error)
        if fault.kind == "nan" and self._rng.random() < fault.share:
            return ModelOutput(np.full(len(values), np.nan, np.float32), output.reconstruction_error)
        return output

    def _delay_s(self, fault: ModelFault) -> float:
        mean_s = fault.delay_ms / 1e3
        if fault.delay == "exponential":
            return float(self._rng.exponential(mean_s))
        if fault.delay == "lognormal":  # of this mean: the location is below its logarithm by half the variance
            return mean_s * float(np.exp(self._rng.normal(-(fault.sigma**2) / 2, fault.sigma)))
        return mean_s

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise InjectedError("a slow call was told to stop")


def failing(model: Model, view: FaultView | None) -> Model:
    """The model with faults in front of it; as it is without a control file."""
    if view is None:
        return model
    made = FailingModel(model, view)
    return Model(made.score, made.abort)


def fault_view(options: RunOptions) -> FaultView | None:
    """The control file that the options name, if they do.

    Raises BadInputError when this worker serves anybody but this machine: faults are for test benches.
    """
    if options.fault_control is None:
        return None
    hosts = [options.metrics_host]
    if options.bootstrap_servers is not None:
        hosts += [host for host, _ in parse_addresses(options.bootstrap_servers)]
    for host in hosts:
        if not _loopback(host):
            raise BadInputError(
                f"--fault-control is for a bench on one machine: {host} is not a loopback address (127.0.0.1, ::1, "
                "localhost)"
            )
    log.warning("faults of the model can be asked for through %s", options.fault_control)
    return FaultView(Path(options.fault_control))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
