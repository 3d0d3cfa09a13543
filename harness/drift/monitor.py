"""What every monitor is: it takes parts of the stream and labels, and speaks when a block of event time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from harness.drift.alarm import ALL, Alarm
from harness.drift.batch import BlockEnd, Int64s, Names, Part
from harness.drift.rates import Departure
from harness.drift.settings import BLOCKS_PER_DAY, Settings


@dataclass(frozen=True, slots=True)
class Watched:
    """What monitors are made from: names, settings, and stored reference bins (`score`, `features` by name)."""

    names: Names
    settings: Settings = field(default_factory=Settings)
    reference: Mapping[str, Any] = field(default_factory=dict)

    def group(self, row: int) -> str:
        """Name of a table's row: 0 is all."""
        return ALL if row == 0 else self.names.groups[row - 1]


@dataclass(frozen=True, slots=True)
class ArrivedLabels:
    """n labels that became known in the present block: bad or not, when (ns, event time); whether the event had been
    alerted, its group, and whose it was (−1: unknown). Of the bad ones, in order: `bad_features`
    float32 [bad, F], and `bad_surge` [bad], how busy the stream was when they happened (1: as in the burn-in)."""

    is_bad: npt.NDArray[np.bool_]
    at_ns: Int64s
    is_alert: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int16]
    key: npt.NDArray[np.int32]
    bad_features: npt.NDArray[np.float32]
    bad_surge: npt.NDArray[np.float32]


class Monitor(Protocol):
    """Watches one kind of quantity."""

    def take(self, part: Part) -> None:
        """Take events of the present block."""

    def labels(self, arrived: ArrivedLabels) -> None:
        """Take labels that arrived in the present block."""

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """End the present block: everything out of its bounds now, whether told before or not."""


class NoLabels:
    """For monitors that need no labels."""

    def labels(self, arrived: ArrivedLabels) -> None:
        """Labels are nothing to it."""


def departure_alarm(monitor: str, name: str, watched: Watched, departure: Departure, end: BlockEnd) -> Alarm:
    """The alarm of a rate out of its bounds."""
    days = departure.blocks / BLOCKS_PER_DAY
    word = "falls to" if departure.is_fall else "rises to"
    why = (
        f"{name} {word} {departure.ratio:.2f} times its usual rate: {departure.hits:.0f} in {days:g} d, "
        f"{departure.expected:.1f} expected"
    )
    return Alarm(
        monitor=monitor,
        name=name,
        group=watched.group(departure.group),
        ordinal=end.ordinal,
        event_time_ns=end.event_time_ns,
        value=departure.ratio,
        threshold=departure.bound,
        why=why,
        window_days=days,
        is_fall=departure.is_fall,
    )
