"""The engines: how events reach the pipeline and decisions leave it."""

from importlib import import_module
from typing import Any, Protocol

from streams.errors import BadInputError

BROKER_ENGINES = ("faust", "native", "flink", "null")
FILE_ENGINES = ("inprocess", "loadgen")
ENGINES = (*BROKER_ENGINES, *FILE_ENGINES)
DEFAULT_ENGINE = "faust"


class Ready(Protocol):
    """Called once, when the engine can take events."""

    def __call__(self, start_ns: int | None = None) -> None:
        """`start_ns`: the instant on the monotonic clock that a schedule's offsets count from, if the engine paces."""


class StopSignal(Protocol):
    """Set (from a signal handler or another thread) when the engine is to finish its batch and end."""

    def is_set(self) -> bool:
        """Whether to end."""

    def set(self) -> None:
        """Ask to end."""


class Engine(Protocol):
    """Takes events, has them decided, emits the decisions; until stopped, or until its input ends."""

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """Work until `stop` is set, then finish the batch, flush and commit.

        `ready` is called once, when the engine can take events. Raises `BrokerError` when the broker refuses for good.
        """


def engine_class(name: str) -> Any:
    """The engine of that name, imported only now: one engine's libraries are no burden to another's process."""
    if name not in ENGINES:
        raise BadInputError(f"engine {name!r} is not known; choose one of {', '.join(ENGINES)}")
    return import_module(f"scorer.engines.{name}").ENGINE
