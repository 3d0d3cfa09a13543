"""A model that fails on purpose: as asked for, from the next call on, and not at all when nothing is asked for."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.onnx_model import ModelOutput
from scorer.breaker_config import BreakerConfig
from scorer.guarded_model import Guards, Model
from scorer.model_faults import FailingModel, InjectedError, failing, fault_view
from scorer.options import FileInput, RunOptions
from streams.errors import BadInputError
from streams.fault_control import FaultSwitch, FaultView, ModelFault

ROWS = np.zeros((3, 2), np.float32)
OPTIONS = RunOptions(
    engine="native",
    role="worker",
    worker="w",
    bootstrap_servers="127.0.0.1:9092",
    kafka_config=None,
    prefix="p",
    group=None,
    bundle=None,
    rules=Path("rules"),
    state=None,
    explain="none",
    breaker=BreakerConfig(),
    guards=Guards(),
    batch_max=1,
    table_wait_s=1.0,
    metrics_host="127.0.0.1",
    metrics_port=0,
    ready_file=None,
    summary=None,
    late_scores=None,
    files=FileInput(),
)


class Inner:
    """A model that counts."""

    def __init__(self) -> None:
        self.calls = self.aborts = 0

    def score(self, values: NDArray[np.float32]) -> ModelOutput:
        self.calls += 1
        return ModelOutput(np.full(len(values), 0.5, np.float32), np.full(len(values), 2.0, np.float32))

    def abort(self) -> None:
        self.aborts += 1


class Bench:
    """A failing model, its switch, and what is inside."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.switch = FaultSwitch(folder / "control")
        self.inner = Inner()
        self.model = FailingModel(Model(self.inner.score, self.inner.abort), FaultView(folder / "control"), **settings)

    def margins(self) -> list[float]:
        found: list[float] = self.model.score(ROWS).margin.tolist()
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_asked_for_changes_nothing(bench: Bench) -> None:
    assert bench.margins() == [0.5] * 3
    bench.switch.set(ModelFault(kind="error"))
    bench.switch.set(None)
    assert bench.margins() == [0.5] * 3


def test_errors_come_in_their_share_and_by_their_seed(bench: Bench) -> None:
    def failures() -> list[bool]:
        bench.switch.set(ModelFault(kind="error", share=0.5, seed=11))
        found = []
        for _ in range(400):
            try:
                bench.margins()
            except InjectedError:
                found.append(True)
            else:
                found.append(False)
        return found

    first = failures()
    assert 150 < sum(first) < 250
    assert failures() == first


def test_nan_and_constant_leave_the_rest_of_the_output(bench: Bench) -> None:
    bench.switch.set(ModelFault(kind="nan"))
    output = bench.model.score(ROWS)
    assert np.isnan(output.margin).all()
    assert output.reconstruction_error.tolist() == [2.0] * 3
    bench.switch.set(ModelFault(kind="constant", margin=-8.0))
    assert bench.margins() == [-8.0] * 3


def test_a_hanging_call_comes_back_when_the_fault_is_lifted_and_not_before(tmp_path: Path) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        hung.model.abort()  # it does not obey
        if len(looks) == 50:
            hung.switch.set(None)

    hung = Bench(tmp_path, sleep=sleep)
    hung.switch.set(ModelFault(kind="hang"))
    assert hung.margins() == [0.5] * 3
    assert len(looks) == 50
    assert hung.inner.aborts == 50


def test_a_slow_call_obeys_the_order_to_stop(bench: Bench) -> None:
    bench.switch.set(ModelFault(kind="slow", delay_ms=60_000.0))
    failed: list[BaseException] = []

    def call() -> None:
        try:
            bench.margins()
        except InjectedError as error:
            failed.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while not failed and thread.is_alive():
        bench.model.abort()
        thread.join(0.01)
    thread.join(10)
    assert len(failed) == 1
    assert bench.inner.calls == 0


def test_one_stall_is_one(bench: Bench) -> None:
    waits: list[float] = []
    bench.model._wait = waits.append  # type: ignore[method-assign, assignment]
    bench.switch.set(ModelFault(kind="stall", delay_ms=700.0))
    for _ in range(3):
        bench.margins()
    assert waits == [0.7]


@pytest.mark.parametrize("delay", ["constant", "exponential", "lognormal"])
def test_delays_have_their_mean_whatever_their_distribution(bench: Bench, delay: Any) -> None:
    waits: list[float] = []
    bench.model._wait = waits.append  # type: ignore[method-assign, assignment]
    bench.switch.set(ModelFault(kind="slow", delay_ms=80.0, delay=delay, sigma=0.5, seed=3))
    for _ in range(4_000):
        bench.margins()
    assert np.mean(waits) == pytest.approx(0.08, rel=0.1)
    assert (np.std(waits) > 0.01) == (delay != "constant")


def test_without_a_control_file_the_model_is_left_as_it_is() -> None:
    inner = Inner()
    model = Model(inner.score, inner.abort)
    assert failing(model, None) is model
    assert fault_view(OPTIONS) is None


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({"metrics_host": "0.0.0.0"}, "0.0.0.0"),  # noqa: S104 - what must be refused
        ({"bootstrap_servers": "127.0.0.1:9092,kafka.example:9092"}, "kafka.example"),
    ],
)
def test_a_worker_that_others_use_is_never_made_to_fail(tmp_path: Path, changes: dict[str, Any], host: str) -> None:
    FaultSwitch(tmp_path / "control").close()
    options = replace(OPTIONS, fault_control=tmp_path / "control")
    assert fault_view(options) is not None
    with pytest.raises(BadInputError, match=f"{host} is not a loopback address"):
        fault_view(replace(options, **changes))
